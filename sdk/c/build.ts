/**
 * From a plugin in C to a component, or to a core module. Needs clang and wasm-ld, which npm does not carry: ask `missingTools` first.
 */

import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompileError } from "../compile-error.ts";
import { type WorldRef, wrap } from "../wrap.ts";

export interface CSource extends WorldRef {
  readonly entry: string;
}

/** Which of the tools are not on this machine; empty when C can be built. */
export function missingTools(): string[] {
  return ["clang", "wasm-ld"].filter((tool) => spawnSync(tool, ["--version"]).status !== 0);
}

/** Builds one plugin; gives the bytes of a component. */
export async function buildComponent(source: CSource): Promise<Uint8Array> {
  return wrap(await buildModule(source.entry), { ...source, stringEncoding: "utf8" });
}

/** Builds a core module, for hosts whose plugins are some. */
export async function buildModule(entry: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "remora-c-"));
  try {
    const object = join(folder, "plugin.o");
    const linked = join(folder, "plugin.wasm");
    run("clang", [
      ...["--target=wasm32", "-Oz", "-mbulk-memory", "-std=c17", "-Wall", "-Werror"],
      ...["-I", join(import.meta.dirname, "include"), "-c", "-o", object, entry],
    ]);
    // Linked by itself: clang would pass the result to whatever wasm-opt it finds.
    run("wasm-ld", ["--no-entry", "--strip-all", "-z", "stack-size=16384", "-o", linked, object]);
    return await readFile(linked);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(tool: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(tool, args);
  if (status !== 0) throw new CompileError(stderr.toString());
}
