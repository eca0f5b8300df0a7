import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits, openArtifact } from "../../engine/index.ts";
import { summingComponent } from "../testing/component.test.ts";
import {
  type AsyncCalls,
  type Calls,
  expectRejected,
  guests,
  ref,
  rig,
  run,
  runAsync,
  walledHost,
} from "../testing/rig.test.ts";
import { lead, onThread } from "./asked-guest.ts";
import { checkHealth, restoreState, saveState, savesState, takesState } from "./guest-interface.ts";

const levels = ["inline", "worker", "process"] as const;
const at = (level: string) => `isolation = "${level}"`;
const sums = (version: string, tag: number, level = "inline") =>
  ref(guests.sums(tag), { version, top: at(level) });

for (const level of levels) {
  test(`${level}: what a version kept in memory goes on in the next one, and back again`, async (t) => {
    const { manager } = await rig(t, { hosts: [walledHost] });
    const plugin = await manager.install<AsyncCalls>(await sums("1.0.0", 0, level));
    assert.equal(await plugin.useAsync(runAsync, 5), 5);
    await manager.install(await sums("1.1.0", 100, level));
    assert.equal(await plugin.useAsync(runAsync, 1), 106);
    await manager.reload("adder");
    assert.equal(await plugin.useAsync(runAsync, 1), 107);
    await manager.rollback("adder");
    assert.equal(await plugin.useAsync(runAsync, 1), 8);
  });
}

test("a state goes over every wall, from each level to each", async (t) => {
  const { manager } = await rig(t, { hosts: [walledHost] });
  const plugin = await manager.install<AsyncCalls>(await sums("1.0.0", 0));
  await plugin.useAsync(runAsync, 5);
  const ways = ["worker", "process", "worker", "inline", "process", "inline"];
  for (const [index, level] of ways.entries()) {
    await manager.install(await sums(`1.${index + 1}.0`, 0, level));
    assert.equal(plugin.serving?.inspected.isolation, level);
    assert.equal(await plugin.useAsync(runAsync, 1), 6 + index);
  }
});

test("a version begins without state when its operator says so, or takes none", async (t) => {
  const { manager, events } = await rig(t);
  const plugin = await manager.install<Calls>(await sums("1.0.0", 0));
  plugin.use(run, 5);
  await manager.reload("adder", { state: false });
  assert.equal(plugin.use(run, 1), 1);
  await manager.reload("adder");
  const handed = events.flatMap((event) => (event.kind === "reloaded" ? [event.state] : []));
  assert.deepEqual(handed, [false, true]);
  await manager.install(await ref(guests.adds(3), { version: "2.0.0" }));
  assert.equal(plugin.use(run, 1), 4);
});

const broken: Readonly<Record<string, readonly [old: string, next: string, code: string]>> = {
  "traps when it saves": [
    guests.sums(0).replace('(func (export "save_state") (result i64)', "$& (unreachable)"),
    guests.sums(9),
    "engine/unreachable",
  ],
  "loops when it saves": [
    guests.sums(0).replace('(func (export "save_state") (result i64)', "$& (loop (br 0))"),
    guests.sums(9),
    "engine/out-of-fuel",
  ],
  "traps when it restores": [
    guests.sums(0),
    guests.sums(9).replace('(func (export "restore_state") (param i32 i32) (result i32)', "$& (unreachable)"),
    "engine/unreachable",
  ],
  "refuses the state": [
    guests.sums(0),
    guests
      .sums(9)
      .replace("(i32.load (local.get 0))) (i32.const 0)", "(i32.load (local.get 0))) (i32.const 4)"),
    "manager/state",
  ],
  "loops when it restores": [
    guests.sums(0),
    guests.sums(9).replace('(func (export "restore_state") (param i32 i32) (result i32)', "$& (loop (br 0))"),
    "engine/out-of-fuel",
  ],
  "traps when it makes room": [
    guests.sums(0),
    guests.sums(9).replace('(func (export "alloc") (param i32) (result i32)', "$& (unreachable)"),
    "engine/unreachable",
  ],
  "gives room outside of its memory": [
    guests.sums(0),
    guests.sums(9).replace("(result i32) (i32.const 64))", "(result i32) (i32.const 65534))"),
    "manager/state",
  ],
  "gives no pointer and length": [
    guests
      .sums(0)
      .replace(
        /\(func \(export "save_state"\)[\s\S]*?\(i64.const 4\)\)\)/,
        '(func (export "save_state") (result i32) (i32.const 32))',
      ),
    guests.sums(9),
    "manager/state",
  ],
  "keeps no memory to read it from": [
    guests.sums(0).replace('(memory (export "memory") 1)', "(memory 1)"),
    guests.sums(9),
    "manager/state",
  ],
  "has no room for it": [
    guests.sums(0),
    guests.sums(9).replace('(func (export "alloc") (param i32) (result i32) (i32.const 64))', ""),
    "manager/state",
  ],
  "points outside of its memory": [
    guests.sums(0).replace("(i64.const 32) (i64.const 32)", "(i64.const 4294967295) (i64.const 32)"),
    guests.sums(9),
    "manager/state",
  ],
  "says that it is longer than a state may be": [
    guests.sums(0).replace("(i64.const 4)))", "(i64.const 16777217)))"),
    guests.sums(9),
    "manager/state",
  ],
};

for (const level of levels) {
  for (const [what, [old, next, code]] of Object.entries(broken)) {
    test(`${level}: when a version ${what}, the one that serves goes on with what it had`, async (t) => {
      const policy = { limits: { fuelMax: 10_000 }, healthEveryMs: 0 };
      const { manager } = await rig(t, { hosts: [walledHost], policy });
      const top = at(level);
      const plugin = await manager.install<AsyncCalls>(await ref(old, { top }));
      await plugin.useAsync(runAsync, 5);
      const update = ref(next, { version: "1.1.0", top }).then((one) => manager.install(one));
      await expectRejected(update, "manager/hand-over", code);
      assert.equal(manager.info("adder").version, "1.0.0");
      // Whoever trapped while it saved has lost its instance, and with it the sum.
      assert.equal(await plugin.useAsync(runAsync, 1), what.endsWith("it saves") ? 1 : 6);
      await manager.install(await ref(guests.adds(3), { version: "2.0.0", top }), { state: false });
      assert.equal(await plugin.useAsync(runAsync, 1), 4, "and it can be replaced without");
    });
  }
}

test("no call fails and none is lost while a plugin is reloaded again and again", async (t) => {
  const { manager } = await rig(t, { policy: { healthEveryMs: 0 } });
  const plugin = await manager.install<Calls>(await sums("1.0.0", 0));
  let sent = 0;
  let isOver = false;
  const stream = (async () => {
    while (!isOver) {
      for (let call = 0; call < 50; call++) assert.equal(plugin.use(run, 1), ++sent);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let time = 0; time < 10; time++) await manager.reload("adder");
  isOver = true;
  await stream;
  assert.ok(sent >= 50);
  assert.equal(plugin.use(run, 0), sent);
  assert.deepEqual([plugin.counts().reloads, plugin.counts().traps], [10, 0]);
});

test("a component hands over by the interfaces of remora:plugin", async () => {
  const artifact = openArtifact(await summingComponent());
  const instance = artifact.instantiate({ imports: {}, limits: defaultLimits });
  const guest = onThread(instance);
  lead(checkHealth("p", guest));
  assert.ok(savesState(guest) && takesState(guest));
  assert.deepEqual(lead(saveState("p", guest)), Uint8Array.of(0, 0, 0, 0));
  lead(restoreState("p", guest, Uint8Array.of(9, 0, 0, 0)));
  assert.deepEqual(lead(saveState("p", guest)), Uint8Array.of(9, 0, 0, 0));
  assert.throws(() => lead(restoreState("p", guest, Uint8Array.of(0, 0, 0, 1))), {
    code: "manager/state",
    message: /too large/,
  });
});
