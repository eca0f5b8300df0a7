/** One process builds while others wait: tests run side by side, and each of them wants the examples built. */

import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const pollMs = 50;

/**
 * Runs `build` while no other process does. A lock whose process is gone is nobody's; two that notice so at the same
 * moment may both build, which costs time and nothing else, since each file is put in place as a whole.
 */
export async function alone<Result>(lockPath: string, build: () => Promise<Result>): Promise<Result> {
  await mkdir(dirname(lockPath), { recursive: true });
  while (!(await take(lockPath))) {
    if (await isAbandoned(lockPath)) await rm(lockPath, { force: true });
    else await wait(pollMs);
  }
  try {
    return await build();
  } finally {
    await rm(lockPath, { force: true });
  }
}

async function take(lockPath: string): Promise<boolean> {
  try {
    await using file = await open(lockPath, "wx");
    await file.writeFile(String(process.pid));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

async function isAbandoned(lockPath: string): Promise<boolean> {
  // Gone in the meantime, or not written yet: the next attempt will tell.
  const owner = Number(await readFile(lockPath, "utf8").catch(() => ""));
  if (!Number.isInteger(owner) || owner <= 0) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch {
    // No such process, or not ours, which then is another user's of the same tree: waiting would be for ever.
    return true;
  }
}
