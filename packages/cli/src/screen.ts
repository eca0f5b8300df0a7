/** Lines that stay in place on a terminal, and are drawn over the last ones. */

import type { Output } from "./system.ts";

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

export class Screen {
  readonly #out: Output;
  #shown: readonly string[] = [];

  constructor(out: Output) {
    this.#out = out;
    out.write(HIDE_CURSOR);
  }

  draw(lines: readonly string[]): void {
    // One line less than the screen: what scrolls could not be found again.
    const fitting = lines.slice(0, Math.max(1, this.#out.rows - 1));
    this.#out.write(`${this.#erased()}${fitting.join("\n")}\n`);
    this.#shown = fitting;
  }

  /** A line above, where it stays. */
  log(line: string): void {
    this.#out.write(`${this.#erased()}${line}\n${this.#shown.map((each) => `${each}\n`).join("")}`);
  }

  end(): void {
    this.#out.write(SHOW_CURSOR);
  }

  /** Back to the first line, and everything below it cleared. */
  #erased(): string {
    return this.#shown.length === 0 ? "" : `\x1b[${this.#shown.length}A\r\x1b[0J`;
  }
}
