/** How much a file tree may hold: bytes in files, and names of files, folders and links. Charged before it is done. */

import { FsError } from "./errno.ts";

export interface QuotaBounds {
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

/** What is used so far. Several quotas over one tree count in one of these. */
export interface UsageCount {
  bytes: number;
  names: number;
}

export class Quota {
  readonly #bounds: QuotaBounds;
  readonly #count: UsageCount;

  constructor(bounds: QuotaBounds, count: UsageCount = { bytes: 0, names: 0 }) {
    this.#bounds = bounds;
    this.#count = count;
  }

  get fileBytesMax(): number {
    return this.#bounds.fileBytesMax;
  }

  get bytesUsed(): number {
    return this.#count.bytes;
  }

  get namesUsed(): number {
    return this.#count.names;
  }

  /** @throws FsError `dquot` when there is no room. */
  takeBytes(count: number): void {
    if (this.#count.bytes + count > this.#bounds.fileBytesMax) throw new FsError("dquot");
    this.#count.bytes += count;
  }

  /** @throws FsError `dquot` when there is no room. */
  takeName(): void {
    if (this.#count.names + 1 > this.#bounds.filesMax) throw new FsError("dquot");
    this.#count.names++;
  }

  // Never below zero: what was there before counting began gives no room when it goes.
  giveBytes(count: number): void {
    this.#count.bytes = Math.max(0, this.#count.bytes - count);
  }

  giveName(): void {
    this.#count.names = Math.max(0, this.#count.names - 1);
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
