/** What a host holds for an instance, and when it is told to let go of it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PluginHost, WorldBinding } from "./host.ts";
import { type Calls, expectRejected, guests, ref, rig, run, testHost } from "./testing/rig.test.ts";

/** Counts what it holds: one thing for each instance. */
function holdingHost(more: Partial<WorldBinding> = {}) {
  const [world] = testHost.worlds;
  assert.ok(world !== undefined);
  const held = { now: 0, most: 0 };
  const holding: WorldBinding = {
    ...world,
    bindIsolated: async (guest) => ({ run: async () => (await guest.call("run", [1])).result }),
    ...more,
    imports: (plugin) => (_guest, life) => {
      held.now++;
      held.most = Math.max(held.most, held.now);
      life.onEnd(() => held.now--);
      const all = world.imports(plugin);
      return typeof all === "function" ? all(_guest, life) : all;
    },
  };
  const host: PluginHost = { ...testHost, worlds: [holding] };
  return { host, held };
}

for (const isolation of ["inline", "worker"]) {
  const top = `isolation = "${isolation}"`;

  test(`${isolation}: it is held while the instance is there, and let go of when that was replaced or stopped`, async (t) => {
    const { host, held } = holdingHost();
    const { manager } = await rig(t, { hosts: [host], policy: { probationMs: 0 } });
    await manager.install(await ref(guests.adds(1), { top }));
    assert.equal(held.now, 1);
    await manager.install(await ref(guests.adds(2), { top, version: "1.1.0" }));
    assert.deepEqual([held.now, held.most], [1, 2]);
    await manager.disable("adder");
    assert.equal(held.now, 0);
  });

  test(`${isolation}: it is let go of when the instance trapped, and when it could not be made`, async (t) => {
    const { host, held } = holdingHost();
    const { manager } = await rig(t, { hosts: [host] });
    const plugin = await manager.install(await ref(guests.trapsBelowZero, { top }));
    await assert.rejects(plugin.call("run", [-1]), { code: "engine/unreachable" });
    assert.equal(held.now, 0);
    assert.equal(await plugin.call("run", [1]), 1);
    assert.equal(held.now, 1, "the next call has a fresh one");
    const next = await ref(guests.trapsAtStart, { top, version: "1.1.0" });
    await expectRejected(manager.install(next), "manager/prepare");
    assert.equal(held.now, 1);
  });

  test(`${isolation}: it is let go of when what was made is not healthy, at each try`, async (t) => {
    const { host, held } = holdingHost();
    const { manager } = await rig(t, { hosts: [host] });
    for (const guest of [guests.isUnhealthy, guests.trapsInHealth]) {
      await expectRejected(manager.install(await ref(guest, { top })), "manager/prepare");
      assert.deepEqual([held.now, held.most], [0, 1]);
    }
  });
}

test("an instance whose binding fails is closed, and what was held for it is let go of", async (t) => {
  const { host, held } = holdingHost({
    bind: () => {
      throw new TypeError("no such exports");
    },
  });
  const { manager } = await rig(t, { hosts: [host] });
  await assert.rejects(manager.install(await ref(guests.adds(1))), TypeError);
  assert.equal(held.now, 0);
});

test("a world whose guests go on between calls has one instance, whatever the policy allows", async (t) => {
  const { host, held } = holdingHost({ instancesMax: 1 });
  const { manager } = await rig(t, { hosts: [host] });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  const inside = (calls: Calls) => plugin.use(run, calls.run(1));
  assert.throws(() => plugin.use(inside, undefined), { code: "engine/pool-exhausted" });
  assert.equal(held.most, 1);
});

test("a plugin whose only instance waits in a call is healthy: the call has a deadline of its own", async (t) => {
  const { host } = holdingHost({ instancesMax: 1 });
  const { manager, clock } = await rig(t, { hosts: [host], policy: { healthEveryMs: 1_000 } });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  const answer = Promise.withResolvers<number>();
  const waiting = plugin.useAsync(() => answer.promise, undefined);
  clock.advance(1_000);
  assert.deepEqual([plugin.state, plugin.failure], ["running", undefined]);
  answer.resolve(5);
  assert.equal(await waiting, 5);
});

test("deadlines of guests on this thread are of the clock that their world has", async (t) => {
  let nowMs = 0;
  const { host } = holdingHost({ clock: () => () => (nowMs += 10_000) });
  const { manager } = await rig(t, { hosts: [host] });
  const plugin = await manager.install<Calls>(await ref(guests.loops));
  assert.throws(() => plugin.use(run, 1), { code: "engine/deadline" });
});
