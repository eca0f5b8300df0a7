/** Guests of the manager's benchmark: core modules of a chosen size, as bundles for a host with one small world. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { packBundle } from "remora/bundle";
import type { PluginHost, WorldBinding } from "remora/manager";
import { coreVocabulary } from "remora/policy";
import { cacheFolder } from "../component/cache-folder.ts";

/** What the host calls. */
export interface Calls {
  readonly run: (value: number) => number;
}

export const run = (calls: Calls, value: number): number => calls.run(value);

const world: WorldBinding<Calls> = {
  world: "bench:plugin/runner@0.1.0",
  hostFunctions: [],
  imports: () => ({}),
  bind: ({ exports }) => exports as unknown as Calls, // a module of this file, which exports `run`
};

export const benchHost: PluginHost = {
  name: "bench",
  version: "1.0.0",
  vocabulary: coreVocabulary,
  worlds: [world as WorldBinding],
};

/** A module of about so many bytes: `run` adds, the rest are loops, branches, loads and stores as programs have them. */
export async function moduleOf(kilobytes: number, constant = 1): Promise<Uint8Array> {
  const text = `(module (memory (export "memory") 1)
    (global $kept (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32)
      (global.set $kept (i32.add (global.get $kept) (i32.const 1)))
      (i32.add (local.get 0) (i32.const ${constant})))
    (func (export "alloc") (param i32) (result i32) (i32.const 64))
    (func (export "save_state") (result i64)
      (i32.store (i32.const 32) (global.get $kept)) (i64.const 137438953476))
    (func (export "restore_state") (param i32 i32) (result i32)
      (global.set $kept (i32.load (local.get 0))) (i32.const 0))
    ${Array.from({ length: Math.max(0, Math.round(kilobytes * 9.3)) }, (_, index) => body(index)).join("\n")})`;
  const kept = join(
    cacheFolder,
    `manager-${createHash("sha256").update(text).digest("hex").slice(0, 16)}.wasm`,
  );
  if (existsSync(kept)) return new Uint8Array(readFileSync(kept));
  const bytes = await parse(text);
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(kept, bytes);
  return bytes;
}

function body(index: number): string {
  return `(func $f${index} (param $a i32) (param $b i32) (result i32) (local $i i32)
    (loop $again
      (if (i32.lt_u (local.get $i) (local.get $b)) (then
        (i32.store (i32.shl (local.get $i) (i32.const 2))
          (i32.xor (i32.load offset=${index % 4_096} (local.get $i)) (i32.mul (local.get $a) (i32.const ${index * 7 + 3}))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $again))))
    ${index % 16 === 0 ? "" : `(if (i32.and (local.get $a) (i32.const 1)) (then (return (call $f${index - 1} (local.get $b) (i32.const 3)))))`}
    (i32.add (i32.rotl (local.get $a) (i32.const 5)) (local.get $b)))`;
}

export function bundleOf(module: Uint8Array, name: string, version = "1.0.0"): Uint8Array {
  const manifest = `name = "${name}"
version = "${version}"
authors = ["The Remora authors"]
licence = "Apache-2.0"
[host]
name = "bench"
version = "^1.0.0"
[[artifacts]]
file = "plugin.wasm"
world = "bench:plugin/runner@0.1.0"
`;
  return packBundle(
    new Map([
      ["remora.toml", new TextEncoder().encode(manifest)],
      ["plugin.wasm", module],
    ]),
  );
}
