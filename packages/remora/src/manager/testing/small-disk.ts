/** A disk with so much room: writing takes it, removing a file gives it back. */

import { stat } from "node:fs/promises";
import { type FileSystem, nodeFileSystem } from "../store/file-system.ts";

export interface SmallDisk extends FileSystem {
  roomBytes: number;
  /** Told of what is removed. */
  removed: (path: string) => void;
}

export function smallDisk(): SmallDisk {
  const sizeOf = async (path: string) => {
    const found = await stat(path).catch(() => undefined);
    return found?.isFile() === true ? found.size : 0;
  };
  const disk: SmallDisk = {
    ...nodeFileSystem,
    roomBytes: Number.POSITIVE_INFINITY,
    removed: () => {},
    async writeNew(path, bytes) {
      if (bytes.length > disk.roomBytes) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      await nodeFileSystem.writeNew(path, bytes);
      disk.roomBytes -= bytes.length;
    },
    async rename(from, to) {
      const replaced = await sizeOf(to);
      await nodeFileSystem.rename(from, to);
      disk.roomBytes += replaced;
    },
    async remove(path) {
      const size = await sizeOf(path);
      await nodeFileSystem.remove(path);
      disk.roomBytes += size;
      disk.removed(path);
    },
  };
  return disk;
}
