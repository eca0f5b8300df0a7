/** Reads a file that somebody named, whole: a bundle, or what a plugin's folder has. */

import { constants } from "node:fs";
import { open, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
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

/**
 * A file that a plugin's manifest names. Whoever packs a folder that a stranger sent publishes what is in it, and nothing
 * else: no link leads out of it.
 *
 * @throws manager/too-large manager/not-a-plugin manager/folder
 */
export async function readNamed(folder: string, name: string, bytesMax: number): Promise<Uint8Array> {
  const path = join(folder, name);
  const [root, target] = [await targetOf(folder), await targetOf(path)];
  if (!target.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw managerErrors["not-a-plugin"]({ path, found: "a link that leads out of the plugin's folder" });
  }
  return readWhole(target, bytesMax);
}

async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Names in a folder. @throws manager/folder */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function unreadable(path: string, error: unknown): Error {
  return managerErrors.folder({ doing: "read", path, reason: codeOf(error) ?? "unknown" }, error);
}

export function notRegular(path: string): Error {
  return managerErrors["not-a-plugin"]({ path, found: "a device or a pipe" });
}
