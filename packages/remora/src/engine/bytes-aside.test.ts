/** Units that are set aside for the bytes of bulk operations: seen by no account, and no way to more fuel or time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import fc from "fast-check";
import { isRemoraError } from "../base/index.ts";
import type { CoreFunction, CoreMemory } from "../component/core.ts";
import type { InstanceEngine } from "./core-engine.ts";
import type { Limits } from "./limits.ts";
import { asideUnits, unclockedUnits } from "./slices.ts";
import { engineWith } from "./testing/limited-engine.test.ts";

/** Its `run` does operations on bytes, each of another length, and counts them; `once` does one. */
const module = (address: "i32" | "i64") => {
  const at = (value: number) => `(${address}.const ${value})`;
  const length = address === "i64" ? "(i64.extend_i32_u (local.get 0))" : "(local.get 0)";
  return parse(`(module
    (import "host" "look" (func $look))
    (memory (export "memory") ${address === "i64" ? "i64" : ""} 4)
    (data $text "${"remora ".repeat(3_000)}")
    (global $done (export "done") (mut i32) (i32.const 0))
    (func (export "fill") (param i32) (memory.fill ${at(0)} (i32.const 7) ${length}))
    (func (export "copy") (param i32) (memory.copy ${at(100_000)} ${at(50_000)} ${length}))
    (func (export "init") (param i32) (memory.init $text ${at(3)} (i32.const 1) (local.get 0)))
    (func (export "run") (param $seed i32) (param $most i32) (local i32)
      (local.set 2 (local.get $seed))
      (loop $again
        (local.set 2 (i32.add (i32.mul (local.get 2) (i32.const 1103515245)) (i32.const 12345)))
        (local.set 0 (i32.rem_u (i32.shr_u (local.get 2) (i32.const 8)) (local.get $most)))
        (memory.fill ${at(0)} (local.get 2) ${length})
        (global.set $done (i32.add (global.get $done) (i32.const 1)))
        (memory.copy ${at(100_000)} ${at(50_000)} ${length})
        (global.set $done (i32.add (global.get $done) (i32.const 1)))
        (if (i32.eqz (i32.and (global.get $done) (i32.const 6))) (then (call $look)))
        (memory.init $text ${at(3)} (i32.const 1) (local.get 0))
        (global.set $done (i32.add (global.get $done) (i32.const 1)))
        (br $again))))`);
};
const modules = { i32: await module("i32"), i64: await module("i64") } as const;

/** Of its call of the host, which it is charged behind the check of its loop: by so much it may have overdrawn its counter then. */
const callUnits = 1;

interface GuestOptions {
  readonly limits: Partial<Limits>;
  readonly address?: "i32" | "i64";
  readonly sharesCounters?: boolean;
  readonly sliceUnits?: number | undefined;
  readonly clock?: () => number;
  readonly look?: (engine: InstanceEngine) => void;
  readonly module?: Uint8Array;
}

function guestOf({ limits, address = "i32", sharesCounters = false, ...options }: GuestOptions) {
  const { sliceUnits, clock, look } = options;
  const engine = engineWith(limits, {
    rewrite: { sharesCounters },
    ...(sliceUnits !== undefined && { sliceUnits }),
    ...(clock !== undefined && { clock }),
  });
  const { exports } = engine.instantiate(options.module ?? modules[address], {
    host: { look: () => look?.(engine) },
  });
  const call = (name: string, ...args: number[]) => {
    engine.enter();
    try {
      (exports[name] as CoreFunction)(...args);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
  };
  const done = () => (exports.done as { value?: number }).value;
  const bytes = () => Buffer.from((exports.memory as CoreMemory).buffer);
  return { engine, call, done, bytes };
}

test("where the fuel of a guest that copies runs out depends on no slice, nor on what is set aside", () => {
  const most = fc.constantFrom(2, 50, 1_000, 5_000, asideUnits, 20_000);
  const cases = fc.record({
    fuelMax: fc.oneof(
      fc.nat(3 * asideUnits),
      fc.nat(200).map((more) => asideUnits + more),
      fc.nat(200_000),
    ),
    seed: fc.integer(),
    most,
    address: fc.constantFrom("i32" as const, "i64" as const),
    looks: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ fuelMax, seed, most, address, looks }) => {
      const outcomes: { done: unknown; used: number; code: string; bytes: Buffer }[] = [];
      for (const sharesCounters of [true, false]) {
        for (const sliceUnits of [1, 100, undefined]) {
          for (const deadlineMs of [Infinity, 1e9]) {
            const guest = guestOf({
              limits: { fuelMax, deadlineMs },
              address,
              sharesCounters,
              sliceUnits,
              look: (engine) => looks && assert.ok(engine.fuelUsed <= fuelMax + callUnits),
            });
            let code = "";
            try {
              guest.call("run", seed, most);
            } catch (error) {
              if (!isRemoraError(error)) throw error;
              code = error.code;
            }
            outcomes.push({
              done: guest.done(),
              used: guest.engine.fuelUsed,
              code,
              bytes: Buffer.from(guest.bytes()),
            });
            guest.engine.close();
          }
        }
      }
      assert.equal(outcomes[0]?.code, "engine/out-of-fuel");
      for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0]);
    }),
    { numRuns: 60 },
  );
});

/** Its `run` takes bytes, calls what is too short to check its counter, and takes bytes again. */
const overdrawing = (unitCount: number) =>
  parse(`(module
    (import "host" "look" (func $look))
    (memory (export "memory") 2)
    (func $short (param $sum i32) (result i32)
      ${"(local.set $sum (i32.add (local.get $sum) (i32.const 1)))".repeat(unitCount / 4)} (local.get $sum))
    (func (export "run") (param $first i32) (param $second i32)
      (memory.fill (i32.const 0) (i32.const 1) (local.get $first))
      (drop (call $short (i32.const 0)))
      (memory.fill (i32.const 65536) (i32.const 2) (local.get $second))))`);

test("a guest that has overdrawn its counter takes no more bytes, though some are set aside", async () => {
  const module = await overdrawing(1_600);
  // Just enough for both: the first slice, and as much as can be set aside.
  const fuelMax = unclockedUnits + asideUnits;
  let stoppedCount = 0;
  for (let first = asideUnits - 2_000; first < asideUnits - 10; first += 10) {
    const outcomes = [1, undefined].map((sliceUnits) => {
      const guest = guestOf({ limits: { fuelMax, deadlineMs: 1e9 }, module, sliceUnits });
      let code = "";
      try {
        guest.call("run", first, 10);
      } catch (error) {
        if (!isRemoraError(error)) throw error;
        code = error.code;
      }
      const outcome = { code, used: guest.engine.fuelUsed, isTaken: guest.bytes()[65_536] === 2 };
      guest.engine.close();
      return outcome;
    });
    assert.deepEqual(outcomes[1], outcomes[0], `${first} bytes first`);
    assert.equal(outcomes[1]?.isTaken, outcomes[1]?.code === "");
    if (outcomes[1]?.code === "engine/out-of-fuel") stoppedCount++;
  }
  assert.ok(stoppedCount > 0 && stoppedCount < 199, `${stoppedCount} of 199 were stopped`);
});

test("bytes cost the same units wherever they are taken from, and a call that is given just these succeeds", () => {
  for (const name of ["fill", "copy", "init"]) {
    for (const length of [0, 1, 500, 1_024, asideUnits - 1, asideUnits, asideUnits + 1, 20_000]) {
      const guest = guestOf({ limits: {} });
      // Twice: what is left of the first call is not there for the second.
      for (let times = 0; times < 2; times++) {
        guest.call(name, length);
        assert.equal(guest.engine.fuelUsed, 5 + length, `${name} of ${length}`);
      }
      const fuelMax = guest.engine.fuelUsed;
      guest.engine.budget = { fuelMax, deadlineMs: 1_000 };
      guest.call(name, length);
      guest.engine.budget = { fuelMax: fuelMax - 1, deadlineMs: 1_000 };
      assert.throws(() => guest.call(name, length), { code: "engine/out-of-fuel" });
    }
  }
});

test("a kilobyte that is copied needs no look at the clock, and what is set aside is there once a slice", () => {
  let looks = 0;
  const guest = guestOf({ limits: { deadlineMs: 1_000 }, clock: () => ++looks / 1e6 });
  looks = 0;
  for (let times = 0; times < 100; times++) guest.call("copy", 1_024);
  assert.equal(looks, 0);
  guest.call("copy", asideUnits + 1);
  assert.ok(looks > 0);
});

test("a guest that does nothing but fill fresh pages piece by piece ends at its deadline", () => {
  let nowMs = 0;
  // Whoever looks sees that a tenth of a millisecond has gone by.
  const guest = guestOf({ limits: { fuelMax: Infinity, deadlineMs: 5 }, clock: () => (nowMs += 0.1) });
  assert.throws(() => guest.call("run", 1, asideUnits), { code: "engine/deadline" });
  // The first slice and some fifty others of half of what is left, each with what was set aside and one operation too many.
  const sliceMax = 5_000 * (5 / 2 + 0.1) + 2 * asideUnits;
  assert.ok(guest.engine.fuelUsed < 52 * sliceMax, `${guest.engine.fuelUsed} units`);
});
