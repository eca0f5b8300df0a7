/** Guests on this thread whose host functions are asynchronous: all that the manager asks of them is answered by promises. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import type { PluginHost } from "../host.ts";
import { askingComponent } from "../testing/component.test.ts";
import {
  type AsyncCalls,
  bundleOf,
  expectRejected,
  guests,
  type PluginText,
  ref,
  rig,
  runAsync,
  settled,
  testHost,
  walledHost,
} from "../testing/rig.test.ts";

/** What the component asks: 0 in `add`, 1 in `check`, 2 and 3 for its state, 4 in `configure`. */
type Answer = (question: number) => Promise<number> | number;

/** A host that lets its guests wait. */
function askedHost(answer: Answer = () => 0): PluginHost {
  const ask = async (question: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    return answer(question);
  };
  return {
    ...testHost,
    worlds: testHost.worlds.map((world) => ({
      ...world,
      hostFunctions: ["env", "env.tell", "test:test/host"],
      imports: () => ({ env: { tell: ask }, "test:test/host": { ask } }),
    })),
  };
}

const component = async (text: PluginText = {}) => ({
  bytes: await bundleOf(await askingComponent(), text),
  origin: "a test",
});
const withSettings = {
  tables: '[settings]\ntype = "object"\n[settings.properties.step]\ntype = "integer"\ndefault = 1\n',
};
const path = ["remora:plugin/test@0.1.0", "add"];

/** A core module that imports the host's function, with what else it has. */
const waiting = (fields: string) => `(import "env" "tell" (func $tell (param i32))) ${fields}`;

test("a module of theirs is healthy, keeps its state, and gives it back", async (t) => {
  const { manager } = await rig(t, { hosts: [askedHost()] });
  const health = '(func (export "check_health") (result i32) (call $tell (i32.const 1)) (i32.const 0))';
  const sums = (version: string) => ref(waiting(guests.sums(0, health)), { version });
  const plugin = await manager.install<AsyncCalls>(await sums("1.0.0"));
  assert.equal(await plugin.useAsync(runAsync, 5), 5);
  await manager.install(await sums("1.1.0"));
  assert.equal(await plugin.useAsync(runAsync, 1), 6);
  await manager.reload("adder");
  assert.equal(await plugin.useAsync(runAsync, 1), 7);
});

test("a module that says later that it is not healthy does not start", async (t) => {
  const { manager } = await rig(t, { hosts: [askedHost()] });
  const sick = waiting(`(func (export "run") (param i32) (result i32) (local.get 0))
    (func (export "check_health") (result i32) (call $tell (i32.const 1)) (i32.const 7))`);
  const install = ref(sick).then((one) => manager.install(one));
  await expectRejected(install, "manager/prepare", "manager/unhealthy");
});

test("a version that serves again is looked at again, though the one that failed was being asked", async (t) => {
  const held = Promise.withResolvers<number>();
  let isHolding = false;
  const asked: number[] = [];
  const host = askedHost((question) => {
    asked.push(question);
    return isHolding && question === 2 ? held.promise : 0;
  });
  const { manager, clock } = await rig(t, { hosts: [host], policy: { healthEveryMs: 1_000 } });
  const guest = (tag: number) =>
    waiting(`(func (export "check_health") (result i32) (call $tell (i32.const ${tag})) (i32.const 0))
      (func (export "run") (param i32) (result i32)
        (if (i32.lt_s (local.get 0) (i32.const ${tag - 1})) (then (unreachable))) (i32.const ${tag}))`);
  const plugin = await manager.install<AsyncCalls>(await ref(guest(1)));
  await manager.install(await ref(guest(2), { version: "2.0.0" }));
  isHolding = true;
  asked.length = 0;
  clock.advance(1_000);
  await settled(() => asked.length === 1);
  assert.equal(await plugin.useAsync(runAsync, 0), 1, "the one before answers");
  held.resolve(0);
  for (const looks of [2, 3]) {
    clock.advance(1_000);
    await settled(() => asked.length === looks);
    await settled(() => clock.pendingCount > 0);
  }
  assert.deepEqual(asked, [2, 1, 1]);
});

test("a component has its settings before its first call, hands its sum over, and says what is wrong", async (t) => {
  let refused = -1;
  const host = askedHost((question) => (question === refused ? 1 : 0));
  const { manager } = await rig(t, { hosts: [host], policy: { healthEveryMs: 0 } });
  for (const [question, code] of [
    [1, "manager/unhealthy"],
    [4, "manager/settings-refused"],
  ] as const) {
    refused = question;
    const error = await expectRejected(
      component(withSettings).then((one) => manager.install(one)),
      "manager/prepare",
      code,
    );
    assert.match(String(error.cause), /as asked/);
  }
  refused = -1;
  const plugin = await manager.install(await component(withSettings));
  const begun = '{"step":1}'.length;
  assert.equal(await plugin.call(path, [5]), begun + 5);
  await manager.install(await component({ ...withSettings, version: "1.1.0" }));
  assert.equal(await plugin.call(path, [1]), begun + 6);
  refused = 3;
  await expectRejected(manager.reload("adder"), "manager/hand-over", "manager/state");
  assert.equal(await plugin.call(path, [1]), begun + 7, "the one that served goes on");
});

test("a fresh instance of it is configured before the call for which it was made", async (t) => {
  const held = Promise.withResolvers<number>();
  const host = askedHost((question) => (question === 0 ? held.promise : 0));
  const { manager } = await rig(t, { hosts: [host], policy: { healthEveryMs: 0 } });
  const plugin = await manager.install(await component(withSettings));
  const calls = [plugin.call(path, [1]), plugin.call(path, [2]), plugin.useAsync(() => 3, 0)];
  await settled(() => plugin.counts().instances === 3);
  held.resolve(0);
  assert.deepEqual(await Promise.all(calls), [11, 12, 3]);
});

for (const instancesMax of [1, 8]) {
  test(`while a call of ${instancesMax} at once waits, the state of one that was in use is handed over, and none is lost`, async (t) => {
    let held: PromiseWithResolvers<number> | undefined;
    const host = askedHost((question) => (question === 0 && held !== undefined ? held.promise : 0));
    const policy = { healthEveryMs: 0, instancesMax };
    const { manager, events } = await rig(t, { hosts: [host], policy });
    const plugin = await manager.install(await component());
    assert.equal(await plugin.call(path, [5]), 5);
    for (const change of [
      () => manager.reload("adder"),
      async () => manager.install(await component({ version: "2.0.0" })),
    ]) {
      const before = (await plugin.call(path, [0])) as number;
      held = Promise.withResolvers<number>();
      const waits = plugin.call(path, [1]);
      const changed = change();
      await settled(() => isLined(plugin));
      // Of several instances the second of two would have its own, with a sum of its own.
      const later = (instancesMax === 1 ? [10, 100] : [10]).map((value) => plugin.call(path, [value]));
      held.resolve(0);
      held = undefined;
      assert.equal(await waits, before + 1);
      await changed;
      const answers = await Promise.all(later);
      assert.deepEqual(answers, [before + 11, before + 111].slice(0, later.length));
    }
    assert.deepEqual(
      events.flatMap((event) => (event.kind === "reloaded" ? [event.state] : [])),
      [true],
    );
  });
}

/** Whether its calls wait for a version that is to take over. */
function isLined(plugin: object): boolean {
  return (plugin as { readonly handsOverTo: unknown }).handsOverTo !== undefined;
}

test("a version that answers at once hands over what its waiting call leaves, while others are answered", async (t) => {
  const { manager } = await rig(t, { policy: { healthEveryMs: 0 } });
  const plugin = await manager.install<AsyncCalls>(await ref(guests.sums(0)));
  assert.equal(plugin.use(runAsync, 5), 5);
  const held = Promise.withResolvers<void>();
  const waits = plugin.useAsync(async (calls) => {
    await held.promise;
    return calls.run(1);
  }, 0);
  const reloaded = manager.reload("adder");
  await settled(() => isLined(plugin));
  held.resolve();
  assert.equal(await waits, 6);
  await reloaded;
  assert.equal(plugin.use(runAsync, 0), 6);
});

test("calls in line are answered by the version that follows, and by none when the plugin is stopped", async (t) => {
  let held = Promise.withResolvers<number>();
  const host = askedHost((question) => (question === 0 ? held.promise : 0));
  const policy = { healthEveryMs: 0, instancesMax: 1 };
  const { manager } = await rig(t, { hosts: [host], policy });
  const plugin = await manager.install(await component());
  const calls = [1, 10, 100].map((value) => plugin.call(path, [value]));
  const reloaded = manager.reload("adder");
  await settled(() => isLined(plugin));
  calls.push(plugin.call(path, [1_000]));
  held.resolve(0);
  assert.deepEqual(
    await Promise.all(calls),
    [1, 11, 111, 1_111],
    "in their order, with what those before had left",
  );
  await reloaded;
  held = Promise.withResolvers();
  const late = [plugin.call(path, [1]), plugin.call(path, [2]), plugin.useAsync(() => 3, 0)];
  await settled(() => (plugin.serving?.guests.metrics.calls ?? 0) >= 1);
  const disabled = manager.disable("adder");
  for (const one of late.slice(1)) await expectRejected(one, "manager/not-running");
  held.resolve(0);
  assert.equal(await late[0], 1_112, "what has begun comes to its end");
  await disabled;
});

test("no call at once is answered while the state goes to a version that answers by promises: it would be forgotten", async (t) => {
  const { manager } = await rig(t, { hosts: [walledHost], policy: { healthEveryMs: 0 } });
  const plugin = await manager.install<AsyncCalls>(await ref(guests.sums(0)));
  let answered = 0;
  const use = () => {
    try {
      plugin.use(runAsync, 1);
      answered++;
    } catch (error) {
      assert.ok(isRemoraError(error, "manager/not-inline"), String(error));
    }
  };
  const update = manager.install(
    await ref(guests.sums(0), { version: "1.1.0", top: 'isolation = "worker"' }),
  );
  while (plugin.serving?.version.version === "1.0.0") {
    use();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await update;
  assert.ok(answered > 0);
  assert.equal(await plugin.useAsync(runAsync, 0), answered);
});
