/** An open file of a directory of the host. Room is charged before it is taken, from the size that the file has then. */

import * as fs from "node:fs";
import { type Disk, guarded, type OpenInode } from "./disk.ts";
import { FsError } from "./errno.ts";
import type { NewTimes, OpenFile, Stat } from "./volume.ts";

export class DiskFile implements OpenFile {
  readonly #disk: Disk;
  readonly #inode: OpenInode;
  /** Undefined once it is closed: the system gives the number to the next file. */
  #descriptor: number | undefined;
  #syncsPending = 0;
  #syncFailure: Error | undefined;

  constructor(disk: Disk, descriptor: number, stat: fs.BigIntStats) {
    this.#disk = disk;
    this.#descriptor = descriptor;
    this.#inode = disk.opened(stat);
  }

  stat(): Stat {
    return guarded(() => this.#disk.statOf(this.#stat()));
  }

  read(into: Uint8Array, at: number): number {
    return guarded(() => fs.readSync(this.#open(), into, 0, into.length, at));
  }

  write(from: Uint8Array, at: number): number {
    if (from.length === 0) return 0;
    return guarded(() => {
      const growth = Math.max(0, at + from.length - Number(this.#stat().size));
      if (growth > 0) this.#disk.quota.takeBytes(growth);
      let written = 0;
      try {
        written = fs.writeSync(this.#open(), from, 0, from.length, at);
      } finally {
        const unused = Math.min(growth, from.length - written);
        if (unused > 0) this.#disk.quota.giveBytes(unused);
      }
      return written;
    });
  }

  setSize(sizeBytes: number): void {
    guarded(() => {
      const before = Number(this.#stat().size);
      if (sizeBytes > before) this.#disk.quota.takeBytes(sizeBytes - before);
      fs.ftruncateSync(this.#open(), sizeBytes);
      if (sizeBytes < before) this.#disk.quota.giveBytes(before - sizeBytes);
    });
  }

  setTimes(times: NewTimes): void {
    guarded(() =>
      this.#disk.setTimes(
        times,
        () => this.#stat(),
        (accessed, modified) => fs.futimesSync(this.#open(), accessed, modified),
      ),
    );
  }

  /** Begun, and not waited for; what went wrong is told when the file is asked for it again. */
  sync(): void {
    guarded(() => {
      const descriptor = this.#open();
      const failure = this.#syncFailure;
      this.#syncFailure = undefined;
      if (failure !== undefined) throw failure;
      // One that is in line already comes after all that was written until now.
      if (this.#disk.syncs.isInLine(descriptor)) return;
      const isTaken = this.#disk.syncs.ask(descriptor, (error) => {
        this.#syncsPending--;
        this.#syncFailure ??= error;
        if (!this.#isDone) return;
        this.#closed(descriptor);
        // Nobody is there any more to be told what goes wrong with it.
        fs.close(descriptor, () => {});
      });
      if (!isTaken) throw new FsError("again");
      this.#syncsPending++;
    });
  }

  close(): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    this.#descriptor = undefined;
    if (!this.#isDone) return;
    guarded(() => this.#disk.release(descriptor, this.#closed(descriptor)));
  }

  /** Only now: what is still to be on the disk takes its room there, though it has no name and the guest has closed it. */
  #closed(descriptor: number): number {
    return this.#disk.closed(this.#inode, () => sizeOrNone(descriptor));
  }

  /** Whether neither the guest nor the system needs the descriptor any more. */
  get #isDone(): boolean {
    return this.#descriptor === undefined && this.#syncsPending === 0;
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new FsError("badf");
    return this.#descriptor;
  }

  #stat(): fs.BigIntStats {
    return fs.fstatSync(this.#open(), { bigint: true });
  }
}

/** What the system does not tell stays charged; the descriptor is closed nevertheless. */
function sizeOrNone(descriptor: number): number {
  try {
    return fs.fstatSync(descriptor).size;
  } catch {
    return 0;
  }
}
