import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../base/index.ts";
import { componentFromWit } from "../component/testing/harness.test.ts";
import type { TrapPlace } from "./errors.ts";
import { load } from "./load.ts";
import { routineEngine } from "./routine-engine.ts";

const wit = `package t:t@1.0.0;
  interface i {
    record pair { first: string, second: option<string>, numbers: tuple<u64, u64, u64, u64, u64, u64, u64, u64> }
    take: func(pair: pair, numbers: tuple<u64, u64, u64, u64, u64, u64, u64, u64>) -> u32;
  }
  world w { export i; }`;
const numbers = new Array<bigint>(8).fill(0n);

/** Its allocator traps when it is asked for 13 bytes, and takes a long time for 14. */
const guest = await componentFromWit({
  wit,
  world: "w",
  wat: `(module
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 4096))
    (func $give (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
      (if (i32.eq (local.get 3) (i32.const 13)) (then unreachable))
      (if (i32.eq (local.get 3) (i32.const 14)) (then (loop (br 0))))
      (local.set $p (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $p) (local.get 3)))
      (local.get $p))
    (func (export "t:t/i@1.0.0#take") (param i32) (result i32)
      (global.set $top (i32.const 4096))
      (i32.load offset=4 (local.get 0))))`,
});

async function warm() {
  const instance = await load<{ i: { take(pair: object, numbers: bigint[]): number } }>(guest, {
    limits: { fuelMax: 100_000, deadlineMs: Number.POSITIVE_INFINITY },
  });
  const take = (first: string, second?: string) =>
    instance.exports.i.take({ first, second, numbers }, numbers);
  const fuel: number[] = [];
  for (let use = 0; use < 2 * routineEngine.usesBefore; use++) {
    assert.equal(take("one", "two"), 3);
    fuel.push(instance.fuelUsed);
  }
  return { instance, take, fuel };
}

function errorOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    assert.ok(isRemoraError(error), String(error));
    return error;
  }
  assert.fail("nothing thrown");
}

test("a call costs the same fuel whoever calls the allocator", async () => {
  const { fuel } = await warm();
  assert.deepEqual(new Set(fuel).size, 1);
});

test("a trap below a routine is the guest's, with its place, and poisons", async () => {
  const { instance, take } = await warm();
  const error = errorOf(() => take("thirteen-----"));
  assert.equal(error.code, "engine/unreachable");
  assert.equal((error.details as { place?: TrapPlace }).place?.functionName, "give");
  assert.ok(instance.isPoisoned);
});

test("fuel ends below a routine, and the instance is poisoned", async () => {
  const { instance, take } = await warm();
  assert.equal(errorOf(() => take("fourteen------")).code, "engine/out-of-fuel");
  assert.ok(instance.isPoisoned);
});

test("imports that are not what the module declares are refused without a throw", () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 8, 1, 1, 0x67, 1, 0x66, 3, 0x7f, 0);
  assert.equal(routineEngine.instantiate(empty, {}), undefined);
  assert.equal(routineEngine.instantiate(empty.subarray(0, 12), {}), undefined);
});
