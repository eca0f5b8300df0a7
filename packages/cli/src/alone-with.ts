/** Commands that read a file and write it again do it one after the other, by a lock beside the file. */

import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { targetOf } from "./write-whole.ts";

/** A command that changes a file is soon done. */
const waitMsMax = 15_000;

/** As `System.alone` has it; a process does it once at a time. What links lead to has one lock, which stays as an empty file. */
export async function aloneWith<Done>(path: string, work: () => Promise<Done>): Promise<Done> {
  const lockFile = `${await targetOf(path)}.lock`;
  await makeLockFile(lockFile);
  // Loaded when it is wanted: most commands change nothing.
  const { takeFileLock } = await import("remora/manager");
  const lock = takeFileLock(lockFile, waitMsMax);
  if (lock === undefined) throw Object.assign(new Error(`${lockFile} is held`), { code: "EBUSY" });
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Opened before SQLite does, which does not say what the file system has against it. */
async function makeLockFile(path: string): Promise<void> {
  await using file = await open(path, "a");
  const { uid, gid } = await stat(dirname(path));
  // One that an administrator made is no obstacle to the user whose folder it is; nobody else gives files away.
  await file.chown(uid, gid).catch(() => {});
}
