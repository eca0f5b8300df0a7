/** The files of an audit trail, as few operations as it needs, so that a test can let each of them fail. */

import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { managerErrors } from "../errors.ts";
import { codeOf } from "../store/file-system.ts";

export interface TrailReader {
  /** Names of all files in the folder, in no order; none when there is no folder. */
  list(): readonly string[];
  sizeOf(name: string): number;
  /** From an offset to the end; undefined when there is no such file. */
  read(name: string, offset?: number): Uint8Array | undefined;
}

export interface TrailFiles extends TrailReader {
  /** Opens it, and makes it when it is not there. */
  hold(name: string): void;
  /** False when it is not open, or what was opened is not what stands in the folder by this name now. */
  isHeld(name: string): boolean;
  /** Lets go of all that is open, and makes the folder when it is not there. */
  reopen(): void;
  /** Writes at an offset, all of it, and makes the file when it is not there. When it throws, a part may be written. */
  write(name: string, bytes: Uint8Array, offset: number): void;
  cut(name: string, sizeBytes: number): void;
  /** Returns when what was written to it is on the disk. */
  sync(name: string): void;
  remove(name: string): void;
  close(): void;
}

/** Each of them throws `manager/audit-unreadable` for what the file system refuses. */
export function diskTrailReader(folder: string): TrailReader {
  return {
    list: () => orUnreadable(folder, () => (existsSync(folder) ? readdirSync(folder) : [])),
    sizeOf: (name) => orUnreadable(join(folder, name), () => statSync(join(folder, name)).size),
    read: (name, offset = 0) => readFrom(join(folder, name), offset),
  };
}

/** @param folder Made when it is not there; only its owner may read it. */
export function diskTrailFiles(folder: string): TrailFiles {
  const makeFolder = () => void mkdirSync(folder, { recursive: true, mode: 0o700 });
  makeFolder();
  const open = new Map<string, number>();
  const fileOf = (name: string): number => {
    let file = open.get(name);
    if (file === undefined) {
      // Read and write, made if need be, never emptied; "a" would ignore offsets.
      file = openSync(join(folder, name), "a+", 0o600);
      closeSync(file);
      file = openSync(join(folder, name), "r+");
      open.set(name, file);
    }
    return file;
  };
  const forget = (name: string) => {
    const file = open.get(name);
    if (file !== undefined) closeSync(file);
    open.delete(name);
  };
  const forgetAll = () => {
    for (const name of [...open.keys()]) forget(name);
  };
  return {
    ...diskTrailReader(folder),
    hold: (name) => void fileOf(name),
    isHeld: (name) => {
      const file = open.get(name);
      if (file === undefined) return false;
      const there = statSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
      const ours = fstatSync(file, { bigint: true });
      return there?.ino === ours.ino && there.dev === ours.dev;
    },
    reopen: () => {
      forgetAll();
      makeFolder();
    },
    write: (name, bytes, offset) => {
      const file = fileOf(name);
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file, bytes, done, bytes.length - done, offset + done);
      }
    },
    cut: (name, sizeBytes) => ftruncateSync(fileOf(name), sizeBytes),
    sync: (name) => fdatasyncSync(fileOf(name)),
    remove: (name) => {
      forget(name);
      unlinkSync(join(folder, name));
    },
    close: forgetAll,
  };
}

// A pipe that nobody writes to would be opened when somebody does. Windows has no such flag, and no such pipes.
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function readFrom(path: string, offset: number): Uint8Array | undefined {
  return orUnreadable(path, () => {
    const file = openThere(path);
    if (file === undefined) return undefined;
    try {
      const found = fstatSync(file);
      // What has no end is none of ours. A folder is refused by the file system, when it is read.
      if (!found.isFile() && !found.isDirectory()) throw unreadable(path, "it is a device or a pipe");
      if (offset === 0) return readFileSync(file);
      const bytes = new Uint8Array(Math.max(0, found.size - offset));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
    } finally {
      closeSync(file);
    }
  });
}

function openThere(path: string): number | undefined {
  try {
    return openSync(path, withoutWaiting);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function orUnreadable<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const code = codeOf(error);
    // Without one it is no refusal; and what has one of ours says already what it is.
    if (code === undefined || code.startsWith("manager/")) throw error;
    throw unreadable(path, code, error);
  }
}

function unreadable(where: string, reason: string, cause?: unknown): Error {
  return managerErrors["audit-unreadable"]({ where, reason }, cause);
}
