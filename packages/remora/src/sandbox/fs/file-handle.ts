/** An open file: a volume's file, where it came from, and what it may be used for. */

import { FsError } from "./errno.ts";
import type { MountGate } from "./mount-gate.ts";
import type { NewTimes, OpenFile, Stat } from "./volume.ts";

export interface FileUse {
  readonly read: boolean;
  readonly write: boolean;
  readonly gate: MountGate;
  /** Where it was when it was opened, below the mount: for the gate. */
  readonly below: string;
}

export class FileHandle {
  readonly kind = "file";
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly #file: OpenFile;
  readonly #gate: MountGate;
  readonly #below: string;
  #narrowings: number;

  constructor(file: OpenFile, { read, write, gate, below }: FileUse) {
    this.#file = file;
    this.#gate = gate;
    this.#below = below;
    this.#narrowings = gate.narrowings;
    this.canRead = read;
    this.canWrite = write;
  }

  /** What was taken while it is open it has no more. @throws FsError `acces`, `rofs` */
  checkGiven(): void {
    const { narrowings } = this.#gate;
    if (narrowings === this.#narrowings) return;
    if (this.canRead || !this.canWrite) this.#gate.checkStill("read", this.#below);
    if (this.canWrite) this.#gate.checkStill("write", this.#below);
    this.#narrowings = narrowings;
  }

  stat(): Stat {
    this.checkGiven();
    return this.#file.stat();
  }

  read(into: Uint8Array, at: number): number {
    this.checkGiven();
    if (!this.canRead) throw new FsError("badf");
    return this.#file.read(into, at);
  }

  write(from: Uint8Array, at: number): number {
    this.checkGiven();
    if (!this.canWrite) throw new FsError("badf");
    return this.#file.write(from, at);
  }

  setSize(sizeBytes: number): void {
    this.checkGiven();
    if (!this.canWrite) throw new FsError("badf");
    this.#file.setSize(sizeBytes);
  }

  /** Times can be set through a file that is open for reading, as in POSIX; the gate is asked for writing then. */
  setTimes(times: NewTimes): void {
    this.checkGiven();
    if (!this.canWrite) this.#gate.pass("write", this.#below);
    this.#file.setTimes(times);
  }

  sync(): void {
    this.checkGiven();
    this.#file.sync();
  }

  close(): void {
    this.#file.close();
  }
}
