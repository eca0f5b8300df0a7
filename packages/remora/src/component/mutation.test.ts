/** Components with bytes changed, cut out or doubled: each is accepted or refused with a code, soon and in little memory. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRemoraError } from "../base/index.ts";
import { decodeComponent } from "./binary/decode.ts";
import { prepareComponent } from "./prepare.ts";
import { counterGuest, filterGuest, lazyGuest } from "./testing/guests.test.ts";
import { componentFromWat } from "./testing/harness.test.ts";

const nested = await componentFromWat(`(component
  (import "a" (instance $a
    (type $t (record (field "x" u32)))
    (export "t" (type $u (eq $t)))
    (export "r" (type $r (sub resource)))
    (export "f" (func (param "t" $u) (result (own $r))))))
  (alias export $a "r" (type $r))
  (component $c
    (import "r" (type $r (sub resource)))
    (import "f" (func $f (result (own $r))))
    (export "g" (func $f)))
  (core module $m (memory (export "m") 1) (func (export "f") (result i32) i32.const 1))
  (core instance $i (instantiate $m))
  (func $f (result (own $r)) (canon lift (core func $i "f")))
  (instance $d (instantiate $c (with "r" (type $r)) (with "f" (func $f))))
  (export "d" (instance $d)))`);

const asynchronous = await componentFromWat(`(component
  (type $s (stream u8))
  (type $f (future string))
  (core func (canon stream.new $s))
  (core func (canon future.drop-readable $f))
  (core func (canon waitable-set.new))
  (core func (canon task.return))
  (core module $m (memory (export "m") 1) (func (export "f") (param i32) (result i32) i32.const 1))
  (core instance $i (instantiate $m))
  (core func (canon stream.read $s (memory (core memory $i "m"))))
  (func (export "f") (param "s" (stream u8)) (result u32) (canon lift (core func $i "f"))))`);

const seeds = [await filterGuest(), await lazyGuest(), await counterGuest(), nested, asynchronous];

type Change =
  | { kind: "set"; at: number; byte: number }
  | { kind: "cut"; at: number; length: number }
  | { kind: "double"; at: number; length: number };

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("set" as const), at: place, byte: fc.nat(255) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), at: place, length: fc.nat(40) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("double" as const), at: place, length: fc.nat(40) }),
    },
  ),
  { minLength: 1, maxLength: 6 },
);

function change(bytes: Uint8Array, list: readonly Change[]): Uint8Array {
  let changed = Buffer.from(bytes);
  for (const one of list) {
    const at = Math.floor(one.at * changed.length);
    if (one.kind === "set") changed[at] = one.byte;
    else {
      const part =
        one.kind === "cut"
          ? []
          : [changed.subarray(at, at + one.length), changed.subarray(at, at + one.length)];
      changed = Buffer.concat([changed.subarray(0, at), ...part, changed.subarray(at + one.length)]);
    }
  }
  return changed;
}

/** Bytes that the process may grow by over all cases together, which run one after another. */
const growthMax = 256 * 1024 * 1024;
/** Of this thread, for one case; a sound one takes well under a millisecond. */
const microsecondsMax = 2_000_000;

test("a mutated component is accepted or refused with a code", () => {
  const before = process.memoryUsage.rss();
  fc.assert(
    fc.property(fc.constantFrom(...seeds), changes, (seed, list) => {
      const bytes = change(seed, list);
      const start = process.threadCpuUsage();
      try {
        prepareComponent(decodeComponent(bytes));
      } catch (error) {
        assert(isRemoraError(error), `no code: ${error instanceof Error ? error.stack : String(error)}`);
        assert.match(error.code, /^component\//);
      }
      assert(process.threadCpuUsage(start).user < microsecondsMax, "in time");
    }),
    { numRuns: 3_000 },
  );
  assert(process.memoryUsage.rss() - before < growthMax, "in little memory");
});

test("a component cut short anywhere is refused or is whole up to there", () => {
  for (const seed of seeds) {
    for (let length = 0; length < seed.length; length += 7) {
      try {
        prepareComponent(decodeComponent(seed.subarray(0, length)));
      } catch (error) {
        assert(isRemoraError(error), `no code at ${length}: ${String(error)}`);
      }
    }
  }
});
