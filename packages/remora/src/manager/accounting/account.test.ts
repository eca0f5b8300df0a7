import assert from "node:assert/strict";
import { test } from "node:test";
import { type Calls, guests, ref, rig, run } from "../testing/rig.test.ts";
import { accountOf } from "./account.ts";

test("an account counts calls, fuel, traps and reloads over all versions, and holds what lives now", async (t) => {
  const { manager } = await rig(t);
  const memory = '(memory (export "memory") 2)';
  const plugin = await manager.install<Calls>(await ref(`${memory} ${guests.trapsBelowZero}`));
  for (let n = 0; n < 100; n++) plugin.use(run, n);
  const before = accountOf(plugin);
  assert.ok(before.calls >= 100 && before.fuelUsed > 100 && before.cpuMs > 0);
  assert.ok(before.p99ns >= before.p95ns && before.p95ns >= before.p50ns && before.p50ns > 0);
  assert.equal(before.memoryBytes, 2 * 65_536);

  assert.throws(() => plugin.use(run, -1));
  assert.deepEqual([accountOf(plugin).traps, accountOf(plugin).memoryBytes], [1, 0]);
  await manager.reload("adder");
  plugin.use(run, 1);
  const after = accountOf(plugin);
  assert.equal(after.reloads, 1);
  assert.ok(
    after.calls > before.calls + 1 && after.fuelUsed > before.fuelUsed && after.cpuMs >= before.cpuMs,
  );
  assert.deepEqual([after.traps, after.memoryBytes], [1, 2 * 65_536]);
});

test("a plugin that does not run has its counts and holds nothing", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  plugin.use(run, 1);
  const { calls } = accountOf(plugin);
  await manager.disable("adder");
  const { calls: still, memoryBytes, p50ns } = accountOf(plugin);
  assert.deepEqual([still, memoryBytes, p50ns], [calls, 0, 0]);
});
