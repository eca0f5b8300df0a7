/** The two versions of jco, as a user would have them at their fastest: transpiled, and instantiated synchronously. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type WasmInstance,
  type WasmModule,
  webAssembly,
} from "../../packages/remora/src/engine/webassembly.ts";
import { cacheFolder } from "./cache-folder.ts";
import type { Contestant, Exports, Imports, Opened } from "./contestant.ts";
import { importPeer } from "./peers.ts";

interface Transpiler {
  transpile(
    component: Uint8Array,
    options: Record<string, unknown>,
  ): Promise<{ files: Record<string, Uint8Array> | [string, Uint8Array][] }>;
}

/** What a transpiled component exports in this mode. */
interface Transpiled {
  instantiate(
    getCoreModule: (path: string) => WasmModule,
    imports: Imports,
    instantiateCore?: (module: WasmModule, imports: never) => WasmInstance,
  ): Exports;
}

export const jcoVersions = [
  { name: "jco 1.35.0", path: "jco-1-35/dist/api.js" },
  { name: "jco 1.10.2", path: "jco-1-10/src/api.js" },
] as const;

type JcoVersion = (typeof jcoVersions)[number];

export async function jco({ name, path }: JcoVersion): Promise<Contestant> {
  const transpiler = await importPeer<Transpiler>(path);
  let round = 0;
  const usedOnce: string[] = [];
  return {
    name,
    hasLimits: false,
    async prepare(component, imports = {}) {
      const folder = transpiledFolder(name, component, round);
      if (!existsSync(join(folder, "component.js"))) await transpileInto(folder, component, transpiler);
      if (round > 0) usedOnce.push(folder);
      return openTranspiled(folder, imports);
    },
    forget() {
      round++;
      for (const folder of usedOnce.splice(0)) rmSync(folder, { recursive: true });
    },
  };
}

/** Loads what was transpiled before, by the address of its folder. */
export async function openTranspiled(folder: string, imports: Imports = {}): Promise<() => Opened> {
  const module: Transpiled = await import(pathToFileURL(join(folder, "component.js")).href);
  const compiled = new Map<string, WasmModule>();
  const core = (path: string) => {
    let found = compiled.get(path);
    if (found === undefined) {
      found = new webAssembly.Module(new Uint8Array(readFileSync(join(folder, path))));
      compiled.set(path, found);
    }
    return found;
  };
  const unversioned = Object.fromEntries(
    Object.entries(imports).map(([name, value]) => [name.replace(/@.*/, ""), value]),
  );
  return () => ({ exports: module.instantiate(core, unversioned) });
}

/** One folder for each component and version; `round` makes another, since a module is imported only once. */
export function transpiledFolder(name: string, component: Uint8Array, round = 0): string {
  const digest = createHash("sha256").update(component).digest("hex").slice(0, 16);
  return join(
    cacheFolder,
    name.replace(" ", "-"),
    round === 0 ? digest : `${digest}-${process.pid}-${round}`,
  );
}

async function transpileInto(
  folder: string,
  component: Uint8Array,
  { transpile }: Transpiler,
): Promise<void> {
  const { files } = await transpile(component, {
    name: "component",
    instantiation: "sync",
    noTypescript: true,
    noNodejsCompat: true,
    validLiftingOptimization: true,
  });
  mkdirSync(folder, { recursive: true });
  for (const [name, contents] of Array.isArray(files) ? files : Object.entries(files)) {
    // Declarations go into folders of their own, and nobody reads them here.
    if (!name.includes("/")) writeFileSync(join(folder, name), contents);
  }
}
