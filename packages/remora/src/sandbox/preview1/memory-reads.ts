/**
 * What each function of preview 1 reads of the guest's memory, by numbers of its parameters as in
 * `wasi_snapshot_preview1.witx`: for guests behind a wall, whose memory is not here. A function that is left out reads
 * nothing.
 */

import type { MemoryRead } from "../../engine/index.ts";
import { sizes } from "./layout.ts";

/** A path or another text. */
const text = (pointer: number): MemoryRead => ({ pointer, count: pointer + 1 });
/** Where bytes shall go: the list of places, and not what is there. */
const places: readonly MemoryRead[] = [{ pointer: 1, count: 2, each: sizes.iovec }];
/** Bytes that are written: the list of places, and what is there. */
const contents: readonly MemoryRead[] = [{ pointer: 1, count: 2, isScattered: true }];

export const memoryReads: Readonly<Record<string, readonly MemoryRead[]>> = {
  fd_read: places,
  fd_pread: places,
  fd_write: contents,
  fd_pwrite: contents,
  path_create_directory: [text(1)],
  path_filestat_get: [text(2)],
  path_filestat_set_times: [text(2)],
  path_link: [text(2), text(5)],
  path_open: [text(2)],
  path_readlink: [text(1)],
  path_remove_directory: [text(1)],
  path_rename: [text(1), text(4)],
  path_symlink: [text(0), text(3)],
  path_unlink_file: [text(1)],
  poll_oneoff: [{ pointer: 0, count: 2, each: sizes.subscription }],
};
