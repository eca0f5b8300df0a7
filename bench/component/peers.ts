/**
 * The peers, which npm installs into a folder outside of the workspace when the benchmark first runs: they weigh more than all
 * of Remora. One that cannot be had here is left out, and the report says why.
 */

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = join(import.meta.dirname, "../peers");
const { resolve } = createRequire(join(folder, "package.json"));

export interface Skipped {
  readonly peer: string;
  readonly reason: string;
}

/** Installs what is missing: what its lock file names, and no script of any package runs. */
export function installPeers(): Skipped | undefined {
  if (isThere()) return undefined;
  try {
    execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: folder, stdio: "pipe", encoding: "utf8" });
    return undefined;
  } catch (error) {
    // No registry, or no npm: the figures of Remora alone are still worth having.
    return { peer: "all peers", reason: reasonOf(error) };
  }
}

/** Loads a module of a peer by its path below `node_modules`. */
export async function importPeer<Module>(path: string): Promise<Module> {
  const module: Module = await import(pathToFileURL(join(folder, "node_modules", path)).href);
  return module;
}

/** Loads a peer's main module, of either kind. */
export async function importMain<Module>(name: string): Promise<Module> {
  const module: Module = await import(pathToFileURL(resolve(name)).href);
  return module;
}

/** The last line that an installer or a loader printed. */
export function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const lines = (stderr || message || String(error)).trim().split("\n");
  return lines.findLast((line) => /error|cannot|not found/i.test(line)) ?? lines.at(-1) ?? "";
}

function isThere(): boolean {
  try {
    resolve("quickjs-emscripten");
    resolve("isolated-vm");
    return true;
  } catch {
    // The resolver's way to say that nothing is installed.
    return false;
  }
}
