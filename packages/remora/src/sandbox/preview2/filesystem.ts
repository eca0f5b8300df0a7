/**
 * `wasi:filesystem`: descriptors over the same files as preview 1. https://github.com/WebAssembly/WASI 0.2,
 * proposals/filesystem.
 */

import { createHash } from "node:crypto";
import { FsError } from "../fs/errno.ts";
import type { FileHandle } from "../fs/file-handle.ts";
import type { FolderHandle } from "../fs/folder-handle.ts";
import type { NewTimes, Stat } from "../fs/volume.ts";
import type { Machine } from "../machine/machine.ts";
import { type Datetime, datetimeOf, nsOf } from "./clocks.ts";
import { DirectoryEntryStream } from "./directory-entry-stream.ts";
import { coded, inCodes, types } from "./file-terms.ts";
import { always } from "./poll.ts";
import { InputStream, IoError, OutputStream, readySink } from "./streams.ts";

type NewTimestamp =
  | { readonly tag: "no-change" }
  | { readonly tag: "now" }
  | { readonly tag: "timestamp"; readonly val: Datetime };

interface PathFlags {
  readonly symlinkFollow: boolean;
}

interface OpenFlags {
  readonly create: boolean;
  readonly directory: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
}

/** Each of them makes every write wait for the disk; requested for reads, it means the same. */
interface SyncFlags {
  readonly fileIntegritySync: boolean;
  readonly dataIntegritySync: boolean;
  readonly requestedWriteSync: boolean;
}

const noSync: SyncFlags = { fileIntegritySync: false, dataIntegritySync: false, requestedWriteSync: false };

interface DescriptorFlags extends SyncFlags {
  readonly read: boolean;
  readonly write: boolean;
  readonly mutateDirectory: boolean;
}

interface DescriptorStat {
  readonly type: string;
  readonly linkCount: bigint;
  readonly size: bigint;
  readonly dataAccessTimestamp: Datetime;
  readonly dataModificationTimestamp: Datetime;
  readonly statusChangeTimestamp: Datetime;
}

const advices: ReadonlySet<string> = new Set([
  "normal",
  "sequential",
  "random",
  "will-need",
  "dont-need",
  "no-reuse",
]);

/** The resource `descriptor`: an open file or folder. */
export class Descriptor {
  readonly #machine: Machine;
  readonly #handle: FileHandle | FolderHandle;
  readonly #sync: SyncFlags;

  constructor(machine: Machine, handle: FileHandle | FolderHandle, sync: SyncFlags = noSync) {
    this.#machine = machine;
    this.#handle = handle;
    this.#sync = sync;
  }

  readViaStream(offset: bigint): InputStream {
    const file = this.#file();
    let at = offsetOf(offset);
    if (!file.canRead) throw coded(new FsError("badf"));
    return new InputStream(this.#machine, {
      read(bytesMax) {
        const into = new Uint8Array(Math.min(bytesMax, Math.max(0, Number(file.stat().sizeBytes) - at)));
        const count = into.length === 0 ? 0 : file.read(into, at);
        at += count;
        return count === 0 ? "end" : into.subarray(0, count);
      },
      awaited: always,
      close: () => {},
    });
  }

  writeViaStream(offset: bigint): OutputStream {
    let at = offsetOf(offset);
    return this.#writer((file, bytes) => {
      at += this.#write(file, bytes, at);
    });
  }

  appendViaStream(): OutputStream {
    return this.#writer((file, bytes) => void this.#write(file, bytes, Number(file.stat().sizeBytes)));
  }

  advise(_offset: bigint, _length: bigint, advice: string): void {
    this.#file();
    if (!advices.has(advice)) throw coded(new FsError("inval"));
  }

  syncData(): void {
    this.sync();
  }

  sync(): void {
    inCodes(() => this.#handle.sync());
  }

  getFlags(): DescriptorFlags {
    const handle = this.#given();
    return {
      read: handle.kind === "folder" || handle.canRead,
      write: handle.kind === "file" && handle.canWrite,
      ...this.#sync,
      mutateDirectory: handle.kind === "folder" && handle.canChange,
    };
  }

  getType(): string {
    return this.#given().kind === "file" ? types.file : types.folder;
  }

  setSize(size: bigint): void {
    inCodes(() => this.#file().setSize(offsetOf(size)));
  }

  setTimes(accessed: NewTimestamp, modified: NewTimestamp): void {
    inCodes(() => this.#handle.setTimes(this.#times(accessed, modified)));
  }

  read(length: bigint, offset: bigint): [Uint8Array, boolean] {
    return inCodes(() => {
      const file = this.#file();
      const at = offsetOf(offset);
      const { transferBytesMax } = this.#machine.shared.limits;
      const left = Math.max(0, Number(file.stat().sizeBytes) - at);
      const wanted = length < BigInt(transferBytesMax) ? Number(length) : transferBytesMax;
      const into = new Uint8Array(Math.min(wanted, left));
      const count = file.read(into, at);
      return [into.subarray(0, count), at + count >= Number(file.stat().sizeBytes)];
    });
  }

  write(buffer: Uint8Array, offset: bigint): bigint {
    const { transferBytesMax } = this.#machine.shared.limits;
    const part = buffer.subarray(0, transferBytesMax);
    return inCodes(() => BigInt(this.#write(this.#file(), part, offsetOf(offset))));
  }

  readDirectory(): DirectoryEntryStream {
    return inCodes(() => new DirectoryEntryStream(this.#machine, this.#folder()));
  }

  createDirectoryAt(path: string): void {
    inCodes(() => this.#folder().makeFolderAt(path));
  }

  stat(): DescriptorStat {
    return inCodes(() => statRecord(this.#handle.stat()));
  }

  statAt(flags: PathFlags, path: string): DescriptorStat {
    return inCodes(() => statRecord(this.#folder().statAt(path, flags.symlinkFollow)));
  }

  setTimesAt(flags: PathFlags, path: string, accessed: NewTimestamp, modified: NewTimestamp): void {
    inCodes(() => this.#folder().setTimesAt(path, flags.symlinkFollow, this.#times(accessed, modified)));
  }

  linkAt(flags: PathFlags, path: string, target: Descriptor, targetPath: string): void {
    inCodes(() => this.#folder().linkAt(path, flags.symlinkFollow, target.#folder(), targetPath));
  }

  openAt(pathFlags: PathFlags, path: string, open: OpenFlags, flags: DescriptorFlags): Descriptor {
    return inCodes(() => {
      const folder = this.#folder();
      // A folder that may not be changed gives no handle that may change it.
      if (flags.mutateDirectory && !folder.canChange) throw new FsError("rofs");
      const handle = folder.openAt({
        path,
        follow: pathFlags.symlinkFollow,
        read: flags.read || !flags.write,
        write: flags.write,
        create: open.create,
        exclusive: open.exclusive,
        truncate: open.truncate,
        folder: open.directory,
        append: false,
      });
      if (!this.#machine.hold(handle)) {
        handle.close();
        throw new FsError("mfile");
      }
      const { fileIntegritySync, dataIntegritySync, requestedWriteSync } = flags;
      return new Descriptor(this.#machine, handle, {
        fileIntegritySync,
        dataIntegritySync,
        requestedWriteSync,
      });
    });
  }

  readlinkAt(path: string): string {
    return inCodes(() => this.#folder().linkTextAt(path));
  }

  removeDirectoryAt(path: string): void {
    inCodes(() => this.#folder().removeFolderAt(path));
  }

  renameAt(path: string, target: Descriptor, targetPath: string): void {
    inCodes(() => this.#folder().renameAt(path, target.#folder(), targetPath));
  }

  symlinkAt(text: string, path: string): void {
    inCodes(() => this.#folder().makeLinkAt(text, path));
  }

  unlinkFileAt(path: string): void {
    inCodes(() => this.#folder().removeFileAt(path));
  }

  isSameObject(other: Descriptor): boolean {
    if (this.#handle.kind !== other.#handle.kind) return false;
    try {
      const [one, two] = [this.#handle.stat(), other.#handle.stat()];
      return one.device === two.device && one.inode === two.inode;
    } catch (error) {
      // The interface has no error here; what was taken is like nothing.
      if (error instanceof FsError) return false;
      throw error;
    }
  }

  metadataHash(): { lower: bigint; upper: bigint } {
    return inCodes(() => hashOf(this.#handle.stat()));
  }

  metadataHashAt(flags: PathFlags, path: string): { lower: bigint; upper: bigint } {
    return inCodes(() => hashOf(this.#folder().statAt(path, flags.symlinkFollow)));
  }

  [Symbol.dispose](): void {
    this.#machine.release(this.#handle);
    this.#handle.close();
  }

  /** What was taken since it was opened answers nothing any more. */
  #given(): FileHandle | FolderHandle {
    inCodes(() => this.#handle.checkGiven());
    return this.#handle;
  }

  #file(): FileHandle {
    const handle = this.#given();
    if (handle.kind === "file") return handle;
    throw coded(new FsError("badf"));
  }

  #write(file: FileHandle, bytes: Uint8Array, at: number): number {
    const written = file.write(bytes, at);
    const { fileIntegritySync, dataIntegritySync, requestedWriteSync } = this.#sync;
    if (fileIntegritySync || dataIntegritySync || requestedWriteSync) file.sync();
    return written;
  }

  #folder(): FolderHandle {
    const handle = this.#given();
    if (handle.kind === "folder") return handle;
    throw coded(new FsError("notdir"));
  }

  #writer(write: (file: FileHandle, bytes: Uint8Array) => void): OutputStream {
    const file = this.#file();
    if (!file.canWrite) throw coded(new FsError("badf"));
    const sink = readySink(
      (bytes) => write(file, bytes),
      () => {},
    );
    const room = () => {
      file.checkGiven();
      return sink.room();
    };
    return new OutputStream(this.#machine, { ...sink, room });
  }

  #times(accessed: NewTimestamp, modified: NewTimestamp): NewTimes {
    const nsOfNew = (time: NewTimestamp): bigint | undefined => {
      if (time.tag === "no-change") return undefined;
      return time.tag === "now" ? this.#machine.clock.wallNs() : nsOf(time.val);
    };
    const accessedNs = nsOfNew(accessed);
    const modifiedNs = nsOfNew(modified);
    return {
      ...(accessedNs !== undefined && { accessedNs }),
      ...(modifiedNs !== undefined && { modifiedNs }),
    };
  }
}

export function filesystemTypes() {
  return {
    Descriptor,
    DirectoryEntryStream,
    filesystemErrorCode: (error: IoError): string | undefined =>
      error instanceof IoError && error.cause instanceof FsError ? error.cause.code : undefined,
  };
}

export function preopens(machine: Machine) {
  return {
    getDirectories: (): [Descriptor, string][] =>
      machine.openMounts().map((handle) => [new Descriptor(machine, handle), handle.mount.guestPath]),
  };
}

function statRecord(stat: Stat): DescriptorStat {
  return {
    type: types[stat.type],
    linkCount: stat.links,
    size: stat.sizeBytes,
    dataAccessTimestamp: datetimeOf(stat.accessedNs),
    dataModificationTimestamp: datetimeOf(stat.modifiedNs),
    statusChangeTimestamp: datetimeOf(stat.changedNs),
  };
}

/** Changes when the file does; says nothing of the host's numbers. */
function hashOf(stat: Stat): { lower: bigint; upper: bigint } {
  const facts = `${stat.device} ${stat.inode} ${stat.type} ${stat.sizeBytes} ${stat.modifiedNs}`;
  const hash = createHash("sha256").update(facts).digest();
  return { lower: hash.readBigUInt64LE(0), upper: hash.readBigUInt64LE(8) };
}

function offsetOf(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw coded(new FsError("inval"));
  return Number(value);
}
