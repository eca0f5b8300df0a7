/**
 * Who holds the folder. Two managers on one folder would each undo what the other does, so the second is refused and
 * told who was first. What holds is a lock of the operating system on a file, which ends with its process.
 * `holder.json` beside it says who it is; when it is still there, whoever wrote it was killed.
 */

import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { isRemoraError } from "../../base/index.ts";
import { managerErrors } from "../errors.ts";
import type { DataFolder } from "./data-folder.ts";
import { type FileLock, takeFileLock } from "./file-lock.ts";
import { codeOf, isFull } from "./file-system.ts";

/** As it stands in `holder.json`. */
export interface Holder {
  /** Of one opening of the folder; what is changed in it is marked with this. */
  readonly run: string;
  /** As the program calls itself. */
  readonly who: string;
  readonly machine: string;
  /** RFC 3339, by the holder's clock. */
  readonly since: string;
}

export interface Held {
  readonly holder: Holder;
  /** Who held the folder and was killed, if somebody was. */
  readonly killed: Holder | undefined;
  release(): Promise<void>;
}

const holderName = "holder.json";
const lockName = "holder.lock";

/**
 * Takes the folder.
 *
 * @param who The program, in its own words, for whoever is refused.
 * @throws manager/folder-held who holds it, and since when
 * @throws manager/folder      it cannot be written
 */
export async function hold(
  folder: DataFolder,
  { who, nowMs }: { readonly who: string; readonly nowMs: number },
): Promise<Held> {
  await folder.makeFolder();
  const lock = await takeLock(folder);
  try {
    // Of whoever was killed: nobody else writes here while this one has the lock.
    await folder.sweep();
    await folder.sweep("settings");
    const killed = parseHolder(await folder.read(holderName));
    const since = new Date(nowMs).toISOString();
    const holder = { run: randomUUID(), who, machine: hostname(), since };
    await sayWho(folder, holder);
    return {
      holder,
      killed,
      async release() {
        try {
          await folder.remove(holderName);
        } finally {
          lock.release();
        }
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The lock is what holds the folder: on a full disk nobody is told who has it, and its plugins run. */
async function sayWho(folder: DataFolder, holder: Holder): Promise<void> {
  try {
    await folder.place(new TextEncoder().encode(`${JSON.stringify(holder, undefined, 2)}\n`), holderName);
  } catch (error) {
    if (!isRemoraError(error) || !isFull(error.cause)) throw error;
    await folder.remove(holderName);
  }
}

async function takeLock(folder: DataFolder): Promise<FileLock> {
  const path = folder.at(lockName);
  let lock: FileLock | undefined;
  try {
    lock = takeFileLock(path);
  } catch (error) {
    throw managerErrors.folder(await refusalOf(folder.path, path, error), error);
  }
  if (lock !== undefined) return lock;
  const holder = parseHolder(await folder.read(holderName));
  throw managerErrors["folder-held"]({ folder: folder.path, holder });
}

/** SQLite says only that it cannot open a file: what the operating system has against it is asked here. */
async function refusalOf(folder: string, lock: string, error: unknown) {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (refusal) {
    return { doing: "write into", path: folder, reason: codeOf(refusal) ?? String(refusal) };
  }
  const refused = { doing: "lock", path: lock };
  try {
    // Not opened: to close a file ends all locks that this process has on it.
    if ((await stat(lock)).isDirectory()) return { ...refused, reason: "EISDIR" };
    await access(lock, constants.R_OK | constants.W_OK);
  } catch (refusal) {
    if (codeOf(refusal) !== "ENOENT") return { ...refused, reason: codeOf(refusal) ?? String(refusal) };
  }
  return { ...refused, reason: error instanceof Error ? error.message : String(error) };
}

function parseHolder(bytes: Uint8Array | undefined): Holder | undefined {
  if (bytes === undefined) return undefined;
  try {
    const { run, who, machine, since } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Holder>;
    const isWhole = [run, who, machine, since].every((text) => typeof text === "string");
    return isWhole ? ({ run, who, machine, since } as Holder) : undefined;
  } catch (error) {
    // It only informs: one that cannot be read is as good as none.
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
