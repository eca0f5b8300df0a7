/** A plugin of the buffer convention that emits the same delta again and again, each time that it is polled. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";

export const emitsPerPoll = 20;

const emitted = '{"updates":[{"values":[{"path":"environment.wind.speedTrue","value":7.31}]}]}';

export async function emitterWasm(folder: string): Promise<string> {
  const path = join(folder, "emitter.wasm");
  const answer = (name: string) =>
    `(func (export "${name}") (param i32 i32) (result i32) (i32.store16 (local.get 0) (i32.const 0x7d7b)) (i32.const 2))`;
  const wat = `(module
    (import "env" "sk_handle_message" (func $emit (param i32 i32)))
    (memory (export "memory") 2)
    (data (i32.const 1024) ${JSON.stringify(emitted).replaceAll('\\"', "\\22")})
    (func (export "allocate") (param i32) (result i32) (i32.const 65536))
    (func (export "deallocate") (param i32 i32))
    ${["plugin_id", "plugin_name", "plugin_schema"].map(answer).join("\n")}
    (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
    (func (export "plugin_stop") (result i32) (i32.const 0))
    (func (export "poll") (result i32)
      (local $left i32)
      (local.set $left (i32.const ${emitsPerPoll}))
      (loop $more
        (call $emit (i32.const 1024) (i32.const ${emitted.length}))
        (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (i32.const 0)))`;
  await writeFile(path, await parse(wat));
  return path;
}
