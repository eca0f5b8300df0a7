/** Cuts what a wire carries into lines. A line that does not end is dropped: whoever sends it is none of our instruments. */

/** NMEA 0183 has 82 characters, an analyzer's JSON some hundreds. */
const lineBytesMax = 8_192;

export class Lines {
  readonly #emit: (line: string) => void;
  #pending = "";
  #isDropping = false;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  /** @param text Latin-1 or UTF-8; sentences are ASCII. */
  write(text: string): void {
    const parts = (this.#pending + text).split(/\r?\n/);
    this.#pending = parts.pop() ?? "";
    for (const line of parts) {
      if (this.#isDropping) this.#isDropping = false;
      else if (line !== "" && line.length <= lineBytesMax) this.#emit(line);
    }
    if (this.#pending.length <= lineBytesMax) return;
    this.#pending = "";
    this.#isDropping = true;
  }
}
