/** `fd_readdir`: a listing in pieces, with cookies. */

import type { FolderHandle } from "../fs/folder-handle.ts";
import type { FolderEntry } from "../fs/volume.ts";
import type { Implementation, Preview1 } from "./call.ts";
import { utf8 } from "./guest-bytes.ts";
import { filetype, sizes } from "./layout.ts";

/** Files that one call looks at for their numbers: beyond them it is 0, for which wasi-libc looks itself. */
const looksMax = 1_024;

export function listingFunctions({ bytes, descriptors }: Preview1): Record<string, Implementation> {
  return {
    fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, result: number) => {
      bytes.setU32(result, readFolder(fd, bytes.room(buffer, length), BigInt.asUintN(64, cookie)));
    },
  };

  /** Fills the buffer with whole entries and the beginning of one more: a full buffer says that there are more. */
  function readFolder(fd: number, into: Uint8Array, cookie: bigint): number {
    const descriptor = descriptors.folder(fd, "fdReaddir");
    if (cookie === 0n || descriptor.listing === undefined) {
      descriptors.keepListing(descriptor, listingOf(descriptor.handle));
    }
    descriptor.handle.checkListed();
    const listing = descriptor.listing ?? [];
    let used = 0;
    let looks = 0;
    // A cookie is what an entry gave as "next": its place in the listing.
    for (let index = cookie; index < BigInt(listing.length) && used < into.length; index++) {
      const entry = listing[Number(index)];
      if (entry === undefined) break;
      const name = utf8(entry.name);
      const record = new Uint8Array(sizes.dirent + name.length);
      const view = new DataView(record.buffer);
      view.setBigUint64(0, index + 1n, true);
      const inode = entry.inode ?? (looks++ < looksMax ? descriptor.handle.inodeOf(entry.name) : 0n);
      view.setBigUint64(8, inode, true);
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
