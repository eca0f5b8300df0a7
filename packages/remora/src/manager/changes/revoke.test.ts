/** What an operator takes is gone at once, whatever the plugin does to keep it. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import { type FileSystem, nodeFileSystem } from "../store/file-system.ts";
import { type Calls, expectRejected, guests, ref, rig, run, settled } from "../testing/rig.test.ts";

const clock: Grant = { capability: "clock.read" };
const random: Grant = { capability: "random.read" };
const paths: Grant = { capability: "data.read", paths: ["navigation.position"] };

/** `run` gives the errno of a look at the clock: 0 while it may. */
const looks = (more = "") => `(import "wasi_snapshot_preview1" "clock_time_get"
    (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32) (call $time (i32.const 0) (i64.const 0) (i32.const 8)))
  ${more}`;
const tables = '[[capabilities]]\ncapability = "clock.read"\nwhy = "To try"';
const notCapable = 76;

/** Files of which nobody reads any between `hold` and `letGo`, so that no version is made. */
function heldFiles() {
  let held = Promise.withResolvers<void>();
  held.resolve();
  const files: FileSystem = {
    ...nodeFileSystem,
    async read(path) {
      await held.promise;
      return nodeFileSystem.read(path);
    },
  };
  const hold = () => {
    held = Promise.withResolvers();
  };
  return { files, hold, letGo: () => held.resolve() };
}

const installed = async (manager: Awaited<ReturnType<typeof rig>>["manager"], fields: string) =>
  manager.install<Calls>(await ref(fields, { tables }));

test("a plugin that imports what is taken stands still, and gets nothing of it back by being started again", async (t) => {
  const { manager, events, reopen } = await rig(t);
  const plugin = await installed(manager, looks());
  assert.equal(plugin.use(run, 0), 0);
  await expectRejected(manager.revoke("adder", clock), "manager/stopped-without", "manager/prepare");
  assert.throws(() => plugin.use(run, 0), { code: "manager/not-running" });
  assert.deepEqual(manager.grants("adder"), []);
  assert.equal(manager.info("adder").failure?.code, "manager/prepare");
  assert.ok(events.some(({ kind }) => kind === "revoked"));
  const again = await reopen();
  assert.equal(again.manager.get("adder").serving, undefined);
  await again.manager.give("adder", clock);
  assert.equal(again.manager.get<Calls>("adder").use(run, 0), 0, "given back, it runs");
});

test("a plugin that is unhealthy without it cannot keep it so", async (t) => {
  const variables: Grant = { capability: "env.read", names: ["KEY"] };
  const plugins = { adder: { sandbox: { environment: { KEY: "x" } } } };
  const { manager, clock: time } = await rig(t, {
    policy: { plugins, grants: [{ capability: "wasi.base" }] },
  });
  const stubborn = `(import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $count (result i32) (drop (call $sizes (i32.const 8) (i32.const 12))) (i32.load (i32.const 8)))
    (func (export "check_health") (result i32) (i32.eqz (call $count)))
    (func (export "run") (param i32) (result i32) (call $count))`;
  const declares = `[[capabilities]]\ncapability = "env.read"\nnames = ["KEY"]\nwhy = "To sign"
[[capabilities]]\ncapability = "wasi.base"\nwhy = "To ask"`;
  const plugin = await manager.install<Calls>(await ref(stubborn, { tables: declares }));
  assert.equal(plugin.use(run, 0), 1);
  await expectRejected(manager.revoke("adder", variables), "manager/stopped-without", "manager/prepare");
  assert.equal(plugin.serving, undefined);
  time.advance(60_000);
  await settled(() => plugin.state === "backing-off");
  assert.equal(plugin.serving, undefined);
});

test("a plugin that refuses its own state is made without it", async (t) => {
  const { manager } = await rig(t);
  const fields = guests
    .sums(0)
    .replace("(global.set $sum (i32.load (local.get 0))) (i32.const 0))", "(unreachable))");
  const plugin = await manager.install<Calls>(await ref(fields));
  await expectRejected(manager.give("adder", random), "manager/hand-over");
  await manager.disable("adder");
  await manager.give("adder", random);
  await manager.enable("adder");
  assert.equal(plugin.use(run, 5), 5);
  await manager.revoke("adder", random);
  assert.equal(plugin.use(run, 0), 0);
  assert.deepEqual(plugin.serving?.grants, []);
});

/** A call that has its guest, and asks it when it is told to. */
function callInTheMiddle(t: TestContext, plugin: ManagedPlugin<Calls>) {
  const goOn = Promise.withResolvers<void>();
  t.after(() => goOn.resolve());
  const call = plugin.useAsync(async (calls: Calls) => {
    await goOn.promise;
    return calls.run(0);
  }, undefined);
  return { call, goOn: goOn.resolve };
}

test("a call that was under way has lost it too, and so has the version that is ready to take over", async (t) => {
  const { manager } = await rig(t);
  const plugin = await installed(manager, looks());
  await manager.install(await ref(looks(), { version: "1.1.0", tables }));
  assert.ok(plugin.isOnProbation);
  const [first, second] = [callInTheMiddle(t, plugin), callInTheMiddle(t, plugin)];
  const taken = expectRejected(manager.revoke("adder", clock), "manager/stopped-without");
  while (manager.grants("adder").length > 0) await new Promise((resolve) => setImmediate(resolve));
  first.goOn();
  assert.equal(await first.call, notCapable);
  await taken;
  second.goOn();
  assert.equal(await second.call, notCapable);
});

test("a version on probation that fails while it is made without it does not come back", async (t) => {
  const { files, hold, letGo } = heldFiles();
  const { manager } = await rig(t, { files });
  const plugin = await manager.install<Calls>(await ref(guests.trapsBelowZero));
  await manager.give("adder", random);
  await manager.install(await ref(guests.trapsBelowZero, { version: "1.1.0" }));
  hold();
  const taken = manager.revoke("adder", random);
  while (manager.grants("adder").length > 0) await new Promise((resolve) => setImmediate(resolve));
  // The old one takes the call over; it traps too, and that is the caller's to know.
  assert.throws(() => plugin.use(run, -1), { code: "engine/unreachable" });
  assert.equal(plugin.serving?.version.version, "1.0.0");
  letGo();
  await taken;
  assert.equal(plugin.serving?.version.version, "1.0.0");
  await settled(() => manager.versions("adder").current?.version === "1.0.0");
  assert.ok(!plugin.serving?.grants.some(({ capability }) => capability === "random.read"));
  await manager.reload("adder");
  assert.equal(plugin.serving?.version.version, "1.0.0");
});

test("a version that comes back has no more than it had, when something is taken from the one after it", async (t) => {
  const { files, hold, letGo } = heldFiles();
  const { manager } = await rig(t, { files });
  const plugin = await manager.install<Calls>(await ref(guests.trapsBelowZero));
  const wants = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*", "water.*"]\nwhy = "To try"';
  const of = (...paths: readonly string[]): Grant => ({ capability: "data.read", paths });
  await manager.install(await ref(guests.trapsBelowZero, { version: "1.1.0", tables: wants }));
  hold();
  const taken = manager.revoke("adder", of("water.*"));
  while (plugin.serving?.grants[0]?.paths?.length !== 1)
    await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(plugin.serving?.grants, [of("air.*")]);
  assert.throws(() => plugin.use(run, -1), { code: "engine/unreachable" });
  assert.equal(plugin.serving?.version.version, "1.0.0");
  assert.deepEqual(plugin.serving?.grants, []);
  letGo();
  await taken;
});

test("what is taken is read as strictly as what is given: a field that is misspelt takes nothing", async (t) => {
  const { manager } = await rig(t);
  await manager.install(await ref(guests.adds(1)));
  await manager.give("adder", paths);
  const rows: readonly [taken: unknown, code: string][] = [
    [{ capability: "data.read", path: ["navigation.position"] }, "policy/bad-grant"],
    [{ capability: "data.read", paths: "navigation.position" }, "policy/bad-grant"],
    [{ capability: "data.reed", paths: ["navigation.position"] }, "policy/unknown-capability"],
    [{ capability: "data.reed" }, "manager/not-granted"],
    [null, "policy/bad-grant"],
  ];
  for (const [taken, code] of rows) await expectRejected(manager.revoke("adder", taken), code);
  assert.deepEqual(manager.grants("adder"), [paths]);
  await manager.revoke("adder", { capability: "data.read" });
  assert.deepEqual(manager.grants("adder"), []);
});

test("what is not granted as such is refused with what is, and a disabled plugin loses what it had", async (t) => {
  const { manager, reopen } = await rig(t, {
    policy: { trust: "unsigned", grants: [{ capability: "kv.store" }] },
  });
  const http = { capability: "net.http", origins: ["https://*.example.org"] } as const;
  await manager.install(await ref(guests.adds(1)));
  await manager.give("adder", http);
  const narrower = await expectRejected(
    manager.revoke("adder", { capability: "net.http", origins: ["https://a.example.org"] }),
    "manager/not-granted",
  );
  assert.match(narrower.message, /net\.http https:\/\/\*\.example\.org:443$/);
  const ofPolicy = await expectRejected(
    manager.revoke("adder", { capability: "kv.store" }),
    "manager/not-granted",
  );
  assert.match(ofPolicy.message, /the policy can deny$/);
  await manager.disable("adder");
  await manager.revoke("adder", http);
  const { manager: again } = await reopen();
  assert.deepEqual(again.grants("adder"), []);
});

test("a grant that comes with the same version once more reaches the guests that run, and no call fails", async (t) => {
  const declares =
    '[[capabilities]]\ncapability = "data.read"\npaths = ["navigation.position"]\nwhy = "To try"';
  const bundle = await ref(guests.sums(0), { tables: declares });
  const first = await rig(t, { policy: { grants: [paths] } });
  await first.manager.install(bundle);
  // The policy gives it no more, so whoever installs it again is asked.
  const { manager } = await first.reopen({ policy: {} });
  const plugin = manager.get<Calls>("adder");
  plugin.use(run, 4);
  assert.deepEqual(plugin.serving?.grants, []);
  await manager.install(bundle);
  assert.deepEqual(plugin.serving?.grants, [paths]);
  assert.equal(plugin.use(run, 0), 4);
});

test("a plugin that lacked what it imports runs as soon as the same version is given it", async (t) => {
  const first = await rig(t, { policy: { grants: [clock] } });
  await installed(first.manager, looks());
  const { manager } = await first.reopen({ policy: {} });
  assert.equal(manager.get("adder").serving, undefined);
  const plugin = await installed(manager, looks());
  assert.equal(plugin.use(run, 0), 0);
});
