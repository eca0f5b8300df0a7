/** Guests that hand over much, in few instructions, without end: the clock is looked at for them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { load } from "./load.ts";

const parts = Array.from({ length: 200 }, () => "u8").join(" ");
const large = Array.from({ length: 100 }, () => "$row").join(" ");

/** The type that is handed over, and the core arguments: all of it is zero bytes of the guest's memory. */
const values = {
  "twenty thousand parts": [`(tuple ${large})`, "(i32.const 0)"],
  "bytes by the megabyte": ["(list u8)", "(i32.const 0) (i32.const 4000000)"],
  "text by the megabyte": ["string", "(i32.const 0) (i32.const 4000000)"],
} as const;

const toHost = (type: string, args: string) => `
  (type $value ${type})
  (import "take" (func $take (param "value" $value)))
  (core func $t (canon lower (func $take) (memory (core memory $l "m"))))
  (core module $m (import "h" "take" (func $take ${paramsOf(args)}))
    (func (export "f") (loop $l (call $take ${args}) (br $l))))
  (core instance $i (instantiate $m (with "h" (instance (export "take" (func $t))))))`;

const toGuest = (type: string, args: string) => `
  (component $taker
    (type $row (tuple ${parts})) (type $value ${type})
    (core module $libc (memory (export "m") 100)
      (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0))
      (func (export "take") ${paramsOf(args)}))
    (core instance $l (instantiate $libc))
    (func (export "take") (param "value" $value)
      (canon lift (core func $l "take") (memory (core memory $l "m")) (realloc (core func $l "r")))))
  (instance $taker (instantiate $taker))
  (alias export $taker "take" (func $take))
  (core func $t (canon lower (func $take) (memory (core memory $l "m"))))
  (core module $m (import "h" "take" (func $take ${paramsOf(args)}))
    (func (export "f") (loop $l (call $take ${args}) (br $l))))
  (core instance $i (instantiate $m (with "h" (instance (export "take" (func $t))))))`;

function paramsOf(args: string): string {
  return `(param ${args.match(/i32/g)?.join(" ")})`;
}

for (const [from, make] of [
  ["the host", toHost],
  ["another guest", toGuest],
] as const) {
  for (const kind of ["synchronous", "asynchronous"] as const) {
    for (const [what, [type, args]] of Object.entries(values)) {
      test(`a ${kind} guest that hands ${from} ${what} without end is stopped at its deadline`, async () => {
        const isAsync = kind === "asynchronous" ? "async" : "";
        const bytes = await parse(`(component
          (type $row (tuple ${parts}))
          (core module $libc (memory (export "m") 100))
          (core instance $l (instantiate $libc))
          ${make(type, args)}
          (func (export "f") ${isAsync} (canon lift (core func $i "f") ${isAsync})))`);
        const { exports } = await load<{ f(): unknown }>(bytes, {
          imports: { take() {} },
          limits: { fuelMax: Number.POSITIVE_INFINITY, deadlineMs: 100 },
        });
        const startedAt = process.threadCpuUsage();
        await assert.rejects(async () => exports.f(), { code: "engine/deadline" });
        const { user, system } = process.threadCpuUsage(startedAt);
        assert.ok(user + system < 2_000_000, `it took ${user + system} us of this thread`);
      });
    }
  }
}
