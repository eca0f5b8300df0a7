/** The functions that take a descriptor: what is known about it, and what can be changed without moving bytes. */

import { FsError } from "../fs/errno.ts";
import type { NewTimes, Stat } from "../fs/volume.ts";
import { type Implementation, type Preview1, u64ToNumber } from "./call.ts";
import type { Descriptor, FileDescriptor } from "./descriptors.ts";
import { utf8 } from "./guest-bytes.ts";
import { filetype, fstflags, sizes } from "./layout.ts";

export function fdFunctions(preview1: Preview1): Record<string, Implementation> {
  const { bytes, descriptors } = preview1;
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
      if (BigInt(end) > descriptor.handle.stat().sizeBytes) descriptor.handle.setSize(end);
    },
    fd_close: (fd: number) => descriptors.close(fd),
    fd_datasync: (fd: number) => sync(fd, "fdDatasync"),
    fd_sync: (fd: number) => sync(fd, "fdSync"),
    fd_fdstat_get: (fd: number, result: number) => {
      const descriptor = descriptors.get(fd);
      bytes.room(result, sizes.fdstat).fill(0);
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
    fd_prestat_get: (fd: number, result: number) => {
      const { guestPath } = preopen(fd);
      bytes.room(result, sizes.prestat).fill(0);
      bytes.setU32(result + 4, utf8(guestPath).length);
    },
    fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
      const name = utf8(preopen(fd).guestPath);
      if (length >>> 0 < name.length) throw new FsError("nametoolong");
      bytes.set(pointer, name);
    },
    fd_renumber: (from: number, to: number) => descriptors.renumber(from, to),
  };

  function fileOf(fd: number): FileDescriptor {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind !== "file") throw new FsError("badf");
    return descriptor;
  }

  function preopen(fd: number): { guestPath: string } {
    // Libraries end a program to which a folder's name is refused; it was told at the start.
    const descriptor = descriptors.known(fd);
    if (descriptor.kind !== "folder" || descriptor.guestPath === undefined) throw new FsError("badf");
    return { guestPath: descriptor.guestPath };
  }

  function sync(fd: number, right: "fdSync" | "fdDatasync"): void {
    const descriptor = descriptors.get(fd, right);
    if (descriptor.kind !== "file" && descriptor.kind !== "folder") throw new FsError("inval");
    descriptor.handle.sync();
  }

  function statOf(descriptor: Descriptor): Stat | undefined {
    const isStream = descriptor.kind !== "file" && descriptor.kind !== "folder";
    return isStream ? undefined : descriptor.handle.stat();
  }
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
  bytes.room(result, sizes.filestat).fill(0);
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
