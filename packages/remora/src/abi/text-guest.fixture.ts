/** Guests in WebAssembly text that keep the conventions, and some that break them, for the tests of this layer. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import {
  defaultLimits,
  type GuestAccess,
  type HostImports,
  type Limits,
  ModuleInstance,
  openArtifact,
} from "../engine/index.ts";

export interface GuestOptions {
  readonly limits?: Partial<Limits>;
  readonly imports?: (guest: GuestAccess) => HostImports;
}

export async function moduleOf(fields: string, options: GuestOptions = {}): Promise<ModuleInstance> {
  const artifact = openArtifact(await parse(`(module ${fields})`), { plugin: "test" });
  const instance = artifact.instantiate({
    limits: { ...defaultLimits, ...options.limits },
    imports: options.imports ?? {},
  });
  if (!(instance instanceof ModuleInstance)) throw new TypeError("expected a core module");
  return instance;
}

/** An allocator that never frees, and how often it was told to; `pinned` is how many objects are. */
export const bumpAllocator = `
  (memory (export "memory") 1 100)
  (global $top (mut i32) (i32.const 1024))
  (global $pinned (mut i32) (i32.const 0))
  (global $freed (mut i32) (i32.const 0))
  (func $bump (param $length i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get $length)) (i32.const 47)) (i32.const -16)))
    (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 10)))))
    (local.get $at))
  (func (export "pinned") (result i32) (global.get $pinned))
  (func (export "freed") (result i32) (global.get $freed))`;

/** AssemblyScript's runtime, as far as a host sees it. */
export const managedRuntime = `${bumpAllocator}
  (func $new (export "__new") (param $length i32) (param $id i32) (result i32)
    (local $at i32)
    (local.set $at (i32.add (call $bump (i32.add (local.get $length) (i32.const 32))) (i32.const 32)))
    (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $length))
    (local.get $at))
  (func (export "__pin") (param i32) (result i32)
    (global.set $pinned (i32.add (global.get $pinned) (i32.const 1))) (local.get 0))
  (func (export "__unpin") (param i32)
    (global.set $pinned (i32.sub (global.get $pinned) (i32.const 1))))
  (func (export "same") (param i32) (result i32) (local.get 0))`;

/** The allocator of the buffer convention, and an answer that is the request again. */
export const bufferRuntime = `${bumpAllocator}
  (func (export "allocate") (param i32) (result i32) (call $bump (local.get 0)))
  (func (export "deallocate") (param i32 i32)
    (global.set $freed (i32.add (global.get $freed) (i32.const 1))))
  (func (export "same") (param $text i32) (param $length i32) (param $out i32) (param $max i32) (result i32)
    (memory.copy (local.get $out) (local.get $text) (local.get $length)) (local.get $length))`;

/** Asyncify's protocol by hand: a function that waits once in "wait" and then gives what that returned. */
export const asyncified = `
  (import "host" "wait" (func $wait (param i32) (result i32)))
  (global $state (mut i32) (i32.const 0))
  (global $waits (export "waits") (mut i32) (i32.const 0))
  (func (export "asyncify_get_state") (result i32) (global.get $state))
  (func (export "asyncify_start_unwind") (param i32) (global.set $state (i32.const 1)))
  (func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
  (func (export "asyncify_start_rewind") (param i32) (global.set $state (i32.const 2)))
  (func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
  (func $waited (export "waited") (param $text i32) (result i32)
    (local $found i32)
    (local.set $found (call $wait (local.get $text)))
    (if (i32.eq (global.get $state) (i32.const 1)) (then (return (i32.const 0))))
    (local.get $found))`;

/**
 * The same with as-fetch: "waited" sends a request with the headers whose address is the first units of its text. The frame
 * is at 64; an address, and headers as arrays of arrays of strings, at fixed places.
 */
export const fetching = `
  (import "as-fetch" "_initAsyncify" (func $init (param i32 i32)))
  (import "as-fetch" "_fetchPOSTSync" (func $wait (param i32 i32 i32 i32) (result i32)))
  (data (i32.const 96) "\\1c\\00\\00\\00" "h\\00t\\00t\\00p\\00:\\00/\\00/\\00a\\00.\\00b\\00/\\00c\\00d\\00e\\00")
  (data (i32.const 164) "\\02\\00\\00\\00" "X\\00")
  (data (i32.const 196) "\\02\\00\\00\\00" "1\\00")
  (data (i32.const 228) "\\03\\00\\00\\00" "\\01\\02\\03")
  (data (i32.const 256) "\\00\\00\\00\\00" "\\10\\01\\00\\00" "\\04\\00\\00\\00" "\\01\\00\\00\\00" "\\20\\01\\00\\00")
  (data (i32.const 288) "\\00\\00\\00\\00" "\\30\\01\\00\\00" "\\08\\00\\00\\00" "\\02\\00\\00\\00" "\\a8\\00\\00\\00" "\\c8\\00\\00\\00")
  (func (export "waited") (param $headers i32) (result i32)
    (local $found i32)
    (if (i32.eqz (global.get $state)) (then (call $init (i32.const 64) (i32.const 0))))
    (local.set $found (call $wait (i32.const 100) (i32.const 1) (i32.load (local.get $headers)) (i32.const 232)))
    (if (i32.eq (global.get $state) (i32.const 1)) (then (return (i32.const 0))))
    (local.get $found))
  ${asyncified.replace(/\(import "host".*\n/, "").replace(/\(func \$waited[\s\S]*$/, "")}`;
