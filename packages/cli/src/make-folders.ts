/**
 * Makes a folder and those that it lies in. Node's own recursive mkdir tries for ever where a folder is there and takes
 * none, as /proc does.
 */

import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Rejects with the error of the file system. */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (error) {
    const above = dirname(path);
    if (above === path || !(error instanceof Error && "code" in error && error.code === "ENOENT"))
      throw error;
    await makeFolders(above, mode);
    await makeOne(path, mode);
  }
}

async function makeOne(path: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    // Each file system says in its own way that it is there.
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory() !== true) throw error;
  }
}
