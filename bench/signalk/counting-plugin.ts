/**
 * A plugin of the buffer convention with next to no work of its own, so that what is measured is the loader: of each delta it
 * takes the length into a sum, which it tells when it is stopped, and each time that it is polled it emits the same delta
 * again and again. One that echoes tells each text that it is given instead, so that texts can be compared.
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";

export const emitsPerPoll = 20;

const emitted = '{"updates":[{"values":[{"path":"environment.wind.speedTrue","value":7.31}]}]}';

const hears = {
  counting: `(global.set $heard (i32.add (i32.mul (global.get $heard) (i32.const 31)) (local.get $length)))`,
  echoing: `(call $say (local.get $text) (local.get $length))`,
};

/** Writes it into the folder. @returns its path */
export async function countingPlugin(folder: string, kind: keyof typeof hears): Promise<string> {
  const path = join(folder, `${kind}.wasm`);
  await writeFile(path, await parse(wat(kind)));
  return path;
}

function wat(kind: keyof typeof hears): string {
  const answer = (name: string) =>
    `(func (export "${name}") (param i32 i32) (result i32) (i32.store16 (local.get 0) (i32.const 0x7d7b)) (i32.const 2))`;
  return `(module
    (import "env" "sk_handle_message" (func $emit (param i32 i32)))
    (import "env" "sk_set_status" (func $say (param i32 i32)))
    (memory (export "memory") 2)
    (data (i32.const 1024) ${JSON.stringify(emitted).replaceAll('\\"', "\\22")})
    (data (i32.const 2048) "0123456789abcdef")
    (global $heard (mut i32) (i32.const 0))
    (func (export "allocate") (param i32) (result i32) (i32.const 65536))
    (func (export "deallocate") (param i32 i32))
    ${["plugin_id", "plugin_name", "plugin_schema"].map(answer).join("\n")}
    (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
    (func (export "delta_handler") (param $text i32) (param $length i32) ${hears[kind]})
    (func (export "plugin_stop") (result i32)
      (local $digits i32)
      (local.set $digits (i32.const 8))
      (loop $more
        (local.set $digits (i32.sub (local.get $digits) (i32.const 1)))
        (i32.store8 offset=3072 (local.get $digits)
          (i32.load8_u offset=2048 (i32.and (global.get $heard) (i32.const 15))))
        (global.set $heard (i32.shr_u (global.get $heard) (i32.const 4)))
        (br_if $more (local.get $digits)))
      (call $say (i32.const 3072) (i32.const 8))
      (i32.const 0))
    (func (export "poll") (result i32)
      (local $left i32)
      (local.set $left (i32.const ${emitsPerPoll}))
      (loop $more
        (call $emit (i32.const 1024) (i32.const ${emitted.length}))
        (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (i32.const 0)))`;
}
