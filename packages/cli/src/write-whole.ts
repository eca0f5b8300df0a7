/** Writes a file as a whole: all of it, or what was there stays. A link is followed, since the file that is meant is its target. */

import type { Stats } from "node:fs";
import { open, readlink, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import type { WriteMode } from "./system.ts";

/** Written beside its place and then renamed, so that nobody ever finds half of it. Rejects with the error of the file system. */
export async function writeWhole(path: string, bytes: Uint8Array, how: WriteMode): Promise<void> {
  if (how !== "replace") return writeNew(path, bytes, how === "create-secret" ? 0o600 : 0o666);
  const there = await stat(path).catch(() => undefined);
  // A pipe or a device (/dev/stdout, /dev/null) is written to: in its place there is to be no file.
  if (there !== undefined && !there.isFile() && !there.isDirectory()) return writeFile(path, bytes);
  const target = await targetOf(path);
  const beside = `${target}.${process.pid}.part`;
  try {
    await writeNew(beside, bytes, there === undefined ? 0o666 : there.mode & 0o777, there);
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Where a path leads: the same for each link to a file, and for a file that is not there yet. */
export async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || path.endsWith("/") || path.endsWith(sep)) throw error;
  }
  const folder = await realpath(dirname(path));
  const link = await readlink(path).catch(() => undefined);
  // Links in a circle are ELOOP above.
  return link === undefined ? join(folder, basename(path)) : targetOf(resolve(folder, link));
}

/** @param like The file whose place it takes: who may read that may read this, and nobody else. */
async function writeNew(path: string, bytes: Uint8Array, mode: number, like?: Stats): Promise<void> {
  await using file = await open(path, "wx", mode);
  if (like !== undefined) {
    // Only an administrator gives files away; for everybody else the file is then their own.
    await file.chown(like.uid, like.gid).catch(() => {});
    await file.chmod(mode);
  }
  await file.writeFile(bytes);
  await file.sync();
}
