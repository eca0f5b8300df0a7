/** Changes at the same time, of plugins that concern each other, and of one that breaks meanwhile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manager } from "../manager.ts";
import { nodeFileSystem } from "../store/file-system.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { type Calls, folderFor, guests, ref, rig, run, settled } from "../testing/rig.test.ts";

const needing = (name: string, needs: string, version = "1.1.0") =>
  ref(guests.adds(1), { name, version, tables: `[dependencies]\n${needs} = "^1.0.0"\n` });
const plain = (name: string, version = "1.0.0") => ref(guests.adds(1), { name, version });

/** The codes of what a change failed with, the outermost first; none when it did not. */
const codesOf = async (change: Promise<unknown>): Promise<readonly string[]> => {
  try {
    await change;
    return [];
  } catch (error) {
    const codes: string[] = [];
    for (let one = error as { code?: string; cause?: unknown } | undefined; one !== undefined; ) {
      codes.push(one.code ?? String(one));
      one = one.cause as typeof one;
    }
    return codes;
  }
};

test("of two updates at once that would need each other one is refused, and the folder opens again", async (t) => {
  const house = await rig(t);
  const { manager } = house;
  for (const name of ["one", "two"]) await manager.install(await plain(name));
  const updates = [await needing("one", "two"), await needing("two", "one")];
  const failed = await Promise.all(updates.map((update) => codesOf(manager.install(update))));
  assert.deepEqual(failed.flat(), ["manager/resolve", "manager/dependency-cycle"]);
  const again = await house.reopen();
  assert.deepEqual(
    again.manager.list().map(({ state }) => state),
    ["running", "running"],
  );
});

test("what is needed does not go, stop or change while whoever needs it comes", async (t) => {
  const { manager } = await rig(t);
  const app = await needing("app", "base");
  const next = await plain("base", "2.0.0");
  const changes = [() => manager.remove("base"), () => manager.disable("base"), () => manager.install(next)];
  for (const change of changes) {
    await manager.install(await plain("base"));
    await Promise.all([codesOf(manager.install(app)), codesOf(change())]);
    // Whoever was first has its way, and the other one sees it.
    const found = new Map(manager.list().map((plugin) => [plugin.name, plugin]));
    const isBaseThere = found.get("base")?.version === "1.0.0";
    assert.ok(isBaseThere || !found.has("app"), [...found.keys()].join(" "));
    if (found.has("app")) await manager.remove("app");
    if (found.has("base")) await manager.remove("base");
  }
});

test("a try that falls due while the plugin is removed is dropped", async (t) => {
  const clock = new FakeClock();
  const { manager } = await rig(t, { clock });
  await manager.install(await ref(guests.trapsBelowZero));
  const plugin = manager.get<Calls>("adder");
  while (plugin.state === "running") assert.throws(() => plugin.use(run, -1));
  assert.equal(plugin.state, "backing-off");
  const removed = manager.remove("adder");
  await new Promise(setImmediate);
  clock.advance(60_000);
  await removed;
  await settled(() => plugin.state === "stopped");
  assert.deepEqual(manager.list(), []);
});

test("a return is written down before whatever stands in line, which goes by it", async (t) => {
  for (const [what, change] of Object.entries({
    "disabled and enabled": (manager: Manager) =>
      Promise.all([manager.disable("adder"), manager.enable("adder")]),
    reloaded: (manager: Manager) => manager.reload("adder"),
    "given a grant": (manager: Manager) =>
      manager.give("adder", { capability: "data.read", paths: ["air.*"] }),
  })) {
    const house = await rig(t, { clock: new FakeClock(), folder: folderFor(t) });
    const { manager } = house;
    await manager.install(await ref(guests.adds(1)));
    await manager.install(await ref(guests.trapsBelowZero, { version: "2.0.0" }));
    const plugin = manager.get<Calls>("adder");
    const changed = change(manager);
    assert.equal(plugin.use(run, -1), 0, "the version before answers");
    await changed;
    assert.equal(plugin.serving?.version.version, "1.0.0", what);
    assert.equal(manager.info("adder").version, "1.0.0", what);
    const again = await house.reopen();
    assert.equal(again.manager.get("adder").serving?.version.version, "1.0.0", what);
    const { previous } = await again.manager.details("adder");
    assert.deepEqual(
      previous.map(({ version, failedWith }) => [version, failedWith]),
      [["2.0.0", "engine/unreachable"]],
      what,
    );
  }
});

test("a plugin that was broken is broken again when its update cannot be written down", async (t) => {
  let renamesLeft = Number.POSITIVE_INFINITY;
  const files = {
    ...nodeFileSystem,
    async rename(from: string, to: string) {
      if (to.includes("/plugins/") && renamesLeft-- === 0)
        throw Object.assign(new Error("EIO"), { code: "EIO" });
      await nodeFileSystem.rename(from, to);
    },
  };
  const clock = new FakeClock();
  const { manager } = await rig(t, { files, clock });
  await manager.install(await ref(guests.trapsBelowZero));
  const plugin = manager.get<Calls>("adder");
  while (plugin.state === "running") assert.throws(() => plugin.use(run, -1));
  renamesLeft = 1; // the candidate's, and not the swap's
  const update = manager.install(await ref(guests.adds(10), { version: "2.0.0" }));
  assert.deepEqual(await codesOf(update), ["manager/swap", "manager/folder", "EIO"]);
  assert.equal(plugin.state, "backing-off");
  assert.equal(plugin.serving, undefined);
  assert.equal(manager.info("adder").version, "1.0.0");
  renamesLeft = Number.POSITIVE_INFINITY;
  clock.advance(60_000);
  await settled(() => plugin.state === "running");
  assert.equal(plugin.use(run, 1), 1);
});
