/**
 * A list of records in a file of the manager's folder, which only its owner may read. It is written whole, so that a
 * reader finds the old list or the new one.
 */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { adminErrors } from "../errors.ts";

export interface RecordFile<Entry> {
  /** Whose fault it is that it cannot be read is told as this: "tokens". */
  readonly what: string;
  readonly isEntry: (data: unknown) => data is Entry;
}

/** None when there is no file. @throws admin/access-file-damaged */
export function readRecords<Entry>(file: string, { what, isEntry }: RecordFile<Entry>): Entry[] {
  const damaged = (problem: string, cause?: unknown) =>
    adminErrors["access-file-damaged"]({ what, file, problem }, cause);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code === "ENOENT") return [];
    throw damaged(String(code), error);
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw damaged("it is not JSON", error);
  }
  if (Array.isArray(data) && data.every(isEntry)) return data;
  throw damaged(`it is no list of ${what}`);
}

/** @throws admin/access-file-unwritable */
export function writeRecords(file: string, records: readonly unknown[]): void {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    makeFolderFor(file);
    writeFileSync(draft, `${JSON.stringify(records, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(draft, file);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (typeof code !== "string") throw error;
    removeDraft(draft);
    throw adminErrors["access-file-unwritable"]({ file, reason: reasons[code] ?? code }, error);
  }
}

/** One that was never made, in a folder that may not be written, need not be removed. */
function removeDraft(draft: string): void {
  if (existsSync(draft)) rmSync(draft, { force: true });
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "this account may not write there",
  EDQUOT: "the disk is full",
  ENOENT: "no folder can be made there",
  ENOSPC: "the disk is full",
  EPERM: "this account may not write there",
  EROFS: "the file system cannot be written to",
};

/** A folder in the manager's, which is there: Node's recursive way tries for ever where no folder can be made, as in /proc. */
export function makeFolderFor(file: string): void {
  try {
    mkdirSync(dirname(file), { mode: 0o700 });
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    // It was there, or another process made it just now.
    if (code !== "EEXIST") throw error;
  }
}

/** The records of a file as they are now: it is read again when it has changed. */
export class WatchedRecords<Entry> {
  readonly #file: string;
  readonly #kind: RecordFile<Entry>;
  #known: readonly Entry[] = [];
  #readAt = "";

  constructor(file: string, kind: RecordFile<Entry>) {
    this.#file = file;
    this.#kind = kind;
  }

  /** @throws admin/access-file-damaged */
  current(): readonly Entry[] {
    const stats = statSync(this.#file, { throwIfNoEntry: false, bigint: true });
    // Each writing makes a new file; two within one tick of the clock differ by their number.
    const readAt = stats === undefined ? "" : `${stats.ino} ${stats.mtimeNs}`;
    if (readAt === "") this.#known = [];
    else if (readAt !== this.#readAt) this.#known = readRecords(this.#file, this.#kind);
    this.#readAt = readAt;
    return this.#known;
  }
}
