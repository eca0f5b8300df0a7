import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble, meter, outcome, v8 } from "./rig.test.ts";

/** Ends of loops: how local 0 goes on, how it is compared (local 1 is a bound), and from where to where. */
const ends: [claim: string, step: string, compare: string, from: number, bound: number][] = [
  ["up by one to a local", "(i32.add (local.get 0) (i32.const 1))", "(i32.ne (TEE) (local.get 1))", 3, 40],
  ["up by one to a constant", "(i32.add (local.get 0) (i32.const 1))", "(i32.ne (TEE) (i32.const 40))", 3, 0],
  ["up by four, evenly", "(i32.add (local.get 0) (i32.const 4))", "(i32.ne (TEE) (local.get 1))", 8, 80],
  [
    "up by four from below zero",
    "(i32.add (local.get 0) (i32.const 4))",
    "(i32.ne (TEE) (local.get 1))",
    -80,
    16,
  ],
  ["up to zero", "(i32.add (local.get 0) (i32.const 1))", "(TEE)", -30, 0],
  ["down to zero", "(i32.add (local.get 0) (i32.const -1))", "(TEE)", 30, 0],
  ["down to zero by subtraction", "(i32.sub (local.get 0) (i32.const 2))", "(TEE)", 30, 0],
  [
    "down by eight to a local",
    "(i32.add (local.get 0) (i32.const -8))",
    "(i32.ne (TEE) (local.get 1))",
    96,
    16,
  ],
  ["once", "(i32.add (local.get 0) (i32.const 1))", "(i32.ne (TEE) (local.get 1))", 7, 8],
  [
    "by a step that is no power of two",
    "(i32.add (local.get 0) (i32.const 3))",
    "(i32.ne (TEE) (local.get 1))",
    0,
    30,
  ],
  ["with the bound first", "(i32.add (local.get 0) (i32.const 1))", "(i32.ne (local.get 1) (TEE))", 3, 40],
  ["while less", "(i32.add (local.get 0) (i32.const 1))", "(i32.lt_u (TEE) (local.get 1))", 3, 40],
];

/** Too many turns to run: it must stop at the same one in every slicing. */
const endless: [claim: string, step: string, compare: string, from: number, bound: number][] = [
  [
    "from its bound, all the way around",
    "(i32.add (local.get 0) (i32.const 1))",
    "(i32.ne (TEE) (local.get 1))",
    7,
    7,
  ],
  [
    "with a step that never meets the bound",
    "(i32.add (local.get 0) (i32.const 4))",
    "(i32.ne (TEE) (local.get 1))",
    0,
    7,
  ],
  ["away from its bound", "(i32.add (local.get 0) (i32.const -1))", "(i32.ne (TEE) (local.get 1))", 0, 7],
];

async function loop(step: string, compare: string): Promise<Uint8Array> {
  const condition = compare.replace("TEE", `local.tee 0 ${step}`);
  return await assemble(`(module (global $turns (export "turns") (mut i32) (i32.const 0)) (memory (export "memory") 1)
    (func (export "run") (param i32 i32) (result i32) (local i32)
      (local.set 2 (i32.const 5))
      (loop $l
        (local.set 2 (i32.add (local.get 2) (i32.mul (local.get 0) (local.get 2))))
        (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
        (br_if $l ${condition}))
      (local.get 2)))`);
}

for (const [claim, step, compare, from, bound] of ends) {
  test(`a loop that counts ${claim}: same result, same fuel, same last turn in every slicing`, async () => {
    const bytes = await loop(step, compare);
    const plain = new v8.Instance(new v8.Module(bytes)).exports;
    const expected = plain.run(from, bound);
    const turns = plain.turns.value;
    const perTurn = 6 + 4 + 4 + (compare.includes("i32.") ? 2 : 0) + 1;
    const total = 1 + 2 + turns * perTurn + 1;
    for (const slice of [1, 7, 100, 2 ** 30]) {
      const { exports, consumed } = meter(bytes, { slice });
      assert.equal(exports.run(from, bound), expected);
      assert.equal(consumed(), total);
      const deadline = meter(bytes, { slice, options: { mode: "deadline" } }).exports;
      assert.equal(deadline.run(from, bound), expected);
    }
    for (let fuel = 0; fuel < total; fuel += 5) {
      const stops = [1, 7, 100, 2 ** 30].map((slice) => stopsAt(bytes, [from, bound], fuel, slice));
      assert.equal(new Set(stops).size, 1, `budget ${fuel}: ${stops}`);
    }
  });
}

for (const [claim, step, compare, from, bound] of endless) {
  test(`a loop that counts ${claim} stops at the same turn in every slicing`, async () => {
    const bytes = await loop(step, compare);
    for (const fuel of [100, 12_345]) {
      const stops = [1, 7, 100, 2 ** 30].map((slice) => stopsAt(bytes, [from, bound], fuel, slice));
      assert.equal(new Set(stops).size, 1, `${stops}`);
      assert.ok(stops[0]?.startsWith("trap: unreachable"));
    }
  });
}

test("a bound or a counter that the loop writes otherwise is not counted on", async () => {
  const bytes = await assemble(`(module
    (func (export "bound") (param i32 i32) (result i32) (local i32)
      (loop $l
        (local.set 1 (i32.and (local.get 1) (i32.const 15)))
        (local.set 2 (i32.add (local.get 2) (i32.const 1)))
        (br_if $l (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (local.get 1))))
      (local.get 2))
    (func (export "counter") (param i32 i32) (result i32) (local i32)
      (loop $l
        (local.set 2 (i32.add (local.get 2) (i32.const 1)))
        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (br_if $l (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (local.get 1))))
      (local.get 2)))`);
  for (const slice of [1, 2 ** 30]) {
    const { exports, consumed } = meter(bytes, { slice });
    assert.equal(exports.bound(0, 28), 12);
    assert.equal(consumed(), 1 + 12 * (4 + 4 + 7) + 1);
    assert.equal(exports.counter(0, 20), 10);
    assert.equal(consumed(), 1 + 12 * 15 + 1 + 1 + 10 * (4 + 4 + 7) + 1);
  }
});

function stopsAt(bytes: Uint8Array, args: number[], fuel: number, slice: number): string {
  const { exports } = meter(bytes, { fuel, slice });
  return `${outcome(() => exports.run(...args))} ${exports.turns.value}`;
}
