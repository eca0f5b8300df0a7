/**
 * The few operations by which the manager touches its folder, so that a test can stop at each of them in turn. What
 * they promise is what POSIX promises: a rename is one step, and what was synchronised survives a power cut.
 */

import {
  closeSync,
  constants,
  fdatasync,
  fsync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFile,
} from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export interface FoundFile {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly changedAtMs: number;
}

/** A folder that is open, so that nobody waits for that when the names in it are to last. */
export interface OpenFolder {
  /** Makes the names in it as lasting as its files. Not once it is closed. */
  sync(): Promise<void>;
  /** Also more than once. */
  close(): Promise<void>;
}

export interface FileSystem {
  /** Undefined when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Names in a folder, sorted; none when it is not there. */
  list(folder: string): Promise<readonly string[]>;
  /** The same with what a look at each tells. One that goes meanwhile may be missing. */
  look(folder: string): Promise<readonly FoundFile[]>;
  /** Makes the folder and those that it lies in; only its owner may look into it. */
  makeFolder(folder: string): Promise<void>;
  /** Writes a new file and synchronises it. Rejects with `EEXIST` when there is one. */
  writeNew(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Rejects with `ENOENT` when it is not there. */
  openFolder(folder: string): Promise<OpenFolder>;
  /** Removes a file or a folder with all that is in it; nothing when it is not there. */
  remove(path: string): Promise<void>;
}

/** Up to here a file is read at once: to wait for a small one takes three times as long. */
const smallBytesMax = 65_536;

// By descriptors: a `FileHandle` costs some hundred microseconds more, and a plugin on its way in has six.
const opened = promisify(open);
const written = promisify(writeFile);
const dataSynced = promisify(fdatasync);
const synced = promisify(fsync);

export const nodeFileSystem: FileSystem = {
  async read(path) {
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) return undefined;
      return found.isFile() && found.size <= smallBytesMax ? readFileSync(path) : await readFile(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  async list(folder) {
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  // At once, as small files are read: a manager that starts does this for every bundle that it keeps.
  async look(folder) {
    return namesIn(folder).flatMap((name) => {
      const file = statSync(join(folder, name), { throwIfNoEntry: false });
      return file === undefined ? [] : [{ name, bytes: file.size, changedAtMs: file.mtimeMs }];
    });
  },
  async makeFolder(folder) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
  },
  async writeNew(path, bytes) {
    const file = await opened(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await written(file, bytes);
      await dataSynced(file);
    } finally {
      closeSync(file);
    }
  },
  // At once: it takes microseconds, and whoever swaps a version would wait for a turn behind V8, which collects garbage on all
  // processors just when it has compiled a large module.
  rename: async (from, to) => renameSync(from, to),
  async openFolder(folder) {
    if (isWindows) {
      // Windows opens no folders and keeps names without being asked.
      await stat(folder);
      return { sync: async () => {}, close: async () => {} };
    }
    const file = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    let isOpen = true;
    return {
      sync: () => synced(file),
      close: async () => {
        // The second time its number may be that of somebody else's file.
        if (isOpen) closeSync(file);
        isOpen = false;
      },
    };
  },
  async remove(path) {
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      if (codeOf(error) !== "ENAMETOOLONG") throw error;
      // A guest that opens each of its folders in the one before makes a tree deeper than any path can say, and it must not be
      // able to stay by that. The other one of Node's two ways goes by descriptors.
      rmSync(path, { recursive: true, force: true });
    }
  },
};

const isWindows = constants.O_SYMLINK === undefined && constants.O_DIRECTORY === undefined;

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Whether there is nothing of that name. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

/** The operating system's name for what went wrong: `ENOSPC`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Whether there is no room on the disk. */
export function isFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT";
}
