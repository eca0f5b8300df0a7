/** The version before stays ready for as long as its successor is on probation, whatever becomes of that meanwhile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManagedPlugin } from "../managed-plugin.ts";
import type { Manager } from "../manager.ts";
import { type FileSystem, nodeFileSystem } from "../store/file-system.ts";
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
} from "../testing/rig.test.ts";

const hosts = [{ ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true })) }];
const policy = { healthEveryMs: 0, probationMs: 30_000 };
const sized = (type: string) => `[settings]\ntype = "object"\n[settings.properties.size]\ntype = "${type}"\n`;

const first = () => ref(guests.adds(1), { tables: sized("integer") });
const second = (tables = sized("integer")) => ref(guests.trapsBelowZero, { version: "2.0.0", tables });
const third = () => ref(guests.trapsBelowZero, { version: "3.0.0", tables: sized("integer") });

/** One on probation, which fails when it is given a negative number; the one before adds one. */
async function onProbation(
  t: Parameters<typeof rig>[0],
  options: Parameters<typeof rig>[1] & { readonly tables?: string } = {},
): Promise<Rig & { readonly plugin: ManagedPlugin<Calls> }> {
  const house = await rig(t, { hosts, policy, ...options });
  const plugin = await house.manager.install<Calls>(await first(), { settings: { size: 1 } });
  await house.manager.install(await second(options.tables));
  assert.ok(plugin.isOnProbation);
  return { ...house, plugin };
}

const remakings: Readonly<Record<string, (manager: Manager) => Promise<unknown>>> = {
  "a reload": (manager) => manager.reload("adder"),
  "a grant": (manager) => manager.give("adder", { capability: "data.read", paths: ["air.*"] }),
  "a change of settings": (manager) => manager.changeSettings("adder", { size: 2 }),
  "the same version with other settings": async (manager) =>
    manager.install(await second(), { settings: { size: 2 } }),
};

for (const [what, remake] of Object.entries(remakings)) {
  test(`after ${what} the version before follows one that fails on probation, for as long as it would have`, async (t) => {
    const { plugin, manager, clock } = await onProbation(t);
    clock.advance(20_000);
    await remake(manager);
    assert.equal(plugin.use(run, -5), -4);
    await settled(() => manager.versions("adder").current?.version === "1.0.0");
    assert.equal(manager.versions("adder").previous[0]?.failedWith, "engine/unreachable");

    await manager.install(await third());
    clock.advance(20_000);
    await manager.reload("adder");
    clock.advance(10_000);
    assert.equal(plugin.isOnProbation, false, "it is over when it would have been");
    assert.throws(() => plugin.use(run, -5), { code: "engine/unreachable" });
  });
}

/** The node's own, with something before the entry gets its place for the `nth` time from now on. */
function withHook(): FileSystem & { before?: { nth: number; act: () => void } } {
  const files: ReturnType<typeof withHook> = {
    ...nodeFileSystem,
    async rename(from, to) {
      const { before } = files;
      if (before !== undefined && to.endsWith("adder.json") && --before.nth === 0) before.act();
      await nodeFileSystem.rename(from, to);
    },
  };
  return files;
}

test("an update that cannot be written leaves the way back to the version before", async (t) => {
  const files = withHook();
  const { plugin, manager, clock } = await onProbation(t, { files });
  clock.advance(20_000);
  const act = () => {
    clock.advance(5_000);
    throw Object.assign(new Error("EIO"), { code: "EIO" });
  };
  files.before = { nth: 2, act };
  await expectRejected(manager.install(await third()), "manager/swap", "manager/folder");
  assert.equal(plugin.serving?.version.version, "2.0.0");
  assert.equal(plugin.use(run, -5), -4);
  assert.equal(plugin.serving?.version.version, "1.0.0");
});

test("an update that fails before it is written down is followed by the one on probation, and that by the one before", async (t) => {
  const files = withHook();
  const { plugin, manager } = await onProbation(t, { files });
  const answers: number[] = [];
  const act = () => void answers.push(plugin.use(run, 5), plugin.use(run, -5));
  files.before = { nth: 2, act };
  await manager.install(await ref(trapsBelowTen, { version: "3.0.0", tables: sized("integer") }));
  assert.deepEqual(answers, [5, -4], "by 2.0.0, which fails as well");
  await settled(() => manager.versions("adder").current?.version === "1.0.0");
  assert.deepEqual([plugin.use(run, 1), plugin.isOnProbation], [2, false]);
});

const trapsBelowTen = `(func (export "run") (param i32) (result i32)
  (if (i32.lt_s (local.get 0) (i32.const 10)) (then (unreachable))) (local.get 0))`;

test("a version that cannot go on with what was installed or removed meanwhile does not come back", async (t) => {
  const needing = (name: string, range: string) => `[dependencies]\n${name} = "${range}"\n`;
  const adds = (name: string, tables = "") => ref(guests.adds(1), { name, tables });
  const cases: Readonly<
    Record<string, readonly [needs: string, change: (manager: Manager) => Promise<unknown>]>
  > = {
    "it needs other, which is gone": [needing("other", "^1"), (manager) => manager.remove("other")],
    "it needs other, which is disabled": [needing("other", "^1"), (manager) => manager.disable("other")],
    "somebody needs the new version": [
      "",
      async (manager) => manager.install(await adds("user", needing("adder", "^2"))),
    ],
  };
  for (const [what, [needs, change]] of Object.entries(cases)) {
    const { manager, events } = await rig(t, { policy });
    await manager.install(await adds("other"));
    const plugin = await manager.install<Calls>(await adds("adder", needs));
    await manager.install(await ref(guests.trapsBelowZero, { version: "2.0.0" }));
    await change(manager);
    assert.throws(() => plugin.use(run, -5), { code: "engine/unreachable" }, what);
    assert.deepEqual([plugin.serving?.version.version, plugin.isOnProbation], ["2.0.0", false], what);
    const trouble = events.find((event) => event.kind === "trouble");
    assert.equal(trouble?.code, "manager/dependency", what);
  }
});

test("the version that comes back has the settings that it ran with, and not what only the one that failed takes", async (t) => {
  const house = await onProbation(t, { tables: sized("number") });
  const { plugin, manager } = house;
  await manager.changeSettings("adder", { size: 1.5 });
  await manager.changeSettings("adder", { size: 2.5 });
  assert.equal(plugin.use(run, -5), -4);
  await settled(() => manager.versions("adder").current?.version === "1.0.0");
  assert.deepEqual(await manager.settings("adder"), { size: 1 });
  const again = await house.reopen();
  assert.equal(again.manager.get<Calls>("adder").use(run, 1), 2);
});
