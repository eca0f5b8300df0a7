/** A version that fails while it is drained: its successor answers the call, and nobody else notices. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PluginHost } from "./host.ts";
import type { Manager } from "./manager.ts";
import { type AsyncCalls, guests, ref, rig, runAsync, settled, walledHost } from "./testing/rig.test.ts";

const policy = { healthEveryMs: 0, probationMs: 0, limits: { fuelMax: 5_000_000, deadlineMs: 20_000 } };

/** Waits for the host in the middle of a call, and then fails. */
const failsLate = (end: string) => `(import "env" "hold" (func $hold))
  (func (export "run") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
    (call $hold)
    ${end})`;

const ends: Readonly<Record<string, readonly [end: string, code: string]>> = {
  traps: ["(unreachable)", "engine/unreachable"],
  loops: ["(loop (br 0)) (unreachable)", "engine/out-of-fuel"],
};

for (const isolation of ["worker", "process"] as const) {
  const top = `isolation = "${isolation}"`;
  for (const [what, [end, code]] of Object.entries(ends)) {
    test(`${isolation}: when one ${what} while it is drained, the next version answers, and no breaker opens`, async (t) => {
      const { host, held, letGo } = holdingHost();
      const { manager, events } = await rig(t, { hosts: [host], policy });
      const plugin = await manager.install<AsyncCalls>(await ref(failsLate(end), { top }));
      assert.equal(await plugin.useAsync(runAsync, 0), 7);
      const drained = plugin.useAsync(runAsync, 1);
      await held;
      await manager.install(await ref(guests.adds(10), { top, version: "1.1.0" }));
      assert.equal(await plugin.useAsync(runAsync, 1), 11, "the new one serves while the old one is drained");
      letGo();
      assert.equal(await drained, 11);
      const traps = events.flatMap((event) => (event.kind === "trap" ? [[event.version, event.code]] : []));
      assert.deepEqual(traps, [["1.0.0", code]]);
      assert.deepEqual([plugin.state, plugin.breaker], ["running", "closed"]);
      assert.equal(manager.info("adder").version, "1.1.0");
      assert.ok(!events.some(({ kind }) => kind === "returned"));
      await settled(() => plugin.counts().traps === 1, 10_000);
    });
  }
}

test("a manager is closed when the last call of a version that was replaced is over", async (t) => {
  const { host, held, letGo } = holdingHost();
  const { manager } = await rig(t, { hosts: [host], policy });
  const top = 'isolation = "worker"';
  const plugin = await manager.install<AsyncCalls>(await ref(failsLate("(i32.const 3)"), { top }));
  const order: string[] = [];
  const called = plugin.useAsync(runAsync, 1).then(() => order.push("called"));
  await held;
  await manager.install(await ref(guests.adds(10), { top, version: "1.1.0" }));
  const closed = manager.close().then(() => order.push("closed"));
  await settled(() => plugin.state === "draining");
  letGo();
  await Promise.all([called, closed]);
  assert.deepEqual(order, ["called", "closed"]);
});

for (const [what, stops] of [
  ["disabled", (manager: Manager) => manager.disable("adder")],
  ["removed", (manager: Manager) => manager.remove("adder")],
] as const) {
  test(`a plugin is ${what} when the last call of a version that was replaced is over, and nothing of that stays`, async (t) => {
    const { host, held, letGo } = holdingHost();
    const { manager } = await rig(t, { hosts: [host], policy });
    const top = 'isolation = "worker"';
    const plugin = await manager.install<AsyncCalls>(await ref(failsLate("(i32.const 3)"), { top }));
    const order: string[] = [];
    const called = plugin.useAsync(runAsync, 1).then(() => {
      manager.sharedState.set("adder", "key", new Uint8Array(3));
      order.push("called");
    });
    await held;
    await manager.reload("adder");
    const stopped = stops(manager).then(() => order.push(what));
    await settled(() => plugin.state === "draining");
    letGo();
    await Promise.all([called, stopped]);
    assert.deepEqual(order, ["called", what]);
    if (what === "removed") assert.equal(manager.sharedState.usedBy("adder").keys, 0);
  });
}

/** A host whose guests can be kept waiting in the middle of a call. */
function holdingHost(): { host: PluginHost; held: Promise<void>; letGo: () => void } {
  const begun = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const hold = async () => {
    begun.resolve();
    await over.promise;
  };
  const worlds = walledHost.worlds.map((world) => ({
    ...world,
    hostFunctions: ["env", "env.hold"],
    imports: () => ({ env: { hold } }),
  }));
  return { host: { ...walledHost, worlds }, held: begun.promise, letGo: over.resolve };
}
