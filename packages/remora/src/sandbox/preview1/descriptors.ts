/**
 * The table of file descriptors of one instance: standard streams, then the folders that it finds open, then what it
 * opens. Every number comes from the guest, and is looked up here.
 */

import { FsError } from "../fs/errno.ts";
import type { FileHandle } from "../fs/file-handle.ts";
import type { FolderHandle } from "../fs/folder-handle.ts";
import type { FolderEntry } from "../fs/volume.ts";
import type { StandardInput } from "../machine/input.ts";
import type { LineStream } from "../machine/log.ts";
import type { Machine } from "../machine/machine.ts";
import {
  everyRight,
  fdflags,
  fileRights,
  folderRights,
  type Right,
  rights,
  streamRights,
  writeRights,
} from "./layout.ts";

interface Rights {
  base: bigint;
  inheriting: bigint;
}

export interface FileDescriptor extends Rights {
  readonly kind: "file";
  readonly handle: FileHandle;
  /** Where the next read or write is. */
  offset: number;
  flags: number;
}

export interface FolderDescriptor extends Rights {
  readonly kind: "folder";
  readonly handle: FolderHandle;
  /** Of a folder that was open at the start. */
  readonly guestPath?: string;
  /** The listing that cookies count in; taken anew when the guest starts again. */
  listing?: readonly FolderEntry[];
  flags: number;
}

export interface InputDescriptor extends Rights {
  readonly kind: "input";
  readonly input: StandardInput;
  flags: number;
}

export interface OutputDescriptor extends Rights {
  readonly kind: "output";
  readonly stream: LineStream;
  flags: number;
}

export type Descriptor = FileDescriptor | FolderDescriptor | InputDescriptor | OutputDescriptor;

export class Descriptors {
  readonly #machine: Machine;
  readonly #table = new Map<number, Descriptor>();
  readonly #streams: readonly LineStream[];

  constructor(machine: Machine) {
    this.#machine = machine;
    const { log } = machine.shared;
    const stdout = log.stream("stdout");
    const stderr = log.stream("stderr");
    this.#streams = [stdout, stderr];
    const readable = { base: streamRights | rights.fdRead, inheriting: 0n, flags: 0 };
    const writable = { base: streamRights | rights.fdWrite, inheriting: 0n, flags: fdflags.append };
    this.#table.set(0, { kind: "input", input: machine.input, ...readable });
    this.#table.set(1, { kind: "output", stream: stdout, ...writable });
    this.#table.set(2, { kind: "output", stream: stderr, ...writable });
    let number = 3;
    for (const handle of machine.openMounts()) {
      const { guestPath } = handle.mount;
      this.#table.set(number++, {
        kind: "folder",
        handle,
        guestPath,
        base: folderRights,
        inheriting: everyRight,
        flags: 0,
      });
    }
  }

  /** Without asking whether what it stands for was taken: for closing it, and for its name. @throws FsError `badf` */
  known(number: number): Descriptor {
    const descriptor = this.#table.get(number >>> 0);
    if (descriptor === undefined) throw new FsError("badf");
    return descriptor;
  }

  /** @throws FsError `badf`; `notcapable` when the descriptor has lost the right; `acces` when it was taken. */
  get(number: number, right?: Right): Descriptor {
    const descriptor = this.known(number);
    if (descriptor.kind === "file" || descriptor.kind === "folder") descriptor.handle.checkGiven();
    if (right !== undefined && (descriptor.base & rights[right]) === 0n) throw new FsError("notcapable");
    return descriptor;
  }

  file(number: number, right?: Right): FileDescriptor {
    const descriptor = this.get(number);
    if (descriptor.kind === "folder") throw new FsError("isdir");
    if (descriptor.kind !== "file") throw new FsError("spipe");
    if (right !== undefined) this.get(number, right);
    return descriptor;
  }

  folder(number: number, right?: Right): FolderDescriptor {
    const descriptor = this.get(number);
    if (descriptor.kind !== "folder") throw new FsError("notdir");
    if (right !== undefined) this.get(number, right);
    return descriptor;
  }

  /** Opens what a path led to. `wanted` is what the guest asked for, `from` where the path started. */
  open(handle: FileHandle | FolderHandle, options: { wanted: Rights; from: Rights; flags: number }): number {
    const { wanted, from, flags } = options;
    if (!this.#machine.hold(handle)) {
      handle.close();
      throw new FsError("mfile");
    }
    const number = this.#free();
    const inheriting = from.inheriting & wanted.inheriting;
    if (handle.kind === "folder") {
      const base = folderRights & from.inheriting;
      this.#table.set(number, { kind: "folder", handle, base, inheriting: from.inheriting, flags });
      return number;
    }
    const readable = handle.canRead ? rights.fdRead : 0n;
    const writable = handle.canWrite ? writeRights : 0n;
    const base = (fileRights | readable | writable) & from.inheriting;
    this.#table.set(number, { kind: "file", handle, offset: 0, base, inheriting, flags });
    return number;
  }

  close(number: number): void {
    const descriptor = this.known(number);
    this.#table.delete(number >>> 0);
    this.#close(descriptor);
  }

  /** Puts `from` in the place of `to`, which is closed; both must be open. */
  renumber(from: number, to: number): void {
    const moved = this.known(from);
    const replaced = this.known(to);
    if (moved === replaced) return;
    this.#table.set(to >>> 0, moved);
    this.#table.delete(from >>> 0);
    this.#close(replaced);
  }

  /** Keeps a new listing in the place of the old one. @throws FsError `nomem` when too much is kept already. */
  keepListing(descriptor: FolderDescriptor, listing: readonly FolderEntry[]): void {
    this.#forgetListing(descriptor);
    if (!this.#machine.holdEntries(listing.length)) throw new FsError("nomem");
    descriptor.listing = listing;
  }

  /** The instance is gone: no number means anything any more. Its handles are closed by the machine. */
  closeAll(): void {
    this.flush();
    this.#table.clear();
  }

  /** Gives out output that has no line end yet. */
  flush(): void {
    for (const stream of this.#streams) stream.flush();
  }

  #close(descriptor: Descriptor): void {
    if (descriptor.kind !== "file" && descriptor.kind !== "folder") return;
    if (descriptor.kind === "folder") this.#forgetListing(descriptor);
    this.#machine.release(descriptor.handle);
    descriptor.handle.close();
  }

  #forgetListing(descriptor: FolderDescriptor): void {
    this.#machine.releaseEntries(descriptor.listing?.length ?? 0);
    descriptor.listing = [];
  }

  /** The lowest free number; the table is bounded, so looking for it is, too. */
  #free(): number {
    let number = 3;
    while (this.#table.has(number)) number++;
    return number;
  }
}
