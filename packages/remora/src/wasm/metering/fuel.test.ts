import assert from "node:assert/strict";
import { test } from "node:test";
import { print } from "@bytecodealliance/jco-transpile/wasm-tools";
import { assemble, meter, outcome, v8 } from "./rig.test.ts";

/** Text of a module, arguments of its export `run`, and the units by hand: metering specification 4.3. */
const counts: [claim: string, text: string, args: unknown[], units: number][] = [
  ["entering an empty function costs one", `(func (export "run"))`, [], 1],
  ["nop, drop, block and end are free", `(func (export "run") nop (block (drop (i32.const 1))))`, [], 2],
  [
    "return is free, what follows it is not counted",
    `(func (export "run") return (drop (i32.const 1)))`,
    [],
    1,
  ],
  [
    "of both arms of an if the one that runs is counted",
    `(func (export "run") (param i32) (if (local.get 0) (then (drop (i32.const 1))) (else (drop (i32.const 1)) (drop (i32.const 2)) (drop (i32.const 3)))))`,
    [1],
    1 + 2 + 1,
  ],
  [
    "the other arm, when that runs",
    `(func (export "run") (param i32) (if (local.get 0) (then (drop (i32.const 1))) (else (drop (i32.const 1)) (drop (i32.const 2)) (drop (i32.const 3)))))`,
    [0],
    1 + 2 + 3,
  ],
  [
    "an early return",
    `(func (export "run") (param i32) (if (local.get 0) (then (drop (i32.const 1)) (return))) (drop (i32.const 1)) (drop (i32.const 2)))`,
    [1],
    1 + 2 + 1,
  ],
  [
    "no early return",
    `(func (export "run") (param i32) (if (local.get 0) (then (drop (i32.const 1)) (return))) (drop (i32.const 1)) (drop (i32.const 2)))`,
    [0],
    1 + 2 + 2,
  ],
  [
    "a block that is left early",
    `(func (export "run") (param i32) (block $else (br_if $else (local.get 0)) (drop (i32.const 1)) (drop (i32.const 2)) (return)) (drop (i32.const 3)))`,
    [1],
    1 + 2 + 1,
  ],
  [
    "a block that is not left early",
    `(func (export "run") (param i32) (block $else (br_if $else (local.get 0)) (drop (i32.const 1)) (drop (i32.const 2)) (return)) (drop (i32.const 3)))`,
    [0],
    1 + 2 + 2,
  ],
  [
    "what a branch jumps over is not counted",
    `(func (export "run") (param i32) (block (br_if 0 (local.get 0)) (drop (i32.const 1)) (drop (i32.const 1))) (drop (i32.const 1)))`,
    [1],
    1 + 2 + 1,
  ],
  [
    "a call costs its operator and the entry of the callee",
    `(func $f) (func (export "run") (call $f) (call $f))`,
    [],
    1 + 2 * 2,
  ],
  [
    "a callee with a constant cost is paid by its caller",
    `(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))) (func (export "run") (drop (call $f (call $f (i32.const 1)))))`,
    [],
    1 + 1 + 2 * (1 + 4),
  ],
  [
    "a callee through a table counts itself",
    `(table funcref (elem $f)) (func $f) (func (export "run") (call_indirect (i32.const 0)))`,
    [],
    1 + 2 + 1,
  ],
  [
    "the header of a loop is counted once a turn, and once more when the loop is left there",
    `(func (export "run") (param i32) (loop $again (if (local.get 0) (then (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $again)))))`,
    [3],
    1 + 4 * 2 + 3 * 5,
  ],
  [
    "br_table costs one, whatever it has",
    `(func (export "run") (param i32) (block (block (block (br_table 0 1 2 (local.get 0))) (drop (i32.const 1))) (drop (i32.const 1))))`,
    [1],
    1 + 2 + 1,
  ],
  [
    "memory.fill costs a unit a byte",
    `(memory 1) (func (export "run") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))`,
    [1_000],
    1 + 4 + 1_000,
  ],
  [
    "a constant length is charged with its operator",
    `(memory 1) (func (export "run") (memory.fill (i32.const 0) (i32.const 1) (i32.const 300)))`,
    [],
    1 + 4 + 300,
  ],
  [
    "a long memory.copy is charged in chunks to the same sum",
    `(memory 4) (func (export "run") (memory.copy (i32.const 1) (i32.const 0) (i32.const 200000)))`,
    [],
    1 + 4 + 200_000,
  ],
  [
    "memory.init costs a unit a byte",
    `(memory 1) (data "hello") (func (export "run") (param i32) (memory.init 0 (i32.const 0) (i32.const 0) (local.get 0)))`,
    [5],
    1 + 4 + 5,
  ],
  [
    "table.fill costs a unit an element",
    `(table 20 funcref) (func (export "run") (param i32) (table.fill (i32.const 0) (ref.null func) (local.get 0)))`,
    [20],
    1 + 4 + 20,
  ],
  [
    "memory.grow costs a unit a page when it succeeds",
    `(memory 1) (func (export "run") (drop (memory.grow (i32.const 3))))`,
    [],
    1 + 2 + 3,
  ],
  [
    "memory.grow costs its operator when it fails",
    `(memory 1 2) (func (export "run") (drop (memory.grow (i32.const 3))))`,
    [],
    1 + 2,
  ],
  [
    "table.grow by a negative number costs its operator",
    `(table 1 funcref) (func (export "run") (drop (table.grow (ref.null func) (i32.const -16))))`,
    [],
    1 + 3,
  ],
  [
    "a tail call costs its operator and the entry of the callee",
    `(func $f (param i32) (if (local.get 0) (then (return_call $f (i32.sub (local.get 0) (i32.const 1)))))) (func (export "run") (call $f (i32.const 3)))`,
    [],
    1 + 2 + 3 * (1 + 2 + 4) + (1 + 2),
  ],
  [
    "what an exception skips is not counted",
    `(tag $t) (func $f (throw $t) (drop (i32.const 1))) (func (export "run") (block $h (try_table (catch_all $h) (call $f) (drop (i32.const 1)) (drop (i32.const 1)))) (drop (i32.const 1)))`,
    [],
    1 + 1 + 1 + (1 + 1) + 1,
  ],
];

for (const [claim, text, args, units] of counts) {
  test(claim, async () => {
    const bytes = await assemble(`(module ${text})`);
    for (const slice of [1, 7, 2 ** 30]) {
      const { exports, consumed } = meter(bytes, { slice });
      exports.run(...args);
      assert.equal(consumed(), units, `slice ${slice}`);
    }
  });
}

/** What is charged, in the order of the code. */
const charges: [claim: string, text: string, units: number[]][] = [
  [
    "a turn of a loop that something always goes back to is charged once",
    `(func (export "run") (param i32) (loop $again (if (local.get 0) (then (local.set 0 (i32.add (local.get 0) (i32.const -1))) (br $again)))))`,
    // The entry with the first header; the turn with the next header.
    [3, 7],
  ],
  [
    "what an early return and the code behind it have in common is charged before both",
    `(func (export "run") (param i32) (if (local.get 0) (then (drop (i32.const 1)) (return))) (drop (i32.const 1)) (drop (i32.const 2)))`,
    [4, 1],
  ],
  [
    "what both ways from the only branch of a block have in common is charged before it",
    `(func (export "run") (param i32) (result i32) (block $end (result i32) (block $else (br_if $else (local.get 0)) (i32.const 1) (br $end)) (i32.const 2) (drop) (i32.const 3)))`,
    [5],
  ],
  [
    "where two branches leave a block, each way is charged by itself",
    `(func (export "run") (param i32) (block $else (br_if $else (local.get 0)) (br_if $else (i32.eqz (local.get 0))) (drop (i32.const 1)) (return)) (drop (i32.const 3)))`,
    [3, 3, 1, 1],
  ],
];

for (const [claim, text, units] of charges) {
  test(claim, async () => {
    const { bytes } = meter(await assemble(`(module ${text})`));
    const found = (await print(bytes)).matchAll(/i32\.const (\d+)\s+i32\.sub/g);
    assert.deepEqual(
      Array.from(found, (charge) => Number(charge[1])),
      units,
    );
  });
}

/** Programs with state that shows how far they came: `run` returns a number, `memory` is compared. */
const programs: [claim: string, text: string, args: number[]][] = [
  [
    "nested loops",
    `(memory (export "memory") 1)
     (func (export "run") (param i32) (result i32) (local i32 i32)
       (loop $outer
         (local.set 2 (i32.const 5))
         (loop $inner
           (i32.store8 (local.get 1) (i32.add (local.get 2) (local.get 0)))
           (local.set 1 (i32.add (local.get 1) (i32.const 1)))
           (br_if $inner (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
         (br_if $outer (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
       (local.get 1))`,
    [9],
  ],
  [
    "loops gone on with from several places, one right inside the other",
    `(memory (export "memory") 1)
     (func (export "run") (param i32) (result i32) (local i32)
       (block $out
         (loop $outer
           (loop $inner
             (i32.store8 (local.get 1) (local.get 0))
             (local.set 1 (i32.add (local.get 1) (i32.const 1)))
             (if (i32.eqz (i32.rem_u (local.get 1) (i32.const 3)))
               (then
                 (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                 (br_if $out (i32.eqz (local.get 0)))
                 (br $outer)))
             (if (i32.and (local.get 1) (i32.const 1)) (then (br $inner)) (else (drop (local.get 0)) (br $inner))))))
       (local.get 1))`,
    [9],
  ],
  [
    "ways that part and meet as compilers write them",
    `(memory (export "memory") 1)
     (func (export "run") (param i32) (result i32) (local i32)
       (loop $again
         (block $end
           (block $else
             (br_if $else (i32.and (local.get 0) (i32.const 1)))
             (block $deep
               (br_if $deep (i32.and (local.get 0) (i32.const 2)))
               (i32.store8 (local.get 0) (i32.const 3))
               (br $end))
             (local.set 1 (i32.add (local.get 1) (local.get 0)))
             (br $end))
           (if (i32.gt_u (local.get 1) (i32.const 90)) (then (return (local.get 1))))
           (i32.store8 offset=40 (local.get 0) (i32.const 4)))
         (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
       (i32.add (local.get 1) (i32.const 1_000)))`,
    [25],
  ],
  [
    "a loop gone on with always and on a condition",
    `(memory (export "memory") 1)
     (func (export "run") (param i32) (result i32) (local i32)
       (loop $again
         (local.set 1 (i32.add (local.get 1) (i32.const 1)))
         (br_if $again (i32.and (local.get 1) (i32.const 1)))
         (i32.store8 (local.get 1) (local.get 0))
         (if (i32.lt_u (local.get 1) (local.get 0)) (then (br $again))))
       (local.get 1))`,
    [40],
  ],
  [
    "recursion",
    `(memory (export "memory") 1)
     (func $fib (export "run") (param i32) (result i32)
       (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
       (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
         (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))`,
    [10],
  ],
  [
    "a loop that calls, returns early and branches out",
    `(memory (export "memory") 1)
     (func $mark (param i32) (i32.store8 (local.get 0) (i32.const 1)) (if (i32.and (local.get 0) (i32.const 1)) (then (return))) (i32.store8 offset=256 (local.get 0) (i32.const 2)))
     (func (export "run") (param i32) (result i32)
       (block $out
         (loop $again
           (call $mark (local.get 0))
           (br_if $out (i32.eq (local.get 0) (i32.const 3)))
           (if (i32.eq (local.get 0) (i32.const 200)) (then (return (i32.const 77))))
           (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
           (br $again)))
       (local.get 0))`,
    [20],
  ],
  [
    "a split loop left by return, br_table and br_if, with values",
    `(memory (export "memory") 1)
     (func (export "run") (param i32) (result i32) (local i32)
       (block $a (result i32)
         (block $b (result i32)
           (loop $l
             (i32.store8 (local.get 1) (local.get 0))
             (local.set 1 (i32.add (local.get 1) (i32.const 1)))
             (if (i32.eq (local.get 1) (i32.const 40)) (then (return (i32.const 1))))
             (br_if $l (i32.lt_u (local.get 1) (local.get 0)))
             (br_table $b $a (i32.const 8) (i32.rem_u (local.get 0) (i32.const 3))))
           (unreachable))
         (i32.add (i32.const 1)))
       (i32.add (i32.const 100)))`,
    [30],
  ],
  [
    "exceptions thrown through frames and caught in a loop",
    `(memory (export "memory") 1) (tag $t (param i32))
     (func $thrower (param i32) (i32.store8 (local.get 0) (i32.const 9)) (if (i32.rem_u (local.get 0) (i32.const 3)) (then (throw $t (local.get 0)))) (i32.store8 offset=99 (local.get 0) (i32.const 8)))
     (func $between (param i32) (call $thrower (local.get 0)) (i32.store8 offset=300 (local.get 0) (i32.const 7)))
     (func (export "run") (param i32) (result i32) (local i32)
       (loop $again
         (block $h (result i32)
           (try_table (catch $t $h) (call $between (local.get 0)))
           (i32.const 1))
         (local.set 1 (i32.add (local.get 1)))
         (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
       (local.get 1))`,
    [12],
  ],
  [
    "bulk operations and growth",
    `(memory (export "memory") 1)
     (func (export "run") (param i32) (result i32)
       (loop $again
         (memory.fill (local.get 0) (local.get 0) (i32.mul (local.get 0) (i32.const 3)))
         (memory.copy (i32.const 7) (i32.const 3) (i32.mul (local.get 0) (i32.const 5)))
         (drop (memory.grow (i32.const 1)))
         (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
       (memory.size))`,
    [6],
  ],
];

const slices = [1, 7, 100, 2 ** 30];

for (const [claim, text, args] of programs) {
  test(`${claim}: as the original, the same count and the same point of exhaustion in every slicing`, async () => {
    const bytes = await assemble(`(module ${text})`);
    const plain = meterless(bytes);
    const expected = outcome(() => plain.run(...args));
    const totals = new Set<number>();
    for (const slice of slices) {
      const metered = meter(bytes, { slice });
      assert.equal(
        outcome(() => metered.exports.run(...args)),
        expected,
      );
      assert.deepEqual(hash(metered.exports), hash(plain));
      totals.add(metered.consumed());
    }
    assert.equal(totals.size, 1);
    const [total = 0] = totals;
    for (let fuel = 0; fuel <= total; fuel += Math.max(1, Math.floor(total / 40))) {
      const points = slices.map((slice) => stopsAt(bytes, args, { fuel, slice }));
      assert.equal(new Set(points).size, 1, `budget ${fuel}: ${points}`);
    }
    assert.equal(stopsAt(bytes, args, { fuel: total, slice: 7 }).split(" ")[0], `${expected}`);
  });

  test(`${claim}: as the original without exact fuel`, async () => {
    const bytes = await assemble(`(module ${text})`);
    const plain = meterless(bytes);
    const { exports } = meter(bytes, { slice: 3, options: { mode: "deadline" } });
    assert.equal(
      outcome(() => exports.run(...args)),
      outcome(() => plain.run(...args)),
    );
    assert.deepEqual(hash(exports), hash(plain));
  });
}

/** Of the guest's memory: FNV-1a. */
function hash({ memory }: { memory?: { buffer: ArrayBuffer } }): number {
  assert.ok(memory !== undefined);
  let result = 0x811c9dc5;
  for (const byte of new Uint8Array(memory.buffer)) result = Math.imul(result ^ byte, 0x01000193);
  return result;
}

// biome-ignore lint/suspicious/noExplicitAny: as in the rig
function meterless(bytes: Uint8Array): any {
  return new v8.Instance(new v8.Module(bytes)).exports;
}

function stopsAt(bytes: Uint8Array, args: number[], limits: { fuel: number; slice: number }): string {
  const { exports, consumed } = meter(bytes, limits);
  const result = outcome(() => exports.run(...args));
  return `${result} ${consumed() > limits.fuel} ${hash(exports)}`;
}
