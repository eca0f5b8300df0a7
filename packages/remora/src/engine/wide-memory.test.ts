/** Components whose memory is a 64-bit one (CanonicalABI.md, "ptr_type"), on the metered engine. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction } from "../component/index.ts";
import { openArtifact } from "./artifact.ts";
import { openIsolation } from "./isolation/open.ts";
import { defaultLimits } from "./limits.ts";
import { load } from "./load.ts";
import { allocator, type Echoing, echoing, memory, realloc } from "./testing/wide-guests.test.ts";

const ask = (text: string) => `${text}, you said`;
const texts = ["", "ascii", "grün", "日本", "a\u{1f41f}b", "x".repeat(1_000), "ü".repeat(70_000)];

for (const encoding of ["utf8", "utf16", "latin1+utf16"]) {
  const bytes = await echoing(encoding);

  test(`strings in ${encoding} come back as they went, wherever they lie`, async () => {
    const { exports } = await load<Echoing>(bytes, { imports: { ask } });
    for (const text of texts) {
      assert.equal(exports.echo(text), text);
      assert.equal(exports.maybe(text), text);
      assert.equal(exports.asked(text), ask(text));
      assert.equal(exports.first(text, ...new Array<string>(8).fill("other")), text);
    }
    assert.equal(exports.maybe(undefined), undefined);
    const pairs = texts.map((text, index): [string, number] => [text, index]);
    assert.deepEqual(exports.texts(pairs), pairs);
  });
}

const bytes = await echoing("utf8");

test("lists of records and of bytes come back as they went", async () => {
  const { exports } = await load<Echoing>(bytes, { imports: { ask } });
  const rows = Array.from({ length: 300 }, (_, at) => ({
    name: `row ${at}`,
    note: at % 3 === 0 ? undefined : "note",
    at,
  }));
  assert.deepEqual(exports.records(rows), rows);
  assert.deepEqual(exports.bytes(Uint8Array.of(1, 2, 3)), Uint8Array.of(1, 2, 3));
});

const outside: readonly (readonly [string, "given" | "words", bigint, bigint])[] = [
  ["a string beyond the memory", "given", 65_530n, 10n],
  ["a string at the end of the address space", "given", 2n ** 64n - 8n, 8n],
  ["a string whose end overflows 64 bits", "given", 2n ** 64n - 8n, 16n],
  ["a string whose address overflows 32 bits into the memory", "given", 2n ** 32n + 16n, 4n],
  ["a string whose length overflows 32 bits into the memory", "given", 16n, 2n ** 32n + 4n],
  ["a string of 2^63 bytes", "given", 0n, 2n ** 63n],
  ["a list of 2^61 elements, whose size overflows 64 bits", "words", 0n, 2n ** 61n],
  ["a misaligned list beyond 2^53", "words", 2n ** 53n + 2n, 0n],
  ["a misaligned list", "words", 4n, 1n],
];

for (const [what, name, at, length] of outside) {
  test(`${what} is a trap`, async () => {
    const instance = await load<Echoing>(bytes, { imports: { ask } });
    assert.throws(() => instance.exports[name](at, length), { code: "component/trap" });
    assert.ok(instance.isPoisoned);
  });
}

test("in latin1+utf16 a length is no tag of 32 bits", async () => {
  const { exports } = await load<Echoing>(await echoing("latin1+utf16"), { imports: { ask } });
  assert.throws(() => exports.given(16n, 2n ** 31n + 2n), { code: "component/trap" });
});

for (const [what, body] of [
  ["beyond the memory", "(i64.const 65536)"],
  ["where it would lie in 32 bits", "(i64.const 0x100000040)"],
  ["misaligned", "(i64.const 4)"],
] as const) {
  test(`an allocator that gives memory ${what} fails the call`, async () => {
    const lying = await parse(`(component
      (core module $m (memory (export "memory") i64 1)
        (func (export "cabi_realloc") (param i64 i64 i64 i64) (result i64) ${body})
        (func (export "take") (param i64 i64)))
      (core instance $l (instantiate $m))
      (func (export "take") (param "words" (list u64)) (canon lift (core func $l "take") ${memory} ${realloc})))`);
    const { exports } = await load<{ take(words: bigint[]): void }>(lying);
    assert.throws(() => exports.take([1n]), { code: "component/trap" });
  });
}

test("values beyond 4 GiB are stored and loaded where they are", async () => {
  const far = "(i64.const 0x10f000000)";
  for (const encoding of ["utf8", "utf16", "latin1+utf16"]) {
    const large = await parse(`(component
      (core module $m (memory (export "memory") i64 70000)
        (global $top (mut i64) (i64.const 0x110000000))
        (func (export "cabi_realloc") (param i64 i64 i64 i64) (result i64)
          (global.set $top (i64.and (i64.add (global.get $top) (i64.const 7)) (i64.const -8)))
          (global.get $top)
          (global.set $top (i64.add (global.get $top) (local.get 3))))
        (func (export "echo") (param i64 i64) (result i64)
          (i64.store ${far} (local.get 0)) (i64.store offset=8 ${far} (local.get 1)) ${far}))
      (core instance $l (instantiate $m))
      (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $l "echo") string-encoding=${encoding} ${memory} ${realloc})))`);
    const instance = await load<Pick<Echoing, "echo">>(large, { limits: { memoryPagesMax: 80_000 } });
    for (const text of ["grün", "日本".repeat(30)]) assert.equal(instance.exports.echo(text), text);
    instance.close();
  }
});

test("a guest with a 64-bit memory calls one with a 32-bit memory, and is called by it", async () => {
  const echo = (address: "i32" | "i64") => `
    (component
      (core module $m
        (memory (export "memory") ${address === "i64" ? "i64" : ""} 1)
        (global $top (mut ${address}) (${address}.const 4096))
        (func (export "cabi_realloc") (param ${address} ${address} ${address} ${address}) (result ${address})
          (global.set $top (${address}.and (${address}.add (global.get $top) (${address}.const 7)) (${address}.const -8)))
          (global.get $top)
          (global.set $top (${address}.add (global.get $top) (local.get 3))))
        (func (export "echo") (param ${address} ${address}) (result ${address})
          (${address}.store (${address}.const 8) (local.get 0))
          (${address}.store offset=${address === "i64" ? 8 : 4} (${address}.const 8) (local.get 1))
          (${address}.const 8)))
      (core instance $l (instantiate $m))
      (func (export "echo") (param "t" (list (tuple string u16))) (result (list (tuple string u16)))
        (canon lift (core func $l "echo") ${memory} ${realloc})))`;
  const through = (address: "i32" | "i64") => `
    (component
      (import "echo" (func $echo (param "t" (list (tuple string u16))) (result (list (tuple string u16)))))
      (core module $libc
        (memory (export "memory") ${address === "i64" ? "i64" : ""} 1)
        (global $top (mut ${address}) (${address}.const 4096))
        (func (export "cabi_realloc") (param ${address} ${address} ${address} ${address}) (result ${address})
          (global.set $top (${address}.and (${address}.add (global.get $top) (${address}.const 7)) (${address}.const -8)))
          (global.get $top)
          (global.set $top (${address}.add (global.get $top) (local.get 3)))))
      (core instance $l (instantiate $libc))
      (core func $e (canon lower (func $echo) ${memory} ${realloc}))
      (core module $m
        (import "h" "e" (func $e (param ${address} ${address} ${address})))
        (func (export "echo") (param ${address} ${address}) (result ${address})
          (call $e (local.get 0) (local.get 1) (${address}.const 32)) (${address}.const 32)))
      (core instance $i (instantiate $m (with "h" (instance (export "e" (func $e))))))
      (func (export "echo") (param "t" (list (tuple string u16))) (result (list (tuple string u16)))
        (canon lift (core func $i "echo") ${memory} ${realloc})))`;
  for (const [outer, inner] of [
    ["i64", "i32"],
    ["i32", "i64"],
  ] as const) {
    const both = await parse(`(component
      (component $echo ${echo(inner).trim().slice("(component".length)}
      (component $through ${through(outer).trim().slice("(component".length)}
      (instance $e (instantiate $echo))
      (instance $t (instantiate $through (with "echo" (func $e "echo"))))
      (export "echo" (func $t "echo")))`);
    const { exports } = await load<{ echo(pairs: [string, number][]): [string, number][] }>(both);
    assert.deepEqual(exports.echo([["a", 1], ["日本", 2]]), [["a", 1], ["日本", 2]]); // biome-ignore format: two pairs
  }
});

test("streams, futures, waitable sets and error contexts have addresses of 64 bits", async () => {
  const waiting = await parse(`(component
    (import "ask" (func $ask async (param "text" string) (result string)))
    (type $bytes (stream u8)) (type $later (future u32))
    (core module $libc ${allocator})
    (core instance $l (instantiate $libc))
    (core func $ask-core (canon lower (func $ask) async ${memory} ${realloc}))
    (core func $wait (canon waitable-set.wait ${memory}))
    (core func $set-new (canon waitable-set.new))
    (core func $join (canon waitable.join))
    (core func $subtask-drop (canon subtask.drop))
    (core func $new (canon stream.new $bytes))
    (core func $write (canon stream.write $bytes async ${memory}))
    (core func $read (canon stream.read $bytes ${memory}))
    (core func $future-new (canon future.new $later))
    (core func $future-write (canon future.write $later async ${memory}))
    (core func $future-read (canon future.read $later ${memory}))
    (core func $error-new (canon error-context.new ${memory}))
    (core func $error-message (canon error-context.debug-message ${memory} ${realloc}))
    (core func $return (canon task.return (result string) ${memory}))
    (core module $m
      (import "l" "memory" (memory i64 1))
      (import "h" "ask" (func $ask (param i64 i64 i64) (result i32)))
      (import "h" "wait" (func $wait (param i32 i64) (result i32)))
      (import "h" "set-new" (func $set-new (result i32)))
      (import "h" "join" (func $join (param i32 i32)))
      (import "h" "subtask-drop" (func $subtask-drop (param i32)))
      (import "h" "new" (func $new (result i64)))
      (import "h" "write" (func $write (param i32 i64 i64) (result i64)))
      (import "h" "read" (func $read (param i32 i64 i64) (result i64)))
      (import "h" "future-new" (func $future-new (result i64)))
      (import "h" "future-write" (func $future-write (param i32 i64) (result i32)))
      (import "h" "future-read" (func $future-read (param i32 i64) (result i32)))
      (import "h" "error-new" (func $error-new (param i64 i64) (result i32)))
      (import "h" "error-message" (func $error-message (param i32 i64)))
      (import "h" "return" (func $return (param i64 i64)))
      (func $high (param i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32))))
      (func $must (param i32) (if (i32.eqz (local.get 0)) (then (unreachable))))
      (func (export "f") (param $at i64) (param $length i64) (local $set i32) (local $ends i64)
        (local.set $set (call $set-new))
        (call $join
          (i32.shr_u (call $ask (local.get $at) (local.get $length) (i64.const 32)) (i32.const 4))
          (local.get $set))
        (call $must (i32.eq (call $wait (local.get $set) (i64.const 64)) (i32.const 1)))
        (call $subtask-drop (i32.load (i64.const 64)))
        (local.set $ends (call $new))
        ;; BLOCKED is as many bits as it always has.
        (call $must (i64.eq
          (call $write (call $high (local.get $ends)) (i64.load (i64.const 32)) (i64.const 3))
          (i64.const 0xffffffff)))
        (call $must (i64.eq
          (call $read (i32.wrap_i64 (local.get $ends)) (i64.const 128) (i64.const 2))
          (i64.const 0x20)))
        (local.set $ends (call $future-new))
        (i32.store (i64.const 72) (i32.const 77))
        (call $must (i32.eq (call $future-write (call $high (local.get $ends)) (i64.const 72)) (i32.const -1)))
        (call $must (i32.eqz (call $future-read (i32.wrap_i64 (local.get $ends)) (i64.const 80))))
        (call $must (i32.eq (i32.load (i64.const 80)) (i32.const 77)))
        (call $error-message (call $error-new (i64.const 128) (i64.const 2)) (i64.const 144))
        (call $return (i64.load (i64.const 144)) (i64.load (i64.const 152)))))
    (core instance $i (instantiate $m (with "l" (instance $l)) (with "h" (instance
      ${["ask:ask-core", "wait", "set-new", "join", "subtask-drop", "new", "write", "read"]
        .concat(["future-new", "future-write", "future-read", "error-new", "error-message", "return"])
        .map((name) => name.split(":"))
        .map(([name, core]) => `(export "${name}" (func $${core ?? name}))`)
        .join(" ")}))))
    (func (export "f") async (param "text" string) (result string)
      (canon lift (core func $i "f") async ${memory} ${realloc})))`);
  const answer = asyncHostFunction(async (text: string) => `${text}, later`);
  const { exports } = await load<{ f(text: string): Promise<string> }>(waiting, {
    imports: { ask: answer },
  });
  assert.equal(await exports.f("abc"), "ab");
});

test("behind a wall a 64-bit memory is filled as it is in front of it", async () => {
  await using isolation = openIsolation("worker");
  const artifact = openArtifact(bytes);
  const guest = await isolation.instantiate(artifact, { imports: { ask }, limits: defaultLimits });
  const rows = [{ name: "a", note: undefined, at: 1.5 }];
  assert.deepEqual((await guest.call("records", [rows])).result, rows);
  assert.equal((await guest.call("asked", ["grün"])).result, ask("grün"));
});
