/** Reads a file that somebody named, whole: a bundle, or what a plugin's folder has. */

import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { readBounded, unreachable } from "../../base/index.ts";
import { managerErrors } from "../errors.ts";
import { codeOf } from "../store/file-system.ts";

// A pipe that nobody writes to would be opened when somebody does. Windows has no such flag, and no such pipes.
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** @throws manager/too-large manager/not-a-plugin manager/folder */
export async function readWhole(path: string, bytesMax: number): Promise<Uint8Array> {
  const found = await readBounded(() => open(path, withoutWaiting), bytesMax);
  switch (found.kind) {
    case "whole":
      return found.bytes;
    case "too-large":
      throw managerErrors["too-large"]({ bytesMax });
    case "special":
      throw notRegular(path);
    case "refused":
      throw managerErrors.folder({ doing: "read", path, reason: found.code }, found.cause);
    default:
      return unreachable(found);
  }
}

/** Names in a folder. @throws manager/folder */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw managerErrors.folder({ doing: "read", path: folder, reason: codeOf(error) ?? "unknown" }, error);
  }
}

export function notRegular(path: string): Error {
  return managerErrors["not-a-plugin"]({ path, found: "a device or a pipe" });
}
