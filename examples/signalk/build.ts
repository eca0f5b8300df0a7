/**
 * Builds the example plugins for Signal K where their sources have changed: into `build/plugin.wasm` of each, which
 * is what its package.json names. A plugin is a package as npm would install it.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BuildReport } from "../build.ts";
import { alone } from "../build-lock.ts";
import { digest, digestOf, isBuiltFrom, place } from "../built-file.ts";

const root = dirname(dirname(import.meta.dirname));

/** By folder, and by the tool that makes it. */
const plugins: readonly { readonly folder: string; readonly entry: string }[] = [
  { folder: "depth-alarm", entry: "assembly/index.ts" },
  { folder: "anchorages", entry: "anchorages.c" },
];

export async function buildSignalkExamples(options: { readonly force?: boolean } = {}): Promise<BuildReport> {
  const shared = await readFile(join(root, "package.json"), "utf8");
  const inputs = digest([shared, await digestOf([import.meta.dirname, join(root, "sdk")])]);
  const isCurrent = (path: string) => options.force !== true && isBuiltFrom(inputs, path);
  const built: string[] = [];
  const skipped: { folder: string; reason: string }[] = [];
  for (const { folder, entry } of plugins) {
    const path = wasmPath(folder);
    if (await isCurrent(path)) continue;
    const reason = await whyNot(entry);
    if (reason !== undefined) {
      skipped.push({ folder: `signalk/${folder}`, reason });
      continue;
    }
    await alone(join(root, ".cache/examples.lock"), async () => {
      // Somebody else may have built it while we waited.
      if (await isCurrent(path)) return;
      await place(path, await build(join(import.meta.dirname, folder, entry)), inputs);
      built.push(`signalk/${folder}`);
    });
  }
  return { built, skipped };
}

/** Where the plugin of `examples/signalk/<folder>` is, once it is built. */
export function wasmPath(folder: string): string {
  return join(import.meta.dirname, folder, "build/plugin.wasm");
}

export function isBuilt(folder: string): boolean {
  return existsSync(wasmPath(folder));
}

async function whyNot(entry: string): Promise<string | undefined> {
  if (!entry.endsWith(".c")) return undefined;
  const missing = (await import("../../sdk/c/build.ts")).missingTools();
  return missing.length === 0
    ? undefined
    : `${missing.join(" and ")} not found: npm does not carry a C compiler`;
}

async function build(entry: string): Promise<Uint8Array> {
  if (entry.endsWith(".c")) return (await import("../../sdk/c/build.ts")).buildModule(entry);
  return (await import("../../sdk/assemblyscript/build.ts")).buildModule(entry);
}
