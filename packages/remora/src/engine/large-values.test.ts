/** Guests that hand over much, in few instructions, without end: the clock is looked at for them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { openArtifact } from "./artifact.ts";
import { defaultLimits } from "./limits.ts";
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

const sixtyFour = (type: string) => `(tuple ${Array.from({ length: 64 }, () => type).join(" ")})`;
const tree = (leaf: string) => `(type $a ${leaf}) (type $b ${sixtyFour("$a")})
  (type $c ${sixtyFour("$b")}) (type $d ${sixtyFour("$c")})`;

/** Types, and how many elements where it is a list; all of it is bytes that nothing was ever written to. */
const results = {
  "lists by the hundred thousand": ["(type $l (list u8)) (type $value (list $l))", 200_000],
  "booleans by the million": ["(type $value (list bool))", 4_000_000],
  "bytes by the megabyte": ["(type $value (list u8))", 60_000_000],
  "text by the megabyte": ["(type $value string)", 60_000_000],
  "a map of a hundred thousand keys": ["(type $value (map u32 u32))", 200_000],
  "a quarter of a million parts": [`${tree("(option u8)")} (type $value (tuple $d))`, undefined],
} as const;

/** A guest whose function gives at once what is of that type; more than one element lies at the same place. */
async function giving(type: string, count: number | undefined): Promise<Uint8Array> {
  const pair = `(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const ${count}))`;
  return parse(`(component ${type}
    (core module $m (memory (export "m") 1024)
      (func (export "f") (result i32) ${count === undefined ? "" : pair} (i32.const 0)))
    (core instance $i (instantiate $m))
    (func (export "f") (result $value) (canon lift (core func $i "f") (memory (core memory $i "m")))))`);
}

for (const [what, [type, count]] of Object.entries(results)) {
  test(`a guest whose result is ${what} does not outlive its deadline by lifting them`, async () => {
    let nowMs = 0;
    const instance = openArtifact(await giving(type, count)).instantiate({
      imports: {},
      limits: { ...defaultLimits, deadlineMs: 5 },
      clock: () => nowMs++,
    });
    assert.throws(() => instance.call("f", []), { code: "engine/deadline" });
    assert.ok(nowMs < 20, `the clock was looked at ${nowMs} times`);
  });
}

test("what is handed over is counted as what it costs the host, and not by the bytes in the guest", async () => {
  for (const [type, count] of [
    ["(type $l (list u8)) (type $value (list $l))", 400_000],
    [`(type $l ${sixtyFour("u8")}) (type $value (list $l))`, 200_000],
    ["(type $o (option u8)) (type $l (option $o)) (type $value (list $l))", 2_000_000],
    ["(type $value (map u32 u32))", 1_000_000],
    [`(type $o (option u8)) ${tree("(option $o)")} (type $value (tuple $d $d $d $d $d $d $d $d))`, undefined],
    [`(type $l (list bool 140000)) (type $value ${sixtyFour("$l")})`, undefined],
  ] as const) {
    const { exports } = await load<{ f(): unknown }>(await giving(type, count), {
      limits: { deadlineMs: Number.POSITIVE_INFINITY },
    });
    assert.throws(() => exports.f(), { code: "component/trap" }, type);
  }
});

test("text that is lifted in pieces is cut between its characters", async () => {
  const encodings = { utf8: "utf8", utf16: "utf16le" } as const;
  for (const [encoding, name] of Object.entries(encodings)) {
    for (const shift of [0, 1, 2, 3, 4]) {
      const text = "x".repeat(shift) + "\u{1f41f}\u00fc\u20ac".repeat(40_000);
      const bytes = Buffer.from(text, name);
      const { exports } = await load<{ f(text: string): string }>(
        await parse(`(component
          (core module $m (memory (export "m") 1024)
            (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "f") (param i32 i32) (result i32)
              (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0)))
          (core instance $i (instantiate $m))
          (func (export "f") (param "text" string) (result string) (canon lift (core func $i "f")
            string-encoding=${encoding} (memory (core memory $i "m")) (realloc (core func $i "r")))))`),
      );
      assert.ok(bytes.length > 300_000);
      assert.ok(exports.f(text) === text, `${encoding}, ${shift}`);
    }
  }
});
