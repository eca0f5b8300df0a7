/**
 * Rewritten modules and plans of components on disk, so that the next process need not make them. What is read is checked
 * by whoever asks for it; here it only must not be half a file.
 */

import { readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RewriteStore } from "../engine/kept-files.ts";
import { draftMark } from "./store/data-folder.ts";

export class RewriteFolder implements RewriteStore {
  readonly #folder: string;

  /** @param folder Made when something is written. Nobody else may write into it. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  read(name: string): Uint8Array | undefined {
    try {
      return readFileSync(this.#pathOf(name));
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async write(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    // Other processes may share the folder: a name of our own, then the new file in one step.
    const draft = `${this.#pathOf(name)}${draftMark}${crypto.randomUUID()}`;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    try {
      await writeFile(draft, pieces, { flag: "wx", mode: 0o600 });
      await rename(draft, this.#pathOf(name));
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  #pathOf(name: string): string {
    return join(this.#folder, name);
  }
}
