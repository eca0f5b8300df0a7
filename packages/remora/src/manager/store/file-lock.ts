/**
 * A lock of the operating system on a file, taken through SQLite, which comes with Node: it ends with its process,
 * however that ends, so that nobody has to guess whether a process of some number is still the same one.
 */

import { createRequire } from "node:module";
import type { DatabaseSync } from "node:sqlite";

export interface FileLock {
  release(): void;
}

/**
 * Takes the lock, which nobody else has until it is released. The file is made when it is not there, stays and stays empty: it is for the lock
 * alone. (To close a file ends all locks that its process has on it.)
 *
 * @param waitMs For so long this thread waits while somebody else has it. Default: not at all.
 * @returns Undefined when somebody else has it still.
 * @throws the error of SQLite, which says little more than that the file cannot be opened
 */
export function takeFileLock(path: string, waitMs = 0): FileLock | undefined {
  // Loaded here: a program that takes no lock does not pay for it.
  const { DatabaseSync: Database } = createRequire(import.meta.url)("node:sqlite") as {
    DatabaseSync: typeof DatabaseSync;
  };
  let lock: DatabaseSync | undefined;
  try {
    const held = new Database(path);
    lock = held;
    held.exec(`PRAGMA busy_timeout = ${waitMs}`);
    // The lock is the open transaction: nothing is ever written, a journal neither, for which a full disk has no room.
    held.exec("PRAGMA journal_mode = MEMORY");
    held.exec("BEGIN EXCLUSIVE");
    return { release: () => held.close() };
  } catch (error) {
    lock?.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** SQLite result codes: SQLITE_BUSY is 5; the extended ones carry it in their low byte. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}
