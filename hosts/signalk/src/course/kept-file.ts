/**
 * A file of the server's state: one write after the other, and whoever reads it finds the old text or the new one. Who
 * changes the state does not wait for it.
 */

import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { signalkErrors } from "../errors.ts";

/** Such a file takes less; somebody may have put another one there. */
const charactersMax = 1024 * 1024;

export class KeptFile {
  readonly #path: string;
  readonly #onFailure: (error: unknown) => void;
  #writing: Promise<void> = Promise.resolve();

  /** @param onFailure Told when something cannot be kept. */
  constructor(path: string, onFailure: (error: unknown) => void) {
    this.#path = path;
    this.#onFailure = onFailure;
  }

  /**
   * What JSON is in it; undefined where there is no file.
   *
   * @throws signalk/settings-file it cannot be read, or is no JSON
   */
  async read(): Promise<unknown> {
    try {
      const text = await readFile(this.#path, "utf8");
      if (text.length <= charactersMax) return JSON.parse(text);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException; // of the file system, or the SyntaxError of JSON
      if (code === "ENOENT") return undefined;
      throw this.#unreadable(code ?? "it is no JSON", cause);
    }
    throw this.#unreadable(`it has more than ${charactersMax} characters`);
  }

  /** @param next The JSON that is to be in it, by what is in it when its turn has come. */
  keep(next: () => Promise<unknown>): void {
    this.#writing = this.#writing.then(async () => this.#write(await next())).catch(this.#onFailure);
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  async #write(data: unknown): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    // Who may read it is the operator's choice.
    const mode = (await stat(this.#path).catch(() => undefined))?.mode;
    await writeFile(`${this.#path}.new`, `${JSON.stringify(data, undefined, 2)}\n`, { mode });
    await rename(`${this.#path}.new`, this.#path);
  }

  #unreadable(reason: string, cause?: unknown): Error {
    return signalkErrors["settings-file"]({ file: this.#path, reason }, cause);
  }
}
