/** From what was written on the command line to what is installed: a folder is packed here, a file read here. */

import { join, resolve, sep } from "node:path";
import type { InstallSource } from "@remora/admin";
import { MANIFEST_NAME, namedFiles, packBundle, parseManifest } from "remora/bundle";
import { cliErrors } from "./errors.ts";
import { knownCapabilities } from "./known-capabilities.ts";
import { INPUT_BYTES_MAX, leadingTo, readInput } from "./read-input.ts";
import type { System } from "./system.ts";
import { isMissing } from "./trust-store.ts";

const NAMED = /^[a-z][a-z0-9-]{0,63}(@.{1,100})?$/;

/** @throws cli/cannot-read bundle/… */
export async function installSource(system: System, ref: string): Promise<InstallSource> {
  try {
    return await pathSource(system, ref);
  } catch (error) {
    // No file of that name, and it may be the name of a plugin: the manager's sources know.
    if (isMissing(error) && NAMED.test(ref)) return { ref };
    throw error;
  }
}

/**
 * What is at a path, and nowhere else.
 *
 * @throws cli/cannot-read bundle/…
 */
export async function pathSource(system: System, path: string): Promise<InstallSource> {
  // Relative to where this program was started, which nobody knows tomorrow.
  const origin = resolve(path);
  const isFolder = (await system.listFiles(path, 1)) !== undefined;
  const bytes = isFolder ? (await packFolder(system, path)).bytes : await readInput(system, path);
  return { bytes, origin };
}

/**
 * A plugin's folder as a bundle.
 *
 * @throws cli/cannot-read cli/not-a-host bundle/manifest bundle/exports bundle/…
 */
export async function packFolder(system: System, folder: string) {
  const { vocabulary, uses } = await knownCapabilities();
  const path = join(folder, MANIFEST_NAME);
  const bytes = await readNamed(system, folder, MANIFEST_NAME);
  // Read here for its names alone; what is packed is checked as what was opened.
  const manifest = parseManifest(bytes, { file: path, vocabulary });
  const files = new Map([[MANIFEST_NAME, bytes]]);
  for (const name of namedFiles(manifest)) files.set(name, await readNamed(system, folder, name));
  const { loadHosts } = await import("./host-packages.ts");
  const hosts = await loadHosts(system.hostPackages, () => {});
  return { manifest, bytes: packBundle(files, { vocabulary, uses, hosts }), vocabulary };
}

/** Whoever packs a folder that a stranger sent publishes what is in it, and nothing else: no link leads out of it. */
async function readNamed(system: System, folder: string, name: string): Promise<Uint8Array> {
  const file = join(folder, name);
  const [root, target] = [await leadingTo(system, folder), await leadingTo(system, file)];
  if (target.startsWith(root.endsWith(sep) ? root : root + sep)) {
    return readInput(system, file, INPUT_BYTES_MAX, "file");
  }
  throw cliErrors["cannot-read"]({ file, reason: `a link leads it out of the folder "${folder}"` });
}
