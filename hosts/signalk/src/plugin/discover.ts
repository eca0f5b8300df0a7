/**
 * Finds the WebAssembly plugins among installed packages: every package in a `node_modules` folder whose keywords say
 * that it is one. Nothing of a package runs.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRemoraError, type RemoraError } from "remora/base";
import { isPluginPackage, type PluginManifest, readManifest } from "./manifest.ts";

export interface Discovery {
  readonly plugins: readonly PluginManifest[];
  /** Packages that claim to be plugins and cannot be taken. */
  readonly refused: readonly RemoraError[];
}

/** A package.json that is larger is none that npm would publish. */
const packageBytesMax = 1024 * 1024;

/** @param modulesFolder A `node_modules`; an absent one has no plugins. */
export async function discoverPlugins(modulesFolder: string): Promise<Discovery> {
  const plugins: PluginManifest[] = [];
  const refused: RemoraError[] = [];
  for (const folder of await packageFolders(modulesFolder)) {
    const data = await readPackage(folder);
    if (!isPluginPackage(data)) continue;
    try {
      plugins.push(readManifest(data, folder));
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      refused.push(error);
    }
  }
  return { plugins, refused };
}

/** Packages of the folder and of the scopes in it, in the order of their names. */
export async function packageFolders(modulesFolder: string): Promise<string[]> {
  const folders: string[] = [];
  for (const name of await namesIn(modulesFolder)) {
    if (name.startsWith(".")) continue;
    const folder = join(modulesFolder, name);
    if (!name.startsWith("@")) folders.push(folder);
    else for (const inner of await namesIn(folder)) folders.push(join(folder, inner));
  }
  return folders;
}

async function namesIn(folder: string): Promise<string[]> {
  // No such folder, or a file in its place: nothing in it.
  return (await readdir(folder).catch(() => [])).sort();
}

/** Undefined for what is no package, or none that can be read: others of this folder are none of our business. */
export async function readPackage(folder: string): Promise<unknown> {
  try {
    const text = await readFile(join(folder, "package.json"), "utf8");
    return text.length > packageBytesMax ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
