/** The same plugins behind each wall: what a host sees of them does not change. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { pipingBytes } from "../engine/testing/called-back-guests.test.ts";
import { componentOf, goingOnComponent } from "./testing/component.test.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import {
  type AsyncCalls,
  bundleOf,
  expectRejected,
  guests,
  walledHost as host,
  ref,
  rig,
  runAsync as run,
  settled,
} from "./testing/rig.test.ts";

const policy = { healthEveryMs: 0, limits: { fuelMax: 100_000 } };

for (const isolation of ["inline", "worker", "process"] as const) {
  const top = `isolation = "${isolation}"`;

  test(`${isolation}: a plugin is installed, called, updated and rolled back`, async (t) => {
    const { manager } = await rig(t, { hosts: [host], policy });
    const plugin = await manager.install<AsyncCalls>(await ref(guests.adds(1), { top }));
    assert.equal(await plugin.useAsync(run, 41), 42);
    assert.equal(await plugin.call("run", [1]), 2);
    await manager.install(await ref(guests.adds(10), { top, version: "1.1.0" }));
    assert.equal(await plugin.useAsync(run, 1), 11);
    await manager.rollback("adder");
    assert.equal(await plugin.call("run", [1]), 2);
    assert.ok(plugin.counts().calls >= 4 && plugin.counts().fuelUsed > 0);
  });

  test(`${isolation}: a version that fails on probation is answered by the one before`, async (t) => {
    const { manager } = await rig(t, { hosts: [host], policy });
    const plugin = await manager.install<AsyncCalls>(await ref(guests.adds(1), { top }));
    await manager.install(await ref(guests.loops, { top, version: "1.1.0" }));
    assert.equal(await plugin.useAsync(run, 1), 2);
    assert.equal(manager.info("adder").version, "1.0.0");
    await settled(() => manager.versions("adder").current?.version === "1.0.0");
  });

  test(`${isolation}: a plugin that fails too often is left alone, and comes back`, async (t) => {
    const { manager, clock } = await rig(t, { hosts: [host], policy: { ...policy, probationMs: 0 } });
    const plugin = await manager.install<AsyncCalls>(await ref(guests.trapsBelowZero, { top }));
    for (let time = 0; time < 5; time++) {
      await expectRejected(plugin.useAsync(run, -1), "engine/unreachable");
    }
    assert.equal(plugin.state, "backing-off");
    await expectRejected(plugin.useAsync(run, 1), "manager/not-running");
    clock.advance(1_000);
    await settled(() => plugin.state === "running", 10_000);
    assert.equal(await plugin.useAsync(run, 1), 1);
  });

  test(`${isolation}: one that cannot start, or is not healthy, does not take over`, async (t) => {
    const { manager } = await rig(t, { hosts: [host], policy });
    const plugin = await manager.install<AsyncCalls>(await ref(guests.adds(1), { top }));
    for (const guest of [guests.trapsAtStart, guests.trapsInHealth, guests.isUnhealthy]) {
      await expectRejected(manager.install(await ref(guest, { top, version: "2.0.0" })), "manager/prepare");
      assert.equal(await plugin.useAsync(run, 1), 2);
    }
  });

  test(`${isolation}: a call that fails while its plugin is stopped is told, and the plugin stops`, async (t) => {
    const { manager } = await rig(t, { hosts: [host], policy });
    const plugin = await manager.install<AsyncCalls>(await ref(guests.loops, { top }));
    const outcome = expectRejected(plugin.useAsync(run, 1), "engine/out-of-fuel");
    await manager.disable("adder");
    assert.equal(plugin.state, "stopped");
    await outcome;
  });

  test(`${isolation}: state is handed over, and calls that come meanwhile are made in their order`, async (t) => {
    const { manager } = await rig(t, { hosts: [host], policy });
    const of = async (version: string) => ({ bytes: await componentOf({ top, version }), origin: "a test" });
    const plugin = await manager.install(await of("1.0.0"));
    const add = (value: number) => plugin.call(["remora:plugin/test@0.1.0", "add"], [value]);
    assert.equal(await add(5), 5);
    const update = manager.install(await of("1.1.0"));
    const answers: Promise<unknown>[] = [];
    let isOver = false;
    void update.then(() => {
      isOver = true;
    });
    let answered = 0;
    while (!isOver) {
      if (answers.length - answered < 100) {
        const answer = add(1);
        answers.push(answer);
        void answer.then(() => answered++);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await update;
    answers.push(add(1));
    const all = await Promise.all(answers);
    assert.deepEqual(
      all,
      all.map((_, index) => 6 + index),
      "none is lost, doubled or out of its order",
    );
    assert.equal(manager.info("adder").version, "1.1.0");
  });
}

for (const isolation of ["inline", "worker", "process"] as const) {
  test(`${isolation}: a version whose guests fail behind their results is followed by the one before it`, async (t) => {
    const { manager, events } = await rig(t, { hosts: [host], policy });
    const top = `isolation = "${isolation}"`;
    const of = async (answer: number, behind: string, version: string) => ({
      bytes: await bundleOf(await goingOnComponent(answer, behind), { top, version }),
      origin: "a test",
    });
    const plugin = await manager.install(await of(1, "", "1.0.0"));
    const ask = () => plugin.call(["test:test/talk", "run"]);
    assert.equal(await ask(), 1);
    await manager.install(await of(2, "(unreachable)", "2.0.0"));
    for (let time = 0; plugin.serving?.version.version === "2.0.0"; time++) {
      assert.equal(await ask(), 2);
      assert.ok(time < 10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await ask(), 1);
    const traps = events.flatMap((event) => (event.kind === "trap" ? [event.reason] : []));
    assert.equal(traps.length, 1);
    assert.match(String(traps), /behind the result of its call: engine\/unreachable/);
  });
}

for (const isolation of ["inline", "worker", "process"] as const) {
  test(`${isolation}: a stream that a call has given is read to its end, whatever follows its version`, async (t) => {
    const limits = { fuelMax: 1e9, deadlineMs: 60_000 };
    const { manager } = await rig(t, { hosts: [host], policy: { ...policy, limits } });
    const bundle = {
      bytes: await bundleOf(pipingBytes, { top: `isolation = "${isolation}"` }),
      origin: "a test",
    };
    const plugin = await manager.install(bundle);
    const read = async (stream: AsyncIterable<Uint8Array>, meanwhile: () => unknown) => {
      let length = 0;
      for await (const chunk of stream) {
        length += chunk.length;
        if (length === 50) await meanwhile();
      }
      return length;
    };
    const count = async () => (await plugin.call("count", [200])) as AsyncIterable<Uint8Array>;
    assert.equal(await read(await count(), () => manager.reload("adder")), 200);
    let disabled: Promise<void> | undefined;
    const last = read(await count(), () => {
      disabled = manager.disable("adder");
    });
    assert.equal(await last, 200);
    await disabled;
    assert.equal(plugin.state, "stopped");
  });

  test(`${isolation}: what nobody reads holds a version that is stopped no longer than a call may`, async (t) => {
    const limits = { fuelMax: 1e9, deadlineMs: 200 };
    const { manager } = await rig(t, { hosts: [host], policy: { ...policy, limits } });
    const bundle = {
      bytes: await bundleOf(pipingBytes, { top: `isolation = "${isolation}"` }),
      origin: "a test",
    };
    const plugin = await manager.install(bundle);
    const stream = (await plugin.call("count", [200])) as AsyncIterable<Uint8Array>;
    await manager.disable("adder");
    await expectRejected(stream[Symbol.asyncIterator]().next(), "engine/closed");
  });
}

for (const isolation of ["worker", "process"] as const) {
  test(`${isolation}: a call that nobody wants any more ends, in line or in its guest, and is no failure of the plugin`, async (t) => {
    const limits = { fuelMax: 1e11, deadlineMs: 10_000 };
    const { manager } = await rig(t, { hosts: [host], policy: { ...policy, limits } });
    const loops = `(func (export "run") (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (loop (br 0)))) (local.get 0))`;
    const plugin = await manager.install<AsyncCalls>(await ref(loops, { top: `isolation = "${isolation}"` }));
    for (let time = 0; time < 6; time++) {
      const inGuest = new AbortController();
      const inLine = new AbortController();
      const running = plugin.call("run", [0], { signal: inGuest.signal });
      const left = [
        plugin.call("run", [1], { signal: inLine.signal }),
        plugin.useAsync(run, 1, inLine.signal),
      ];
      const next = plugin.call("run", [7]);
      inLine.abort();
      for (const each of left) await expectRejected(each, "component/cancelled");
      inGuest.abort();
      await expectRejected(running, "component/cancelled");
      assert.equal(await next, 7, "a fresh guest answers it");
    }
    assert.equal(plugin.state, "running");
  });
}

test("calls that nobody waits for are refused when too many of them wait, and the others are made", async (t) => {
  const { manager } = await rig(t, { hosts: [host], policy });
  const plugin = await manager.install(await ref(guests.adds(1), { top: 'isolation = "worker"' }));
  const answers = Array.from({ length: 10_100 }, () => plugin.call("run", [1]));
  const settledAll = await Promise.allSettled(answers);
  const refused = settledAll.filter(({ status }) => status === "rejected");
  assert.equal(refused.length, 100);
  assert.equal((refused[0] as PromiseRejectedResult).reason.code, "manager/too-many-waiting");
});

test("a world that has no binding for guests behind walls refuses such a plugin", async (t) => {
  const { manager } = await rig(t);
  const install = manager.install(await ref(guests.adds(1), { top: 'isolation = "worker"' }));
  await expectRejected(install, "manager/inspect", "manager/isolation");
});

test("the policy may want a stronger wall than the plugin, and a plugin a stronger one than the policy", async (t) => {
  const { manager } = await rig(t, { hosts: [host], policy: { ...policy, isolation: "worker" } });
  const plugin = await manager.install<AsyncCalls>(await ref(guests.adds(1)));
  assert.equal(plugin.serving?.inspected.isolation, "worker");
  assert.throws(() => plugin.use((calls) => calls, undefined), { code: "manager/not-inline" });
  await manager.install(await ref(guests.adds(2), { version: "1.1.0", top: 'isolation = "process"' }));
  assert.equal(plugin.serving?.inspected.isolation, "process");
  assert.equal(await plugin.call("run", [1]), 3);
});

test("what stands in line costs nothing when the plugin breaks, and a full line is no sickness", async (t) => {
  const clock = new FakeClock();
  const { manager } = await rig(t, { hosts: [host], clock, policy: { ...policy, healthEveryMs: 1_000 } });
  const top = 'isolation = "worker"';
  const plugin = await manager.install<AsyncCalls>(await ref(guests.trapsBelowZero, { top }));
  const full = Array.from({ length: 10_000 }, () => plugin.useAsync(run, 1));
  clock.advance(1_000);
  await Promise.all(full);
  assert.equal(plugin.state, "running");
  const failing = await Promise.allSettled(Array.from({ length: 100 }, () => plugin.useAsync(run, -1)));
  const codes = failing.map((one) => (one.status === "rejected" ? one.reason.code : "answered"));
  assert.equal(plugin.breaker, "open");
  assert.ok(plugin.counts().traps < 10, `${plugin.counts().traps} guests for 100 calls`);
  assert.deepEqual([...new Set(codes)], ["engine/unreachable", "manager/not-running"]);
});
