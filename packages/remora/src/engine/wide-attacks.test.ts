/** Addresses that a guest with a 64-bit memory hands over in its calls out: each that is not its own is a trap. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { load } from "./load.ts";
import { allocator, memory, realloc } from "./testing/wide-guests.test.ts";

const bytes = await parse(`(component
  (import "ask" (func $ask (param "text" string) (result string)))
  (import "many" (func $many (param "a" string) (param "b" string) (param "c" string) (param "d" string)
    (param "e" string) (param "f" string) (param "g" string) (param "h" string) (param "i" string)))
  (type $stream (stream u32))
  (core module $libc ${allocator})
  (core instance $l (instantiate $libc))
  (core func $ask-core (canon lower (func $ask) ${memory} ${realloc}))
  (core func $many-core (canon lower (func $many) ${memory} ${realloc}))
  (core func $set-new (canon waitable-set.new))
  (core func $poll (canon waitable-set.poll ${memory}))
  (core func $new (canon stream.new $stream))
  (core func $write (canon stream.write $stream async ${memory}))
  (core func $error-new (canon error-context.new ${memory}))
  (core func $error-message (canon error-context.debug-message ${memory} ${realloc}))
  (core module $m
    (import "h" "ask" (func $ask (param i64 i64 i64)))
    (import "h" "many" (func $many (param i64)))
    (import "h" "set-new" (func $set-new (result i32)))
    (import "h" "poll" (func $poll (param i32 i64) (result i32)))
    (import "h" "new" (func $new (result i64)))
    (import "h" "write" (func $write (param i32 i64 i64) (result i64)))
    (import "h" "error-new" (func $error-new (param i64 i64) (result i32)))
    (import "h" "error-message" (func $error-message (param i32 i64)))
    (func (export "result") (param i64 i64) (call $ask (i64.const 0) (i64.const 0) (local.get 0)))
    (func (export "arguments") (param i64 i64) (call $many (local.get 0)))
    (func (export "event") (param i64 i64) (drop (call $poll (call $set-new) (local.get 0))))
    (func (export "buffer") (param i64 i64)
      (drop (call $write (i32.wrap_i64 (i64.shr_u (call $new) (i64.const 32))) (local.get 0) (local.get 1))))
    (func (export "error") (param i64 i64) (drop (call $error-new (local.get 0) (local.get 1))))
    (func (export "message") (param i64 i64)
      (call $error-message (call $error-new (i64.const 0) (i64.const 0)) (local.get 0))))
  (core instance $i (instantiate $m (with "h" (instance
    (export "ask" (func $ask-core)) (export "many" (func $many-core)) (export "set-new" (func $set-new))
    (export "poll" (func $poll)) (export "new" (func $new)) (export "write" (func $write))
    (export "error-new" (func $error-new)) (export "error-message" (func $error-message))))))
  ${["result", "arguments", "event", "buffer", "error", "message"]
    .map(
      (name) =>
        `(func (export "${name}") (param "at" u64) (param "length" u64) (canon lift (core func $i "${name}")))`,
    )
    .join("\n")})`);

type Attack = Readonly<Record<string, (at: bigint, length: bigint) => void>>;
const imports = { ask: (text: string) => text, many() {} };

/** Where each takes what it is given: with an address of the memory's own nothing happens. */
const sizes = { result: 16n, arguments: 144n, event: 8n, buffer: 4n, error: 1n, message: 16n };

for (const [name, size] of Object.entries(sizes)) {
  test(`${name}: at the very end of the memory it is in order`, async () => {
    const { exports } = await load<Attack>(bytes, { imports });
    exports[name]?.(65_536n - size, 1n);
  });

  for (const [what, at, length] of [
    ["that ends beyond the memory", 65_536n - size + 8n, 1n],
    ["that 32 bits would put into it", 2n ** 32n + 16n, 1n],
    ["whose end overflows 64 bits", 2n ** 64n - 8n, 1n],
    ["that is negative", 2n ** 63n, 1n],
  ] as const) {
    test(`${name}: an address ${what} is a trap`, async () => {
      const instance = await load<Attack>(bytes, { imports });
      assert.throws(() => instance.exports[name]?.(at, length), { code: "component/trap" });
      assert.ok(instance.isPoisoned);
    });
  }
}

for (const [what, length] of [
  ["that 32 bits would make one", 2n ** 32n + 1n],
  ["whose bytes overflow 64 bits into it", 2n ** 62n + 1n],
  ["of more than can be told beside a result", 2n ** 28n],
] as const) {
  test(`a buffer of a number of values ${what} is a trap`, async () => {
    const { exports } = await load<Attack>(bytes, { imports });
    assert.throws(() => exports.buffer?.(16n, length), { code: "component/trap" });
  });
}
