/** How much a file tree may hold: bytes in files, and names of files, folders and links. Charged before it is done. */

import { FsError } from "./errno.ts";

export interface QuotaBounds {
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

export class Quota {
  readonly #bounds: QuotaBounds;
  #bytes = 0;
  #names = 0;

  constructor(bounds: QuotaBounds, used: { bytes: number; names: number } = { bytes: 0, names: 0 }) {
    this.#bounds = bounds;
    this.#bytes = used.bytes;
    this.#names = used.names;
  }

  get bytesUsed(): number {
    return this.#bytes;
  }

  get namesUsed(): number {
    return this.#names;
  }

  /** @throws FsError `dquot` when there is no room. */
  takeBytes(count: number): void {
    if (this.#bytes + count > this.#bounds.fileBytesMax) throw new FsError("dquot");
    this.#bytes += count;
  }

  /** @throws FsError `dquot` when there is no room. */
  takeName(): void {
    if (this.#names + 1 > this.#bounds.filesMax) throw new FsError("dquot");
    this.#names++;
  }

  // Never below zero: what was there before counting began gives no room when it goes.
  giveBytes(count: number): void {
    this.#bytes = Math.max(0, this.#bytes - count);
  }

  giveName(): void {
    this.#names = Math.max(0, this.#names - 1);
  }

  /** Takes room, acts, and gives it back when the act failed. */
  withName<Result>(act: () => Result): Result {
    this.takeName();
    try {
      return act();
    } catch (error) {
      this.giveName();
      throw error;
    }
  }
}
