/** A plugin of AssemblyScript's convention that fetches an address in its start, with asyncify by hand. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";

/** @param before What it does in its start before that, with its imports and texts. */
export async function fetchingPlugin(
  url: string,
  before: { readonly fields: string; readonly start: string } = { fields: "", start: "" },
): Promise<Uint8Array> {
  const units = [...Buffer.from(url, "utf16le")]
    .map((byte) => `\\${byte.toString(16).padStart(2, "0")}`)
    .join("");
  return parse(`(module
    (import "as-fetch" "_initAsyncify" (func $init (param i32 i32)))
    (import "as-fetch" "_fetchGETSync" (func $fetch (param i32 i32 i32) (result i32)))
    ${before.fields}
    (memory (export "memory") 4 16)
    (data (i32.const 1020) "\\${(2 * url.length).toString(16).padStart(2, "0")}\\00\\00\\00" "${units}")
    (global $top (mut i32) (i32.const 8192))
    (global $state (mut i32) (i32.const 0))
    (func (export "__new") (param $length i32) (param i32) (result i32)
      (local $at i32)
      (local.set $at (i32.add (global.get $top) (i32.const 32)))
      (global.set $top (i32.and (i32.add (i32.add (local.get $at) (local.get $length)) (i32.const 15)) (i32.const -16)))
      (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $length))
      (local.get $at))
    (func (export "asyncify_get_state") (result i32) (global.get $state))
    (func (export "asyncify_start_unwind") (param i32) (global.set $state (i32.const 1)))
    (func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
    (func (export "asyncify_start_rewind") (param i32) (global.set $state (i32.const 2)))
    (func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
    (func (export "plugin_start") (param i32 i32) (result i32)
      (local $body i32)
      (if (i32.eqz (global.get $state)) (then ${before.start} (call $init (i32.const 512) (i32.const 0))))
      (local.set $body (call $fetch (i32.const 1024) (i32.const 1) (i32.const 0)))
      (if (i32.eq (global.get $state) (i32.const 1)) (then (return (i32.const 0))))
      ;; An empty body is a failure.
      (i32.eqz (i32.load (i32.sub (local.get $body) (i32.const 4)))))
    (func (export "plugin_stop") (result i32) (i32.const 0)))`);
}
