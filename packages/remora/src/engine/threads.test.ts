/** Threads that a guest makes for itself (CanonicalABI.md, "canon thread.new-indirect" and "canon thread.spawn-…"). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { load } from "./load.ts";

const isShared = 1;

/**
 * Binary of a component's text. Binary.md has a flag `shared` on some of the functions here, which the tool that makes the
 * binary does not know: it is put in where such a function is all of its section.
 */
async function parseFlagged(text: string, flag = 0): Promise<Uint8Array> {
  const bytes = await parse(text);
  const [canonSection, one, spawn, parallelism] = [8, 1, 0x41, 0x42];
  const flagged = Array.from(bytes);
  for (let at = 0; at < flagged.length; at++) {
    const [section, size = 0, count, form] = flagged.slice(at, at + 4);
    if (section !== canonSection || count !== one || (form !== spawn && form !== parallelism)) continue;
    flagged[at + 1] = size + 1;
    flagged.splice(at + 4, 0, flag);
  }
  return Uint8Array.from(flagged);
}

interface Guest {
  readonly index: "i32" | "i64";
  readonly argument: "i32" | "i64";
  readonly make: "new-indirect" | "spawn-indirect";
}

/** Two threads add what they were given, and the one that made them waits until both have. */
const guest = ({ index, argument, make }: Guest) =>
  parseFlagged(`(component
    (core type $start (func (param ${argument})))
    (core module $libc (table (export "t") ${index === "i64" ? "i64" : ""} 2 funcref))
    (core instance $l (instantiate $libc))
    (alias core export $l "t" (core table $t))
    (core func $make (canon thread.${make} $start (core table $t)))
    (core type (func))
    (core func $parallelism (canon thread.available_parallelism))
    (core type (func))
    (core func $resume (canon thread.resume-later))
    (core func $yield (canon thread.yield))
    (core func $return (canon task.return (result u64)))
    (core module $m
      (import "l" "t" (table ${index === "i64" ? "i64" : ""} 2 funcref))
      (import "h" "make" (func $make (param ${index} ${argument}) (result i32)))
      (import "h" "resume" (func $resume (param i32)))
      (import "h" "yield" (func $yield (result i32)))
      (import "h" "parallelism" (func $parallelism (result i32)))
      (import "h" "return" (func $return (param i64)))
      (global $sum (mut i64) (i64.const 0))
      (global $left (mut i32) (i32.const 2))
      (func $add (param ${argument})
        (drop (call $yield))
        (global.set $sum (i64.add (global.get $sum)
          ${argument === "i64" ? "(local.get 0)" : "(i64.extend_i32_u (local.get 0))"}))
        (global.set $left (i32.sub (global.get $left) (i32.const 1))))
      (elem (${index}.const 1) func $add)
      (func $begin (param ${argument}) (local $thread i32)
        (local.set $thread (call $make (${index}.const 1) (local.get 0)))
        ${make === "new-indirect" ? "(call $resume (local.get $thread))" : ""})
      (func (export "f")
        (call $begin (${argument}.const ${argument === "i64" ? "0x100000000" : "5"}))
        (call $begin (${argument}.const 7))
        (loop $more (drop (call $yield)) (br_if $more (global.get $left)))
        (call $return (i64.add (global.get $sum) (i64.extend_i32_u (call $parallelism))))))
    (core instance $i (instantiate $m (with "l" (instance $l)) (with "h" (instance
      (export "make" (func $make)) (export "resume" (func $resume)) (export "yield" (func $yield))
      (export "parallelism" (func $parallelism)) (export "return" (func $return))))))
    (func (export "f") async (result u64) (canon lift (core func $i "f") async)))`);

for (const make of ["new-indirect", "spawn-indirect"] as const) {
  for (const index of ["i32", "i64"] as const) {
    for (const argument of ["i32", "i64"] as const) {
      test(`${make}: a table of ${index} gives threads that take an ${argument}`, async () => {
        const { exports } = await load<{ f(): Promise<bigint> }>(await guest({ index, argument, make }));
        // One thread runs at a time, which is what the guest is told.
        assert.equal(await exports.f(), (argument === "i64" ? 2n ** 32n : 5n) + 7n + 1n);
      });
    }
  }
}

const refused: Readonly<Record<string, readonly [code: string, text: string, flag?: number]>> = {
  "threads that run beside each other": [
    "component/unsupported",
    "(core func (canon thread.available_parallelism))",
    isShared,
  ],
  "threads of a function that takes nothing": [
    "component/invalid",
    `(core type $f (func)) (core module $m (table (export "t") 1 funcref)) (core instance $l (instantiate $m))
     (alias core export $l "t" (core table $t)) (core func (canon thread.new-indirect $f (core table $t)))`,
  ],
  "threads from a table of no functions": [
    "component/invalid",
    `(core type $f (func (param i32))) (core module $m (table (export "t") 1 externref))
     (core instance $l (instantiate $m)) (alias core export $l "t" (core table $t))
     (core func (canon thread.new-indirect $f (core table $t)))`,
  ],
  "threads from a table that is not there": [
    "component/invalid",
    "(core type $f (func (param i32))) (core func (canon thread.new-indirect $f (core table 0)))",
  ],
};

for (const [what, [code, text, flag]] of Object.entries(refused)) {
  test(`${what} are refused where they are asked for`, async () => {
    await assert.rejects(load(await parseFlagged(`(component ${text})`, flag)), { code });
  });
}
