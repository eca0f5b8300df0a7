/**
 * Reads a file that somebody named, whole. A device and a pipe may have no end, or nobody who writes: they are none. Nor is
 * a file believed about its length, which is 0 for many that the system makes up.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { managerErrors } from "../errors.ts";

/**
 * @throws manager/too-large manager/not-a-plugin
 * @throws as the file system says, without a code of ours
 */
export async function readBounded(path: string, bytesMax: number): Promise<Uint8Array> {
  // A pipe that nobody writes to would be opened when somebody does. Windows has no such flag, and no such pipes.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    // A folder is refused by the file system itself, when it is read.
    if (!found.isFile() && !found.isDirectory()) throw notRegular(path);
    if (found.size > bytesMax) throw managerErrors["too-large"]({ bytesMax });
    return await readUpTo(file, found.size, bytesMax);
  } finally {
    await file.close();
  }
}

export function notRegular(path: string): Error {
  return managerErrors["not-a-plugin"]({ path, found: "a device or a pipe" });
}

async function readUpTo(file: FileHandle, sizeBytes: number, bytesMax: number): Promise<Uint8Array> {
  // One byte more than there should be, so that the end shows.
  let bytes = new Uint8Array(sizeBytes + 1);
  for (let length = 0; ; ) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
    if (length > bytesMax) throw managerErrors["too-large"]({ bytesMax });
    if (length < bytes.length) continue;
    const larger = new Uint8Array(Math.min(Math.max(2 * length, 65_536), bytesMax + 1));
    larger.set(bytes);
    bytes = larger;
  }
}
