/** Guests of the manager's benchmark: core modules of a chosen size, as bundles for a host with one small world. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { packBundle } from "remora/bundle";
import { cacheFolder } from "../component/cache-folder.ts";
import { compiledLike } from "./compiled-like.ts";

/** A module of about so many bytes: `run` adds, the rest is as a compiler makes it. */
export function moduleOf(kilobytes: number, constant = 1): Promise<Uint8Array> {
  return moduleWith(constant, compiledLike(kilobytes * 1_000, runner.functions));
}

/**
 * A module of so many functions, all of them small and all of them loops: per byte three and a half times as many functions as the
 * densest of seven programs of npm, and four times as many loops.
 */
export function denseModuleOf(count: number, constant = 1): Promise<Uint8Array> {
  const functions = Array.from({ length: count }, (_, index) => dense(index));
  return moduleWith(constant, `(memory (export "memory") 1) ${functions.join("\n")}`);
}

/** What the bench's world wants of a module. */
const runner = {
  functions: 4,
  text: (constant: number) => `(type (func (param i32 i32) (result i32)))
    (global $kept (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32)
      (global.set $kept (i32.add (global.get $kept) (i32.const 1)))
      (i32.add (local.get 0) (i32.const ${constant})))
    (func (export "alloc") (param i32) (result i32) (i32.const 64))
    (func (export "save_state") (result i64)
      (i32.store (i32.const 32) (global.get $kept)) (i64.const 137438953476))
    (func (export "restore_state") (param i32 i32) (result i32)
      (global.set $kept (i32.load (local.get 0))) (i32.const 0))`,
};

async function moduleWith(constant: number, fields: string): Promise<Uint8Array> {
  const text = `(module ${runner.text(constant)} ${fields})`;
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

function dense(index: number): string {
  const before = index + runner.functions - 1;
  return `(func (type 0) (local i32)
    (loop
      (if (i32.lt_u (local.get 2) (local.get 1)) (then
        (i32.store (i32.shl (local.get 2) (i32.const 2))
          (i32.xor (i32.load offset=${index % 4_096} (local.get 2)) (i32.mul (local.get 0) (i32.const ${index * 7 + 3}))))
        (local.set 2 (i32.add (local.get 2) (i32.const 1)))
        (br 1))))
    ${index % 16 === 0 ? "" : `(if (i32.and (local.get 0) (i32.const 1)) (then (return (call ${before} (local.get 1) (i32.const 3)))))`}
    (i32.add (i32.rotl (local.get 0) (i32.const 5)) (local.get 1)))`;
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
