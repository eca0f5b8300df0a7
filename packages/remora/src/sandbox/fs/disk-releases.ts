/**
 * Letting go of files that have no name any more. Only when the last descriptor of one is closed does the system free what it
 * takes on the disk, some milliseconds for a large one; that is done in the background, and the guest does not wait for it.
 */

import * as fs from "node:fs";

/** Smaller ones are let go of at once: it takes a tenth of a millisecond. */
const largeBytes = 1024 * 1024;

/** Files that are being let go of: each is a descriptor still. */
const pendingMax = 64;

export class DiskReleases {
  /** No quota counts any more what is not freed yet. */
  readonly #bytesMax: number;
  #pendingBytes = 0;
  #pendingCount = 0;

  /** @param bytesMax Of files that are being let go of; beyond it they are let go of at once. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes the name from a file and keeps it until then, so that taking it is quick.
   *
   * @param path Of the file, in a folder that is held.
   * @param stat From before.
   */
  unname(path: string, stat: fs.BigIntStats, act: () => void): void {
    const sizeBytes = Number(stat.size);
    const isFreed = stat.isFile() && stat.nlink === 1n;
    const descriptor = isFreed && this.#isInBackground(sizeBytes) ? openOrNot(path) : undefined;
    try {
      act();
    } finally {
      if (descriptor !== undefined) this.close(descriptor, sizeBytes);
    }
  }

  /** @param freedBytes What the system frees with it, if it is the last of a file without a name. */
  close(descriptor: number, freedBytes: number): void {
    if (!this.#isInBackground(freedBytes)) {
      fs.closeSync(descriptor);
      return;
    }
    this.#pendingBytes += freedBytes;
    this.#pendingCount++;
    fs.close(descriptor, () => {
      this.#pendingBytes -= freedBytes;
      this.#pendingCount--;
    });
  }

  #isInBackground(sizeBytes: number): boolean {
    return (
      sizeBytes >= largeBytes &&
      this.#pendingCount < pendingMax &&
      this.#pendingBytes + sizeBytes <= this.#bytesMax
    );
  }
}

/** Without following a link or waiting for a pipe. Undefined when it cannot be read: then it is freed while the guest waits. */
function openOrNot(path: string): number | undefined {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch {
    return undefined;
  }
}
