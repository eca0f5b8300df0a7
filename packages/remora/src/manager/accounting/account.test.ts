import assert from "node:assert/strict";
import { test } from "node:test";
import { type Calls, guests, ref, rig, run, testHost } from "../testing/rig.test.ts";
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

for (const isolation of ["inline", "worker"] as const) {
  test(`${isolation}: calls of host functions that need no capability are counted, by instances that are gone too`, async (t) => {
    const hosts = [
      { ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, bindIsolated: () => ({}) })) },
    ];
    const { manager } = await rig(t, { hosts });
    const told = await manager.install(
      await ref(
        `(import "env" "tell" (func $tell (param i32)))
         (func (export "run") (param i32) (result i32)
           (call $tell (i32.const 1)) (call $tell (i32.const 2))
           (if (i32.lt_s (local.get 0) (i32.const 0)) (then (unreachable))) (local.get 0))`,
        { top: `isolation = "${isolation}"` },
      ),
    );
    await told.call("run", [1]);
    await assert.rejects(told.call("run", [-1]));
    await told.call("run", [1]);
    await manager.reload("adder");
    assert.equal(accountOf(told).hostCalls, 6);
    assert.equal(accountOf(told).refusals, 0);
  });
}

test("a plugin that does not run has its counts and holds nothing", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  plugin.use(run, 1);
  const { calls } = accountOf(plugin);
  await manager.disable("adder");
  const { calls: still, memoryBytes, p50ns } = accountOf(plugin);
  assert.deepEqual([still, memoryBytes, p50ns], [calls, 0, 0]);
});
