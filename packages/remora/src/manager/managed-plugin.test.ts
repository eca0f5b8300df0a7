import assert from "node:assert/strict";
import { test } from "node:test";
import { readTrail } from "./audit/read-trail.ts";
import { askNobody } from "./consent/asker.ts";
import { managerErrors } from "./errors.ts";
import type { ManagerEvent } from "./manager-event.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { reads } from "./testing/publishers.test.ts";
import {
  type Calls,
  expectRejected,
  guests,
  type Rig,
  ref,
  rig,
  run,
  settled,
  testHost,
} from "./testing/rig.test.ts";

const kinds = (events: readonly ManagerEvent[]) => events.map(({ kind }) => kind);
const statesOf = ({ events }: Rig) =>
  events.flatMap((event) => (event.kind === "state" ? [`${event.event}: ${event.to}`] : []));

async function broken(t: Parameters<typeof rig>[0], options: Parameters<typeof rig>[1] = {}) {
  const all = await rig(t, { ...options, policy: { probationMs: 0, healthEveryMs: 0, ...options.policy } });
  const plugin = await all.manager.install<Calls>(await ref(guests.trapsBelowZero));
  const fail = (times: number) => {
    for (let time = 0; time < times; time++) {
      assert.throws(() => plugin.use(run, -1), { code: "engine/unreachable" });
    }
  };
  return { ...all, plugin, fail };
}

test("a plugin that fails too often is not called any more, and says why", async (t) => {
  const { plugin, fail, manager } = await broken(t);
  fail(5);
  assert.deepEqual([plugin.state, plugin.breaker], ["backing-off", "open"]);
  assert.throws(() => plugin.use(run, 1), { code: "manager/not-running" });
  assert.equal(manager.info("adder").failure?.code, "engine/unreachable");
});

test("after the back-off the next calls decide: successes close the breaker", async (t) => {
  const all = await broken(t);
  const { plugin, fail, clock } = all;
  fail(5);
  clock.advance(999);
  assert.equal(plugin.state, "backing-off");
  clock.advance(1);
  await settled(() => plugin.state === "running");
  assert.equal(plugin.breaker, "half-open");
  for (let value = 0; value < 10; value++) assert.equal(plugin.use(run, value), value);
  assert.equal(plugin.breaker, "closed");
  assert.deepEqual(statesOf(all), [
    "start: preparing",
    "ready: running",
    "broke: broken",
    "wait: backing-off",
    "retry: preparing",
    "ready: running",
  ]);
});

test("a failure while half open opens it again, and the wait is longer each time", async (t) => {
  const { plugin, fail, clock, events } = await broken(t);
  fail(5);
  for (const waitMs of [1_000, 2_000, 4_000]) {
    clock.advance(waitMs);
    await settled(() => plugin.state === "running");
    fail(1);
    assert.equal(plugin.state, "backing-off");
  }
  const waits = events.flatMap((event) => (event.kind === "waiting" ? [event.inMs] : []));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000]);
});

test("one that is enabled before its wait is over is on trial, and one that was disabled begins anew", async (t) => {
  const { plugin, fail, manager, events } = await broken(t);
  fail(5);
  await manager.enable("adder");
  assert.deepEqual([plugin.state, plugin.breaker], ["running", "half-open"]);
  fail(1);
  assert.deepEqual([plugin.state, plugin.breaker], ["backing-off", "open"]);
  await manager.enable("adder");
  for (let value = 0; value < 10; value++) plugin.use(run, value);
  assert.equal(plugin.breaker, "closed");
  fail(5);
  await manager.disable("adder");
  await manager.enable("adder");
  assert.deepEqual([plugin.state, plugin.breaker], ["running", "closed"]);
  fail(5);
  assert.deepEqual([plugin.state, plugin.breaker], ["backing-off", "open"]);
  const waits = events.flatMap((event) => (event.kind === "waiting" ? [event.inMs] : []));
  assert.deepEqual(waits, [1_000, 2_000, 1_000, 1_000]);
});

/** As `run`, for whoever waits for something before or after it. */
const runLater = async (calls: Calls, value: number | Promise<number>) => calls.run(await value);

test("a version that is installed while the one before is tried again takes its place", async (t) => {
  const clock = new FakeClock();
  const worlds = testHost.worlds.map((world): typeof world => ({
    ...world,
    bind: (instance, context) => {
      // The wait of the one before ends while this one is made.
      if (context.version === "1.1.0") clock.advance(1_000);
      return world.bind(instance, context);
    },
  }));
  const { manager, plugin, fail, events } = await broken(t, { clock, hosts: [{ ...testHost, worlds }] });
  fail(5);
  await manager.install(await ref(guests.adds(1), { version: "1.1.0" }));
  assert.ok(events.some((event) => event.kind === "state" && event.event === "retry"));
  assert.equal(plugin.use(run, 1), 2);
  // Whoever comes next in line comes after what was tried again.
  await manager.reload("adder");
  assert.deepEqual([plugin.state, plugin.breaker, plugin.use(run, 1)], ["running", "closed", 2]);
});

test("a call that gives a promise counts for the breaker when that is settled", async (t) => {
  const { plugin, fail, clock } = await broken(t);
  fail(5);
  clock.advance(1_000);
  await settled(() => plugin.state === "running");
  for (let value = 0; value < 9; value++) assert.equal(await plugin.use(runLater, value), value);
  const last = plugin.use(runLater, 9);
  assert.equal(plugin.breaker, "half-open");
  assert.equal(await last, 9);
  assert.equal(plugin.breaker, "closed");
});

test("a promise that is rejected while half open opens it again", async (t) => {
  const { plugin, fail, clock } = await broken(t);
  fail(5);
  clock.advance(1_000);
  await settled(() => plugin.state === "running");
  await expectRejected(plugin.use(runLater, -1), "engine/unreachable");
  assert.deepEqual([plugin.state, plugin.breaker], ["backing-off", "open"]);
});

test("an answer of the version that was given up does not close the breaker of the next one", async (t) => {
  const { plugin, fail, clock } = await broken(t, { policy: { breaker: { trialCalls: 1 } } });
  const given = Promise.withResolvers<number>();
  const early = plugin.use(runLater, given.promise);
  fail(5);
  clock.advance(1_000);
  await settled(() => plugin.state === "running");
  given.resolve(1);
  assert.equal(await early, 1);
  assert.equal(plugin.breaker, "half-open");
  assert.equal(plugin.use(run, 1), 1);
  assert.equal(plugin.breaker, "closed");
});

test("a promise that a new version rejects is kept by the version before", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.install(await ref(guests.trapsBelowZero, { version: "1.1.0" }));
  assert.equal(await plugin.use(runLater, -5), -4);
  assert.equal(plugin.serving?.version.version, "1.0.0");
});

test("what a caller did wrong does not count against the plugin", async (t) => {
  const { plugin } = await broken(t);
  for (let time = 0; time < 20; time++) {
    await expectRejected(plugin.call("no-such-function"), "component/no-such-export");
  }
  assert.deepEqual([plugin.state, plugin.breaker], ["running", "closed"]);
});

test("a new version that fails is followed by the one before, which answers the call that failed", async (t) => {
  const { manager, events, reopen } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.install(await ref(guests.loops, { version: "1.1.0", tables: "[limits]\nfuel = 10000" }));
  assert.ok(plugin.isOnProbation);
  for (let value = 0; value < 100; value++)
    assert.equal(plugin.use(run, value), value + 1, "no call is lost");
  assert.equal(plugin.serving?.version.version, "1.0.0");
  const returned = events.find((event) => event.kind === "returned");
  assert.deepEqual([returned?.from, returned?.to, returned?.code], ["1.1.0", "1.0.0", "engine/out-of-fuel"]);
  assert.equal(plugin.counts().returns, 1);
  assert.equal(manager.info("adder").version, "1.0.0", "at once, though it is not written down yet");
  await settled(() => manager.versions("adder").current?.version === "1.0.0");
  assert.equal(manager.versions("adder").previous[0]?.failedWith, "engine/out-of-fuel");
  await expectRejected(manager.rollback("adder"), "manager/no-such-version");
  const next = await reopen();
  assert.equal(next.manager.get<Calls>("adder").use(run, 1), 2, "the next start begins with it too");
});

test("a version that fails before its takeover is written down is told to have taken over before it is told to be followed", async (t) => {
  const { manager, events } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  manager.listen((event) => {
    // In this very turn, when no disk has answered yet.
    if (event.kind === "state" && event.event === "swapped") queueMicrotask(() => plugin.use(run, -5));
  });
  await manager.install(await ref(guests.trapsBelowZero, { version: "1.1.0" }));
  const told = events.flatMap((event) =>
    event.kind === "changed" || event.kind === "returned" ? [`${event.kind} ${event.to}`] : [],
  );
  assert.deepEqual(told, ["changed 1.0.0", "changed 1.1.0", "returned 1.0.0"]);
  const lines = await readTrail(manager.trail?.folder ?? "", { recordsMax: 10 });
  assert.deepEqual(
    lines.map(({ event: { kind, to } }) => `${kind} ${to}`).reverse(),
    told.map((text) => `plugin.${text}`),
  );
});

test("so does a call by name", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.install(await ref(guests.trapsBelowZero, { version: "1.1.0" }));
  assert.equal(await plugin.call("run", [-5]), -4);
});

test("when its probation is over, the version before is gone and a failure is a failure", async (t) => {
  const { manager, clock } = await rig(t, { policy: { healthEveryMs: 0 } });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.install(await ref(guests.trapsBelowZero, { version: "1.1.0" }));
  clock.advance(30_000);
  assert.equal(plugin.isOnProbation, false);
  assert.throws(() => plugin.use(run, -1), { code: "engine/unreachable" });
  assert.equal(plugin.state, "running", "once is not too often");
});

test("a version that cannot start, or is not healthy, does not take over", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  for (const [guest, code] of [
    [guests.trapsAtStart, "engine/unreachable"],
    [guests.trapsInHealth, "engine/unreachable"],
    [guests.isUnhealthy, "manager/unhealthy"],
  ] as const) {
    await expectRejected(manager.install(await ref(guest, { version: "2.0.0" })), "manager/prepare", code);
    assert.equal(plugin.use(run, 1), 2);
    assert.equal(manager.info("adder").version, "1.0.0");
  }
});

test("a first version that cannot start leaves nothing behind", async (t) => {
  const { manager } = await rig(t);
  await expectRejected(manager.install(await ref(guests.trapsAtStart)), "manager/prepare");
  assert.deepEqual(manager.list(), []);
});

/** Healthy until it was called with a negative number. */
const fallsIll = `(global $ill (mut i32) (i32.const 0))
  (func (export "check_health") (result i32) (global.get $ill))
  (func (export "run") (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 0)) (then (global.set $ill (i32.const 3)))) (local.get 0))`;

test("a new version that falls ill on probation is followed by the one before", async (t) => {
  const { manager, clock } = await rig(t, { policy: { healthEveryMs: 1_000 } });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.install(await ref(fallsIll, { version: "1.1.0" }));
  assert.equal(plugin.use(run, -1), -1);
  clock.advance(1_000);
  assert.equal(plugin.use(run, 1), 2);
});

test("one that falls ill later is made anew after a while", async (t) => {
  const { manager, clock, events } = await rig(t, { policy: { healthEveryMs: 1_000 } });
  const plugin = await manager.install<Calls>(await ref(fallsIll));
  plugin.use(run, -1);
  clock.advance(1_000);
  assert.equal(plugin.state, "backing-off");
  assert.ok(kinds(events).includes("waiting"));
  clock.advance(1_000);
  await settled(() => plugin.state === "running");
  assert.equal(plugin.use(run, 1), 1);
});

test("a clock that is set forward or back changes no wait and no probation", async (t) => {
  const { plugin, fail, clock } = await broken(t);
  fail(5);
  clock.dateOffsetMs += 10 * 365 * 86_400_000;
  clock.advance(999);
  assert.equal(plugin.state, "backing-off");
  clock.dateOffsetMs -= 20 * 365 * 86_400_000;
  clock.advance(1);
  await settled(() => plugin.state === "running");
});

test("a plugin that is stopped while it waits stays stopped, and leaves no timer", async (t) => {
  const { manager, plugin, fail, clock } = await broken(t);
  fail(5);
  await manager.disable("adder");
  assert.equal(plugin.state, "stopped");
  assert.equal(clock.pendingCount, 0);
});

/** The test's host, in which the plugin `adder` cannot be made until it is let. */
function refusingHost() {
  const switches = { isRefusing: true };
  const worlds = testHost.worlds.map((world): typeof world => ({
    ...world,
    bind: (instance, context) => {
      if (switches.isRefusing && context.name === "adder") throw managerErrors.closed({ folder: "a test" });
      return world.bind(instance, context);
    },
  }));
  return { hosts: [{ ...testHost, worlds }], switches };
}

test("a plugin that cannot be made at the start is tried again, and does not keep others from running", async (t) => {
  const first = await rig(t, { policy: { healthEveryMs: 0 } });
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.install(await ref(guests.adds(2), { name: "other" }));
  const { hosts, switches } = refusingHost();
  const { manager, clock } = await first.reopen({ hosts });
  assert.deepEqual([manager.info("adder").state, manager.info("other").state], ["backing-off", "running"]);
  switches.isRefusing = false;
  clock.advance(1_000);
  await settled(() => manager.info("adder").state === "running");
});

test("a source of secrets that fails stops one plugin alone, which is tried again, at the start as later", async (t) => {
  let isDown = false;
  const secrets = async () => {
    if (isDown) throw new Error("the vault of s3cr3t cannot be reached");
    return "s3cr3t";
  };
  const hosts = [
    { ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true })) },
  ];
  const { plugin, fail, clock, manager, events, reopen } = await broken(t, { hosts, secrets });
  const tables =
    '[settings]\ntype = "object"\n[settings.properties.token]\ntype = "string"\nwriteOnly = true\n';
  await manager.install(await ref(guests.trapsBelowZero, { version: "1.1.0", tables }), {
    settings: { token: { secret: "TOKEN" } },
  });
  await manager.install(await ref(guests.adds(1), { name: "other" }));
  fail(5);
  isDown = true;
  events.length = 0;
  clock.advance(1_000);
  await settled(() => events.some(({ kind }) => kind === "waiting"));
  const waiting = events.find((event) => event.kind === "waiting");
  assert.equal(waiting?.code, "manager/secret-source");
  assert.ok(!JSON.stringify(events).includes("s3cr3t"));
  const next = await reopen();
  const states = () => next.manager.list().map(({ state }) => state);
  assert.deepEqual(states(), ["backing-off", "running"]);
  isDown = false;
  clock.advance(1_000);
  await settled(() => states()[0] === "running");
  assert.equal(plugin.state, "stopped");
});

test("what goes wrong without a code, by a mistake of the host's, is told and tried again", async (t) => {
  const mistakes = { check: false, bind: false };
  const worlds = testHost.worlds.map((world): typeof world => ({
    ...world,
    check: () => {
      if (mistakes.check) throw new TypeError("no such field");
    },
    bind: (instance, context) => {
      if (mistakes.bind) throw new TypeError("no such field");
      return world.bind(instance, context);
    },
  }));
  const { manager, clock, events, reopen } = await rig(t, {
    hosts: [{ ...testHost, worlds }],
    policy: { healthEveryMs: 1_000 },
  });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  Object.assign(mistakes, { check: true, bind: true });
  clock.advance(1_000);
  assert.equal(plugin.state, "backing-off");
  clock.advance(1_000);
  await settled(() => plugin.state === "backing-off");
  const told = events.flatMap((event) => (event.kind === "waiting" ? [[event.code, event.reason]] : []));
  assert.deepEqual(
    told.map(([code, reason]) => [code, reason?.includes("TypeError: no such field")]),
    [
      ["manager/unexpected", true],
      ["manager/unexpected", true],
    ],
  );
  const next = await reopen();
  assert.equal(next.manager.info("adder").state, "backing-off");
  Object.assign(mistakes, { check: false, bind: false });
  clock.advance(1_000);
  await settled(() => next.manager.info("adder").state === "running");
});

test("of a plugin that is disabled nothing is made anew, nor of one whose first version waits", async (t) => {
  const { manager, events } = await rig(t, { asker: askNobody });
  await manager.install(await ref(guests.adds(1)));
  await manager.disable("adder");
  await expectRejected(manager.reload("adder"), "manager/nothing-to-reload");
  await manager.enable("adder");
  await manager.reload("adder");
  assert.equal(kinds(events).filter((kind) => kind === "reloaded").length, 1);
  await expectRejected(
    manager.install(await ref(guests.adds(1), { name: "other", tables: reads })),
    "manager/decide",
    "manager/held",
  );
  await expectRejected(manager.reload("other"), "manager/nothing-to-reload");
});

test("a plugin that was not started is given what it is given, and runs when it is enabled", async (t) => {
  const first = await rig(t);
  await first.manager.install(await ref(guests.adds(1)));
  const { manager } = await first.reopen({ startsPlugins: false });
  const given = { capability: "data.read", paths: ["air.*"] };
  await manager.give("adder", given);
  await expectRejected(manager.reload("adder"), "manager/nothing-to-reload");
  const { state } = manager.info("adder");
  assert.deepEqual(
    [state, manager.get("adder").serving, manager.grants("adder")],
    ["installed", undefined, [given]],
  );
  await manager.enable("adder");
  await manager.reload("adder");
  assert.deepEqual(manager.get("adder").serving?.grants, [given]);
});

test("a plugin that cannot be enabled stays disabled, also over a restart", async (t) => {
  const first = await rig(t, { policy: { healthEveryMs: 0 } });
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.disable("adder");
  const { hosts, switches } = refusingHost();
  const second = await first.reopen({ hosts });
  await expectRejected(second.manager.enable("adder"), "manager/prepare", "manager/closed");
  const { isEnabled, state, failure } = second.manager.info("adder");
  assert.deepEqual([isEnabled, state, failure?.code], [false, "stopped", "manager/closed"]);
  assert.equal(second.clock.pendingCount, 0);
  const third = await second.reopen();
  assert.equal(third.manager.info("adder").isEnabled, false);
  switches.isRefusing = false;
  await third.manager.enable("adder");
  assert.equal(third.manager.get<Calls>("adder").use(run, 1), 2);
  const fourth = await third.reopen();
  assert.equal(fourth.manager.info("adder").state, "running");
});

test("one that waits is tried at once when it is enabled, and waits again when that fails", async (t) => {
  const first = await rig(t, { policy: { healthEveryMs: 0 } });
  await first.manager.install(await ref(guests.adds(1)));
  const { hosts, switches } = refusingHost();
  const { manager } = await first.reopen({ hosts });
  await expectRejected(manager.enable("adder"), "manager/prepare", "manager/closed");
  assert.equal(manager.info("adder").state, "backing-off");
  switches.isRefusing = false;
  await manager.enable("adder");
  assert.equal(manager.info("adder").state, "running");
});

test("one that is being tried already is not started twice", async (t) => {
  const { manager, fail, clock, plugin } = await broken(t);
  fail(5);
  clock.advance(1_000);
  assert.equal(plugin.state, "preparing");
  await manager.enable("adder");
  await settled(() => plugin.state === "running");
});

test("whoever observes is around each call, whichever way it is made, and outside of what answers in its place", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  const seen: string[] = [];
  const end = manager.observeCalls((call, act) => {
    seen.push(`${call.plugin} ${call.version} ${call.path}`);
    return act();
  });
  const inner = manager.observeCalls((_, act) => {
    seen.push("inner");
    return act();
  });
  assert.equal(plugin.use(run, 1), 2);
  inner();
  assert.equal(plugin.callNow("run", [1]), 2);
  assert.equal(await plugin.call("run", [1]), 2);
  assert.equal(await plugin.useAsync(run, 1), 2);
  await manager.install(await ref(guests.loops, { version: "1.1.0" }));
  assert.equal(plugin.use(run, 1), 2, "the version before answers, in the same call");
  assert.deepEqual(seen, [
    "adder 1.0.0 undefined",
    "inner",
    "adder 1.0.0 run",
    "adder 1.0.0 run",
    "adder 1.0.0 undefined",
    "adder 1.1.0 undefined",
  ]);
  end();
  plugin.use(run, 1);
  assert.equal(seen.length, 6);
});

test("fuel is what the guests have used, however many calls there were to an answer, and none while nobody calls", async (t) => {
  const { manager, clock } = await rig(t, { policy: { healthEveryMs: 1_000 } });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  assert.equal(plugin.counts().fuelUsed, 0);
  plugin.use(run, 1);
  const once = plugin.counts().fuelUsed;
  assert.ok(once > 0);
  plugin.use((calls) => [calls.run(1), calls.run(2), calls.run(3)], 0);
  assert.equal(plugin.counts().fuelUsed, 4 * once);
  clock.advance(10_000);
  await manager.reload("adder");
  assert.equal(plugin.counts().fuelUsed, 4 * once);
  for (let time = 0; time < 32; time++) await plugin.call("run", [time]);
  for (let time = 0; time < 32; time++) plugin.callNow("run", [time], {});
  assert.equal(plugin.counts().fuelUsed, 68 * once);
  assert.ok(plugin.latency.total >= 4, "calls by name are timed as others are");
});
