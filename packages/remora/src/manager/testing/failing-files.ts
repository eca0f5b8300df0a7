/**
 * A file system that fails from an operation on that a test chooses: as a process that is killed there, in the middle
 * of a write, and does nothing more; or as a full disk or a folder that became read-only, with errors of the
 * operating system; or in that one operation alone. What only reads goes on.
 */

import { writeFile } from "node:fs/promises";
import { type FileSystem, nodeFileSystem } from "../store/file-system.ts";

export type Fault = "killed" | "ENOSPC" | "EROFS" | "EACCES" | "EIO";

export interface FailingFiles extends FileSystem {
  /** Operations so far that change something. */
  readonly count: number;
  /** Fails from this operation on, counted from now. */
  failFrom(operation: number, fault: Fault): void;
  /** Fails in this operation, counted from now, and in no other. */
  failOnce(operation: number, fault: Fault): void;
}

export function failingFiles(): FailingFiles {
  let count = 0;
  let failAt = Number.POSITIVE_INFINITY;
  let failures = Number.POSITIVE_INFINITY;
  let fault: Fault = "killed";
  const error = () => Object.assign(new Error(fault), { code: fault });
  const fails = () => {
    const at = count++;
    return at >= failAt && at < failAt + failures;
  };
  const changing =
    <Args extends readonly unknown[]>(act: (...args: Args) => Promise<void>) =>
    async (...args: Args) => {
      if (fails()) throw error();
      await act(...args);
    };
  return {
    read: nodeFileSystem.read,
    list: nodeFileSystem.list,
    look: nodeFileSystem.look,
    async writeNew(path, bytes) {
      if (!fails()) return nodeFileSystem.writeNew(path, bytes);
      // Half of it was written when it ended.
      if (count - 1 === failAt && fault !== "EROFS")
        await writeFile(path, bytes.subarray(0, bytes.length / 2));
      throw error();
    },
    makeFolder: changing(nodeFileSystem.makeFolder),
    rename: changing(nodeFileSystem.rename),
    async openFolder(folder) {
      const opened = await nodeFileSystem.openFolder(folder);
      return { sync: changing(() => opened.sync()), close: () => opened.close() };
    },
    remove: changing(nodeFileSystem.remove),
    get count() {
      return count;
    },
    failFrom(operation, how) {
      failAt = count + operation;
      failures = Number.POSITIVE_INFINITY;
      fault = how;
    },
    failOnce(operation, how) {
      failAt = count + operation;
      failures = 1;
      fault = how;
    },
  };
}
