/**
 * What guests want to be on the disk. A disk may take seconds for it, and no guest on the host's thread can wait, so the
 * system is asked in the background: one file at a time for a plugin, since each takes a thread of Node's few.
 */

import * as fs from "node:fs";

/** Files that wait for their turn; a guest that opens, asks and closes again and again is told to try later. */
export const syncsWaitingMax = 64;

export class DiskSyncs {
  readonly #waiting = new Map<number, (error: Error | undefined) => void>();
  #isBusy = false;

  /**
   * @param descriptor Not in line yet; stays open until `done` is called.
   * @returns          False when too many wait.
   */
  ask(descriptor: number, done: (error: Error | undefined) => void): boolean {
    if (this.#waiting.size >= syncsWaitingMax) return false;
    this.#waiting.set(descriptor, done);
    this.#next();
    return true;
  }

  /** Whether its turn is still to come. */
  isInLine(descriptor: number): boolean {
    return this.#waiting.has(descriptor);
  }

  #next(): void {
    if (this.#isBusy) return;
    for (const [descriptor, done] of this.#waiting) {
      this.#waiting.delete(descriptor);
      this.#isBusy = true;
      fs.fsync(descriptor, (error) => {
        this.#isBusy = false;
        done(error ?? undefined);
        this.#next();
      });
      return;
    }
  }
}
