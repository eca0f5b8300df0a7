/** The functions that take a path, which starts in an open folder and never leaves it. */

import { FsError } from "../fs/errno.ts";
import type { Implementation, Preview1 } from "./call.ts";
import { timesOf, writeFilestat } from "./fd.ts";
import { utf8 } from "./guest-bytes.ts";
import { fdflags, filetype, lookupflags, oflags, rights, writeRights } from "./layout.ts";

export function pathFunctions(preview1: Preview1): Record<string, Implementation> {
  const { bytes, descriptors, machine } = preview1;
  const { pathBytesMax } = machine.shared.limits;
  const textOf = (pointer: number, length: number): string => bytes.text(pointer, length, pathBytesMax);
  return {
    path_create_directory: (fd: number, path: number, length: number) =>
      descriptors.folder(fd, "pathCreateDirectory").handle.makeFolderAt(textOf(path, length)),
    path_filestat_get: (fd: number, lookup: number, path: number, length: number, result: number) => {
      const { handle } = descriptors.folder(fd, "pathFilestatGet");
      const stat = handle.statAt(textOf(path, length), follows(lookup));
      writeFilestat(preview1, result, stat, filetype[stat.type]);
    },
    path_filestat_set_times: (
      fd: number,
      lookup: number,
      path: number,
      length: number,
      accessed: bigint,
      modified: bigint,
      flags: number,
    ) => {
      const { handle } = descriptors.folder(fd, "pathFilestatSetTimes");
      const times = timesOf(preview1, { accessed, modified, flags });
      handle.setTimesAt(textOf(path, length), follows(lookup), times);
    },
    path_link: (
      fd: number,
      lookup: number,
      path: number,
      length: number,
      newFd: number,
      newPath: number,
      newLength: number,
    ) => {
      const { handle } = descriptors.folder(fd, "pathLinkSource");
      const target = descriptors.folder(newFd, "pathLinkTarget").handle;
      handle.linkAt(textOf(path, length), follows(lookup), target, textOf(newPath, newLength));
    },
    path_open: (
      fd: number,
      lookup: number,
      path: number,
      length: number,
      how: number,
      base: bigint,
      inheriting: bigint,
      flags: number,
      result: number,
    ) => {
      const from = descriptors.folder(fd, "pathOpen");
      const wanted = { base: BigInt.asUintN(64, base), inheriting: BigInt.asUintN(64, inheriting) };
      if ((how & ~0xf) !== 0 || (flags & ~0x1f) !== 0) throw new FsError("inval");
      const has = (flag: number): boolean => (how & flag) !== 0;
      if (has(oflags.creat)) descriptors.folder(fd, "pathCreateFile");
      if (has(oflags.trunc)) descriptors.folder(fd, "pathFilestatSetSize");
      bytes.slice(result, 4); // before anything is made: the result must have its place
      const handle = from.handle.openAt({
        path: textOf(path, length),
        follow: follows(lookup),
        read: (wanted.base & rights.fdRead & from.inheriting) !== 0n,
        write: (wanted.base & writeRights & from.inheriting) !== 0n,
        create: has(oflags.creat),
        exclusive: has(oflags.excl),
        truncate: has(oflags.trunc),
        folder: has(oflags.directory),
        append: (flags & fdflags.append) !== 0,
      });
      bytes.setU32(result, descriptors.open(handle, { wanted, from, flags }));
    },
    path_readlink: (
      fd: number,
      path: number,
      length: number,
      buffer: number,
      bufferLength: number,
      result: number,
    ) => {
      const { handle } = descriptors.folder(fd, "pathReadlink");
      const text = utf8(handle.linkTextAt(textOf(path, length)));
      const into = bytes.room(buffer, bufferLength);
      const part = text.subarray(0, into.length);
      into.set(part);
      bytes.setU32(result, part.length);
    },
    path_remove_directory: (fd: number, path: number, length: number) =>
      descriptors.folder(fd, "pathRemoveDirectory").handle.removeFolderAt(textOf(path, length)),
    path_rename: (
      fd: number,
      path: number,
      length: number,
      newFd: number,
      newPath: number,
      newLength: number,
    ) => {
      const { handle } = descriptors.folder(fd, "pathRenameSource");
      const target = descriptors.folder(newFd, "pathRenameTarget").handle;
      handle.renameAt(textOf(path, length), target, textOf(newPath, newLength));
    },
    path_symlink: (text: number, textLength: number, fd: number, path: number, length: number) =>
      descriptors.folder(fd, "pathSymlink").handle.makeLinkAt(textOf(text, textLength), textOf(path, length)),
    path_unlink_file: (fd: number, path: number, length: number) =>
      descriptors.folder(fd, "pathUnlinkFile").handle.removeFileAt(textOf(path, length)),
  };
}

function follows(lookup: number): boolean {
  if ((lookup & ~lookupflags.symlinkFollow) !== 0) throw new FsError("inval");
  return lookup === lookupflags.symlinkFollow;
}
