/** A disk that is full: what is there can be used, told and removed, and a change that has no room leaves nothing behind. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import { failingFiles } from "../testing/failing-files.ts";
import {
  type Calls,
  expectRejected,
  folderFor,
  guests,
  ref,
  rig,
  run,
  testHost,
} from "../testing/rig.test.ts";
import { smallDisk } from "../testing/small-disk.ts";

const data: Grant = { capability: "data.read", paths: ["air.*"] };
const wants = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "To know the weather"';

const entryIn = (folder: string) => JSON.parse(readFileSync(join(folder, "plugins", "adder.json"), "utf8"));
const bundlesIn = (folder: string) => readdirSync(join(folder, "bundles")).length;

test("an update that has no room leaves no bundle behind, and the plugin can be removed", async (t) => {
  const files = smallDisk();
  const { manager, folder } = await rig(t, { files });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  const entryBytes = readFileSync(join(folder, "plugins", "adder.json")).length;
  const update = await ref(guests.adds(2), { version: "1.1.0" });
  // For the bundle and the entry with its candidate, and for nothing more.
  files.roomBytes = update.bytes.length + entryBytes + 400;
  await expectRejected(manager.install(update), "manager/swap", "manager/folder");
  assert.equal(plugin.use(run, 1), 2);
  assert.deepEqual([bundlesIn(folder), entryIn(folder).candidate], [1, undefined]);
  await manager.remove("adder");
  assert.deepEqual(manager.list(), []);
});

test("what is removed from a full disk leaves its settings all the same", async (t) => {
  const files = smallDisk();
  const worlds = testHost.worlds.map((world) => ({ ...world, takesSettings: true }));
  const { manager } = await rig(t, { files, hosts: [{ ...testHost, worlds }] });
  const tables = '[settings]\ntype = "object"\n[settings.properties.size]\ntype = "integer"\n';
  const bundle = await ref(guests.adds(1), { tables });
  await manager.install(bundle, { settings: { size: 2 } });
  files.roomBytes = 0;
  await manager.remove("adder");
  files.roomBytes = Number.POSITIVE_INFINITY;
  await manager.install(bundle);
  assert.deepEqual(await manager.settings("adder"), { size: 2 });
  await manager.remove("adder", { data: true });
  await manager.install(bundle);
  assert.equal(await manager.settings("adder"), undefined);
});

test("what a killed manager left on a full disk is read as it was before, and the plugins run", async (t) => {
  const folder = folderFor(t);
  const first = await rig(t, { folder });
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.close();
  // As it was when its process was killed in the middle of an update.
  const { current, ...entry } = entryIn(folder);
  const candidate = { ...current, version: "1.1.0", operation: "update", isEnabled: false };
  const killed = { ...entry, current, candidate: { ...candidate, grants: [data], refused: [] } };
  writeFileSync(join(folder, "plugins", "adder.json"), JSON.stringify(killed));
  const files = failingFiles();
  const second = await rig(t, { folder, files: { ...files, writeNew: full } });
  assert.equal(second.manager.get<Calls>("adder").use(run, 1), 2);
  assert.deepEqual(second.manager.grants("adder"), []);
  assert.equal(second.manager.recovered[0]?.found, "old");
  await second.manager.close();
  const third = await rig(t, { folder });
  assert.equal(third.manager.recovered[0]?.found, "old");
  assert.equal(entryIn(folder).candidate, undefined);
});

async function full(): Promise<never> {
  throw Object.assign(new Error("full"), { code: "ENOSPC" });
}

test("the grants of an update are those of the version that has not taken over, until it has", async (t) => {
  const { manager, folder } = await rig(t);
  await manager.install(await ref(guests.adds(1)));
  const update = await ref(guests.trapsAtStart, { version: "1.1.0", tables: wants });
  const failing = expectRejected(manager.install(update), "manager/prepare");
  while (entryIn(folder).candidate === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(manager.grants("adder"), []);
  await failing;
  assert.deepEqual(manager.grants("adder"), []);
  await manager.install(await ref(guests.adds(2), { version: "1.1.0", tables: wants }));
  assert.deepEqual(manager.grants("adder"), [data]);
});

test("on a disk without any room plugins are listed, run, and are removed", async (t) => {
  const folder = folderFor(t);
  const first = await rig(t, { folder });
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.close();
  const { manager } = await rig(t, { folder, files: { ...failingFiles(), writeNew: full } });
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
  await expectRejected(manager.disable("adder"), "manager/folder");
  await expectRejected(manager.remove("adder", { data: true }), "manager/folder");
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
  await manager.remove("adder");
  assert.deepEqual(readdirSync(join(folder, "plugins")), []);
});

test("modules that were kept to save time go before an entry cannot be written", async (t) => {
  const files = smallDisk();
  const { manager, folder } = await rig(t, { files });
  await manager.install(await ref(guests.adds(1)));
  mkdirSync(join(folder, "rewritten"), { recursive: true });
  writeFileSync(join(folder, "rewritten", "old"), "x");
  files.roomBytes = 0;
  files.removed = (path) => {
    if (path.endsWith("rewritten")) files.roomBytes = 10_000;
  };
  await manager.disable("adder");
  assert.equal(entryIn(folder).isEnabled, false);
});
