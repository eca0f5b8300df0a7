/**
 * Builds the example plugins that have changed since they were last built: `npm run build:examples`, with
 * `-- --force` all of them. What a plugin was built from is kept as a digest beside it, so that a second run has
 * nothing to do and takes milliseconds.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const takWit = join(root, "worlds/tak/0.1.0");

export interface ExamplePlugin {
  /** Its folder below `examples/`. */
  readonly folder: string;
  readonly world: string;
}

/** Every example plugin, and the world that it is for. */
export const examplePlugins: readonly ExamplePlugin[] = [
  { folder: "tak/geofence-filter", world: "omnitak:plugin/filter-plugin@0.1.0" },
  { folder: "tak/geofence-lazy", world: "remora:tak/lazy-filter@0.1.0" },
  { folder: "tak/geofence-batch", world: "remora:tak/batch-filter@0.1.0" },
  { folder: "tak/geofence-columns", world: "remora:tak/column-filter@0.1.0" },
];

export interface BuildReport {
  /** Folders of the plugins that were built in this run; the others were as new as their sources. */
  readonly built: readonly string[];
}

/** Builds what is missing or older than its sources. Several processes may run it at once. */
export async function buildExamples(options: { readonly force?: boolean } = {}): Promise<BuildReport> {
  const shared = await digestOf([join(root, "sdk"), takWit]);
  const built: string[] = [];
  for (const plugin of examplePlugins) {
    const source = await digestOf([join(root, "examples", plugin.folder)]);
    const inputs = digest([shared, source, plugin.world, toolVersions()]);
    const path = componentPath(plugin.folder);
    if (!options.force && existsSync(path) && (await readInputs(path)) === inputs) continue;
    await place(path, await build(plugin));
    await place(inputsPath(path), Buffer.from(inputs));
    built.push(plugin.folder);
  }
  return { built };
}

/** Where the component of `examples/<folder>` is, once it is built. */
export function componentPath(folder: string): string {
  const name = folder.slice(folder.lastIndexOf("/") + 1);
  return join(root, "examples", folder, "build", `${name}.wasm`);
}

async function build(plugin: ExamplePlugin): Promise<Uint8Array> {
  // Loaded only now: the compiler takes most of a second, and mostly there is nothing to build.
  const { buildComponent } = await import("../sdk/assemblyscript/build.ts");
  return buildComponent({
    entry: join(root, "examples", plugin.folder, "assembly/index.ts"),
    world: plugin.world,
    witFolder: takWit,
  });
}

/** Readers see the old file or the new one, never half of one. */
async function place(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, bytes);
  await rename(unfinished, path);
}

function inputsPath(path: string): string {
  return `${path}.inputs`;
}

async function readInputs(path: string): Promise<string | undefined> {
  // Not there means not built by us: build again.
  return readFile(inputsPath(path), "utf8").catch(() => undefined);
}

/** Over the names and contents of all files below these folders, build outputs excepted. */
async function digestOf(folders: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      if (file.includes("/build/")) continue;
      parts.push(file.slice(root.length), await readFile(file, "utf8"));
    }
  }
  return digest(parts);
}

function digest(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}

/** The compiler and the tool that wraps: what they give may differ from version to version. */
function toolVersions(): string {
  const manifest: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const { assemblyscript, "@bytecodealliance/jco-transpile": wrapper } = manifest.devDependencies;
  return `${assemblyscript} ${wrapper}`;
}

if (import.meta.main) {
  const { built } = await buildExamples({ force: process.argv.includes("--force") });
  console.log(built.length === 0 ? "Nothing to do" : `Built ${built.join(", ")}`);
}
