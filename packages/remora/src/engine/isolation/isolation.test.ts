/** What holds at every level: the same calls, the same results, the same codes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { openArtifact } from "../artifact.ts";
import { defaultLimits } from "../limits.ts";
import { openIsolation } from "./open.ts";

const levels = ["inline"] as const;

const module = `(module
  (import "env" "note" (func $note (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (local.get 0))
  (func (export "note") (param i32) (result i32) (call $note (local.get 0)))
  (func (export "spin") (loop (br 0)))
  (func (export "trap") unreachable))`;

for (const level of levels) {
  const open = async (note: (value: number) => unknown = (value) => value + 1) => {
    const isolation = openIsolation(level);
    const artifact = openArtifact(await parse(module), { plugin: "table" });
    return isolation.instantiate(artifact, { imports: { env: { note } }, limits: defaultLimits });
  };

  test(`${level}: a call gives its result and what it cost`, async () => {
    const guest = await open();
    const { result, report } = await guest.call("add", [2, 3]);
    assert.equal(result, 5);
    assert.deepEqual({ ...report, durationMs: 0 }, { fuelUsed: 4, memoryPages: 1, durationMs: 0 });
    assert.equal((await guest.call("wide", [2n ** 40n])).result, 2n ** 40n);
    guest.close();
  });

  test(`${level}: a batch gives results up to its first failure`, async () => {
    const guest = await open();
    const outcome = await guest.callBatch("note", [[1], [2], [3]]);
    assert.deepEqual(outcome.results, [2, 3, 4]);
    assert.equal(outcome.failure, undefined);
    const failed = await guest.callBatch("wide", [[1n], [2]]);
    assert.deepEqual(failed.results, [1n]);
    assert.equal(failed.failure?.index, 1);
    assert.ok(failed.failure?.error instanceof TypeError);
    guest.close();
  });

  test(`${level}: the budget of a call ends it by its code`, async () => {
    const guest = await open();
    await assert.rejects(guest.call("spin", [], { fuelMax: 1_000 }), { code: "engine/out-of-fuel" });
    assert.ok(guest.isPoisoned);
    await assert.rejects(guest.call("add", [1, 1]), { code: "engine/poisoned" });
    guest.close();
  });
}
