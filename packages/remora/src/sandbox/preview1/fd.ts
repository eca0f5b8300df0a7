/** The functions that take a descriptor: reading, writing, seeking, listing, and what is known about it. */

import { FsError } from "../fs/errno.ts";
import type { FolderHandle } from "../fs/files.ts";
import type { FolderEntry, NewTimes, Stat } from "../fs/volume.ts";
import { type Implementation, type Preview1, u64ToNumber } from "./call.ts";
import type { Descriptor, FileDescriptor } from "./descriptors.ts";
import { utf8 } from "./guest-bytes.ts";
import { fdflags, filetype, fstflags, rights, sizes, whence } from "./layout.ts";

/** Buffers of one read or write, as POSIX's IOV_MAX. */
const iovecsMax = 1_024;

export function fdFunctions(preview1: Preview1): Record<string, Implementation> {
  const { machine, bytes, descriptors } = preview1;
  const { transferBytesMax } = machine.shared.limits;
  return {
    fd_advise: (fd: number, offset: bigint, length: bigint, advice: number) => {
      const descriptor = descriptors.get(fd);
      if (descriptor.kind !== "file") throw new FsError(descriptor.kind === "folder" ? "badf" : "spipe");
      descriptors.get(fd, "fdAdvise");
      if (advice >>> 0 > 5) throw new FsError("inval");
      if (offset < 0n || length < 0n) throw new FsError("inval");
    },
    fd_allocate: (fd: number, offset: bigint, length: bigint) => {
      const descriptor = fileOf(fd);
      descriptors.get(fd, "fdAllocate");
      if (length === 0n) throw new FsError("inval");
      const end = u64ToNumber(BigInt.asUintN(64, offset) + BigInt.asUintN(64, length));
      if (BigInt(end) > descriptor.handle.file.stat().sizeBytes) descriptor.handle.setSize(end);
    },
    fd_close: (fd: number) => descriptors.close(fd),
    fd_datasync: (fd: number) => sync(fd, "fdDatasync"),
    fd_sync: (fd: number) => sync(fd, "fdSync"),
    fd_fdstat_get: (fd: number, result: number) => {
      const descriptor = descriptors.get(fd);
      bytes.slice(result, sizes.fdstat).fill(0);
      bytes.setU8(result, filetypeOf(descriptor));
      bytes.setU16(result + 2, descriptor.flags);
      bytes.setU64(result + 8, descriptor.base);
      bytes.setU64(result + 16, descriptor.inheriting);
    },
    fd_fdstat_set_flags: (fd: number, flags: number) => {
      const descriptor = descriptors.get(fd, "fdFdstatSetFlags");
      if ((flags & ~0x1f) !== 0) throw new FsError("inval");
      // "append" and the three kinds of sync take effect at each write; nothing here blocks, so "nonblock" holds.
      descriptor.flags = flags;
    },
    fd_fdstat_set_rights: (fd: number, base: bigint, inheriting: bigint) => {
      const descriptor = descriptors.get(fd);
      const wanted = { base: BigInt.asUintN(64, base), inheriting: BigInt.asUintN(64, inheriting) };
      const isMore = (wanted.base & ~descriptor.base) !== 0n;
      if (isMore || (wanted.inheriting & ~descriptor.inheriting) !== 0n) throw new FsError("notcapable");
      descriptor.base = wanted.base;
      descriptor.inheriting = wanted.inheriting;
    },
    fd_filestat_get: (fd: number, result: number) => {
      const descriptor = descriptors.get(fd, "fdFilestatGet");
      writeFilestat(preview1, result, statOf(descriptor), filetypeOf(descriptor));
    },
    fd_filestat_set_size: (fd: number, size: bigint) => {
      const descriptor = fileOf(fd);
      descriptors.get(fd, "fdFilestatSetSize");
      descriptor.handle.setSize(u64ToNumber(size));
    },
    fd_filestat_set_times: (fd: number, accessed: bigint, modified: bigint, flags: number) => {
      const descriptor = descriptors.get(fd, "fdFilestatSetTimes");
      const times = timesOf(preview1, { accessed, modified, flags });
      if (descriptor.kind === "file" || descriptor.kind === "folder") descriptor.handle.setTimes(times);
      else throw new FsError("badf");
    },
    fd_pread: (fd: number, iovecs: number, count: number, offset: bigint, result: number) => {
      const descriptor = seekable(fd);
      descriptors.get(fd, "fdRead");
      bytes.setU32(result, readInto(iovecs, count, u64ToNumber(offset), descriptor));
    },
    fd_pwrite: (fd: number, iovecs: number, count: number, offset: bigint, result: number) => {
      const descriptor = seekable(fd);
      descriptors.get(fd, "fdWrite");
      const at = (descriptor.flags & fdflags.append) === 0 ? u64ToNumber(offset) : endOf(descriptor);
      bytes.setU32(result, writeFrom(iovecs, count, at, descriptor));
    },
    fd_prestat_get: (fd: number, result: number) => {
      const { guestPath } = preopen(fd);
      bytes.slice(result, sizes.prestat).fill(0);
      bytes.setU32(result + 4, utf8(guestPath).length);
    },
    fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
      const name = utf8(preopen(fd).guestPath);
      if (length >>> 0 < name.length) throw new FsError("nametoolong");
      bytes.set(pointer, name);
    },
    fd_read: (fd: number, iovecs: number, count: number, result: number) => {
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "input") {
        bytes.setU32(result, readInput(iovecs, count, descriptor));
        return;
      }
      const file = readable(descriptor);
      descriptors.get(fd, "fdRead");
      const read = readInto(iovecs, count, file.offset, file);
      bytes.setU32(result, read);
      file.offset += read;
    },
    fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, result: number) => {
      bytes.setU32(result, readFolder(fd, bytes.slice(buffer, length), BigInt.asUintN(64, cookie)));
    },
    fd_renumber: (from: number, to: number) => descriptors.renumber(from, to),
    fd_seek: (fd: number, offset: bigint, from: number, result: number) => {
      const descriptor = seekable(fd);
      const isTelling = from === whence.cur && offset === 0n;
      if (!isTelling || (descriptor.base & rights.fdTell) === 0n) descriptors.get(fd, "fdSeek");
      descriptor.offset = soughtOf(descriptor, offset, from);
      bytes.setU64(result, BigInt(descriptor.offset));
    },
    fd_tell: (fd: number, result: number) => {
      const descriptor = seekable(fd);
      descriptors.get(fd, "fdTell");
      bytes.setU64(result, BigInt(descriptor.offset));
    },
    fd_write: (fd: number, iovecs: number, count: number, result: number) => {
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "output") {
        bytes.setU32(
          result,
          transfer(iovecs, count, (part) => {
            descriptor.stream.write(part);
            return part.length;
          }),
        );
        return;
      }
      const file = readable(descriptor);
      descriptors.get(fd, "fdWrite");
      if ((file.flags & fdflags.append) !== 0) file.offset = endOf(file);
      const written = writeFrom(iovecs, count, file.offset, file);
      bytes.setU32(result, written);
      file.offset += written;
    },
  };

  function fileOf(fd: number): FileDescriptor {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind !== "file") throw new FsError("badf");
    return descriptor;
  }

  function seekable(fd: number): FileDescriptor {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind === "file") return descriptor;
    throw new FsError(descriptor.kind === "folder" ? "badf" : "spipe");
  }

  function readable(descriptor: Descriptor): FileDescriptor {
    if (descriptor.kind === "file") return descriptor;
    throw new FsError(descriptor.kind === "folder" ? "isdir" : "badf");
  }

  function preopen(fd: number): { guestPath: string } {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind !== "folder" || descriptor.guestPath === undefined) throw new FsError("badf");
    return { guestPath: descriptor.guestPath };
  }

  function sync(fd: number, right: "fdSync" | "fdDatasync"): void {
    const descriptor = descriptors.get(fd, right);
    if (descriptor.kind === "file") descriptor.handle.file.sync();
    else if (descriptor.kind === "folder") descriptor.handle.folder.sync();
    else throw new FsError("inval");
  }

  /** Calls with each buffer in turn until one is not filled; the sum of a transfer is bounded. */
  function transfer(iovecs: number, count: number, each: (part: Uint8Array, done: number) => number): number {
    if (count >>> 0 > iovecsMax) throw new FsError("inval");
    // All must lie in memory before anything is done.
    const parts = Array.from({ length: count >>> 0 }, (_, index) => {
      const at = (iovecs >>> 0) + index * sizes.iovec;
      return bytes.slice(bytes.u32(at), bytes.u32(at + 4));
    });
    let done = 0;
    for (const part of parts) {
      if (part.length === 0) continue;
      const part1 = part.subarray(0, transferBytesMax - done);
      const moved = each(part1, done);
      done += moved;
      if (moved < part.length) break;
    }
    return done;
  }

  function readInto(iovecs: number, count: number, at: number, descriptor: FileDescriptor): number {
    return transfer(iovecs, count, (part, done) => descriptor.handle.read(part, at + done));
  }

  function writeFrom(iovecs: number, count: number, at: number, descriptor: FileDescriptor): number {
    if (!descriptor.handle.canWrite) throw new FsError("badf");
    const written = transfer(iovecs, count, (part, done) => {
      try {
        return descriptor.handle.write(part, at + done);
      } catch (error) {
        // What was written before is told first; the error comes with the next call.
        if (done > 0 && error instanceof FsError) return 0;
        throw error;
      }
    });
    if ((descriptor.flags & (fdflags.dsync | fdflags.rsync | fdflags.sync)) !== 0)
      descriptor.handle.file.sync();
    return written;
  }

  function readInput(iovecs: number, count: number, input: { bytes: Uint8Array; offset: number }): number {
    const read = transfer(iovecs, count, (part, done) => {
      const from = input.bytes.subarray(input.offset + done, input.offset + done + part.length);
      part.set(from);
      return from.length;
    });
    input.offset += read;
    return read;
  }

  function endOf(descriptor: FileDescriptor): number {
    return Number(descriptor.handle.file.stat().sizeBytes);
  }

  function soughtOf(descriptor: FileDescriptor, offset: bigint, from: number): number {
    const bases = { [whence.set]: 0, [whence.cur]: descriptor.offset, [whence.end]: -1 };
    const base = bases[from as keyof typeof bases]; // undefined for any other number
    if (base === undefined) throw new FsError("inval");
    const sought = BigInt(base === -1 ? endOf(descriptor) : base) + offset;
    if (sought < 0n || sought > BigInt(Number.MAX_SAFE_INTEGER)) throw new FsError("inval");
    return Number(sought);
  }

  function statOf(descriptor: Descriptor): Stat | undefined {
    if (descriptor.kind === "file") return descriptor.handle.file.stat();
    return descriptor.kind === "folder" ? descriptor.handle.stat() : undefined;
  }

  /** Fills the buffer with whole entries and the beginning of one more: a full buffer says that there are more. */
  function readFolder(fd: number, into: Uint8Array, cookie: bigint): number {
    const descriptor = descriptors.folder(fd, "fdReaddir");
    if (cookie === 0n || descriptor.listing === undefined) {
      descriptors.keepListing(descriptor, listingOf(descriptor.handle));
    }
    const listing = descriptor.listing ?? [];
    let used = 0;
    // A cookie is what an entry gave as "next": its place in the listing.
    for (let index = cookie; index < BigInt(listing.length) && used < into.length; index++) {
      const entry = listing[Number(index)];
      if (entry === undefined) break;
      const name = utf8(entry.name);
      const record = new Uint8Array(sizes.dirent + name.length);
      const view = new DataView(record.buffer);
      view.setBigUint64(0, index + 1n, true);
      view.setBigUint64(8, entry.inode, true);
      view.setUint32(16, name.length, true);
      view.setUint8(20, filetype[entry.type]);
      record.set(name, sizes.dirent);
      const part = record.subarray(0, into.length - used);
      into.set(part, used);
      used += part.length;
    }
    return used;
  }
}

function listingOf(handle: FolderHandle): FolderEntry[] {
  const { inode } = handle.stat();
  // What is above a folder is not the guest's to know: ".." has the folder's own number.
  const dots = [".", ".."].map((name) => ({ name, type: "folder", inode }) as const);
  return [...dots, ...handle.entries()];
}

export function filetypeOf(descriptor: Descriptor): number {
  if (descriptor.kind === "file") return filetype.file;
  return descriptor.kind === "folder" ? filetype.folder : filetype["character-device"];
}

export function writeFilestat(
  { bytes }: Preview1,
  result: number,
  stat: Stat | undefined,
  type: number,
): void {
  bytes.slice(result, sizes.filestat).fill(0);
  bytes.setU8(result + 16, type);
  if (stat === undefined) return;
  bytes.setU64(result, stat.device);
  bytes.setU64(result + 8, stat.inode);
  bytes.setU64(result + 24, stat.links);
  bytes.setU64(result + 32, stat.sizeBytes);
  bytes.setU64(result + 40, stat.accessedNs);
  bytes.setU64(result + 48, stat.modifiedNs);
  bytes.setU64(result + 56, stat.changedNs);
}

/** The times that the flags choose. Both a time and "now" for one field is no choice: `inval`. */
export function timesOf(
  { machine }: Preview1,
  options: { accessed: bigint; modified: bigint; flags: number },
): NewTimes {
  const { flags } = options;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if ((flags & ~0xf) !== 0) throw new FsError("inval");
  if (has(fstflags.atim) && has(fstflags.atimNow)) throw new FsError("inval");
  if (has(fstflags.mtim) && has(fstflags.mtimNow)) throw new FsError("inval");
  const now = machine.clock.wallNs();
  return {
    ...(has(fstflags.atim) && { accessedNs: BigInt.asUintN(64, options.accessed) }),
    ...(has(fstflags.atimNow) && { accessedNs: now }),
    ...(has(fstflags.mtim) && { modifiedNs: BigInt.asUintN(64, options.modified) }),
    ...(has(fstflags.mtimNow) && { modifiedNs: now }),
  };
}
