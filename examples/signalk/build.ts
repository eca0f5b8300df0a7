/**
 * Builds the example plugins for Signal K where their sources have changed: into `build/plugin.wasm` of each, which
 * is what its package.json names. A plugin is a package as npm would install it, and a bundle by its remora.toml.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BuildReport } from "../build.ts";
import { alone } from "../build-lock.ts";
import { digest, digestOf, isBuiltFrom, place } from "../built-file.ts";

const root = dirname(dirname(import.meta.dirname));

interface Plugin {
  readonly folder: string;
  /** The file that its compiler starts from. */
  readonly entry: string;
  /** For a component: the world that it is for. The others are core modules. */
  readonly world?: string;
}

const plugins: readonly Plugin[] = [
  { folder: "depth-alarm", entry: "assembly/index.ts" },
  { folder: "true-wind", entry: "plugin.ts", world: "subscribing-plugin" },
  { folder: "anchorages", entry: "anchorages.c" },
];

const witFolder = join(root, "worlds/signalk/0.1.0");

export async function buildSignalkExamples(options: { readonly force?: boolean } = {}): Promise<BuildReport> {
  const shared = await readFile(join(root, "package.json"), "utf8");
  const inputs = digest([shared, await digestOf([import.meta.dirname, join(root, "sdk"), witFolder])]);
  const isCurrent = (path: string) => options.force !== true && isBuiltFrom(inputs, path);
  const built: string[] = [];
  const skipped: { folder: string; reason: string }[] = [];
  for (const plugin of plugins) {
    const { folder } = plugin;
    const path = wasmPath(folder);
    if (await isCurrent(path)) continue;
    const reason = await whyNot(plugin);
    if (reason !== undefined) {
      skipped.push({ folder: `signalk/${folder}`, reason });
      continue;
    }
    await alone(join(root, ".cache/examples.lock"), async () => {
      // Somebody else may have built it while we waited.
      if (await isCurrent(path)) return;
      const wasm = await build(plugin);
      await place(bundlePath(folder), await pack(folder, wasm), inputs);
      // The file last: a bundle is there whenever it is.
      await place(path, wasm, inputs);
      built.push(`signalk/${folder}`);
    });
  }
  return { built, skipped };
}

/** Where the plugin of `examples/signalk/<folder>` is, once it is built. */
export function wasmPath(folder: string): string {
  return join(import.meta.dirname, folder, "build/plugin.wasm");
}

/** Where its bundle is. */
export function bundlePath(folder: string): string {
  return join(import.meta.dirname, folder, `build/${folder}.bundle`);
}

/** The bundles of those that could be built here. */
export function builtBundles(): readonly string[] {
  return plugins.map(({ folder }) => bundlePath(folder)).filter((path) => existsSync(path));
}

async function pack(folder: string, wasm: Uint8Array): Promise<Uint8Array> {
  const { packBundle } = await import("remora/bundle");
  const manifest = await readFile(join(import.meta.dirname, folder, "remora.toml"));
  return packBundle(
    new Map<string, Uint8Array>([
      ["remora.toml", manifest],
      ["build/plugin.wasm", wasm],
    ]),
  );
}

export function isBuilt(folder: string): boolean {
  return existsSync(wasmPath(folder));
}

async function whyNot({ entry, world }: Plugin): Promise<string | undefined> {
  if (world !== undefined) return (await import("../../sdk/typescript/build.ts")).missingTool();
  if (!entry.endsWith(".c")) return undefined;
  const missing = (await import("../../sdk/c/build.ts")).missingTools();
  return missing.length === 0
    ? undefined
    : `${missing.join(" and ")} not found: npm does not carry a C compiler`;
}

async function build({ folder, entry: file, world }: Plugin): Promise<Uint8Array> {
  const entry = join(import.meta.dirname, folder, file);
  if (world !== undefined) {
    return (await import("../../sdk/typescript/build.ts")).buildComponent({ entry, world, witFolder });
  }
  if (file.endsWith(".c")) return (await import("../../sdk/c/build.ts")).buildModule(entry);
  return (await import("../../sdk/assemblyscript/build.ts")).buildModule(entry);
}
