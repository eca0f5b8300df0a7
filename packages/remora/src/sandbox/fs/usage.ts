/**
 * What a folder holds already, for a quota that counts from there. Guests have written what is in it, and perhaps still do:
 * a tree of folders that were opened one in the other is deeper than any path can say, and what was listed may be gone.
 */

import * as fs from "node:fs";
import type { UsageCount } from "./quota.ts";

/** From here on a folder's way is told anew, from a descriptor of it: PATH_MAX is 4096, and a name has at most 255 bytes. */
const pathBytesMax = 3_000;

const { O_RDONLY, O_DIRECTORY = 0, O_NOFOLLOW = 0 } = fs.constants;

/** @param namesMax Of the quota: far beyond it nothing is counted any more, since nothing more can be made. */
export function usageOf(folder: string, namesMax: number): UsageCount {
  const used: UsageCount = { bytes: 0, names: 0 };
  countIn(folder, used, 2 * namesMax);
  return used;
}

function countIn(folder: string, used: UsageCount, enough: number): void {
  const pending = [folder];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const name of namesIn(path)) {
      const inner = `${path}/${name}`;
      const stat = fs.lstatSync(inner, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (++used.names > enough) return;
      if (stat.isFile()) used.bytes += stat.size;
      if (!stat.isDirectory()) continue;
      if (Buffer.byteLength(inner) <= pathBytesMax) pending.push(inner);
      else fromDescriptor(inner, (shorter) => countIn(shorter, used, enough));
    }
  }
}

function namesIn(path: string): readonly string[] {
  return unlessGone(() => fs.readdirSync(path)) ?? [];
}

/** Where the system has no such names, no tree can be made that needs them. */
function fromDescriptor(path: string, use: (path: string) => void): void {
  const descriptor = unlessGone(() => fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (descriptor === undefined) return;
  try {
    use(`/proc/self/fd/${descriptor}`);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Undefined when there is no folder of that name any more. */
function unlessGone<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
}
