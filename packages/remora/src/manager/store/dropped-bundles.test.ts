/** What no version needs any more is not in the folder, while the manager runs. */

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keptVersion } from "../../engine/index.ts";
import { askNobody } from "../consent/asker.ts";
import { type Calls, expectRejected, guests, ref, rig, run, settled } from "../testing/rig.test.ts";
import { nodeFileSystem } from "./file-system.ts";

const bundlesIn = (folder: string) => readdirSync(join(folder, "bundles")).length;
const rewrittenIn = (folder: string) => {
  const path = join(folder, "rewritten", keptVersion);
  return existsSync(path) ? readdirSync(path).length : 0;
};
const version = (number: number) => ref(guests.adds(number), { version: `${number}.0.0` });

test("of a plugin that is updated again and again, there are the versions that are kept", async (t) => {
  const { manager, folder } = await rig(t, { policy: { versionsKept: 2 } });
  for (let at = 1; at <= 8; at++) {
    await manager.install(await version(at));
    await settled(() => bundlesIn(folder) <= 3 && rewrittenIn(folder) === bundlesIn(folder));
  }
  assert.equal(bundlesIn(folder), 3);
  const plugin = await manager.rollback<Calls>("adder", "6.0.0");
  assert.equal(plugin.use(run, 1), 7);
});

test("a version that is dropped and comes again is there, and a manager that is closed leaves nothing to remove", async (t) => {
  const { manager, folder, reopen } = await rig(t, { policy: { versionsKept: 1 } });
  for (const at of [1, 2, 3, 1, 2, 3, 1]) await manager.install(await version(at));
  await manager.close();
  assert.equal(bundlesIn(folder), 2);
  assert.equal((await reopen()).manager.get<Calls>("adder").use(run, 1), 2);
});

test("what may return from a probation is kept, though no entry names it", async (t) => {
  const traps = await ref(guests.trapsBelowZero, { version: "2.0.0" });
  const { manager, folder, reopen } = await rig(t, { policy: { versionsKept: 0 } });
  const plugin = await manager.install<Calls>(await version(1));
  await manager.install(traps);
  await manager.install(await ref(guests.adds(1), { name: "other" }));
  await manager.install(await ref(guests.adds(2), { name: "other", version: "2.0.0" }));
  assert.equal(plugin.use(run, -5), -4, "1.0.0 has returned");
  await settled(() => manager.info("adder").version === "1.0.0");
  assert.equal((await reopen()).manager.get<Calls>("adder").use(run, 1), 2);
  assert.ok(bundlesIn(folder) <= 3);
});

test("a held version that is refused, or replaced by another one, leaves no bundle", async (t) => {
  const tables = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "To know"';
  const { manager, folder } = await rig(t, { asker: askNobody });
  const hold = async (at: number) =>
    expectRejected(
      manager.install(await ref(guests.adds(at), { version: `${at}.0.0`, tables })),
      "manager/decide",
      "manager/held",
    );
  const refuse = async () => {
    const [request] = await manager.held();
    assert.ok(request !== undefined);
    await manager.refuse(request);
  };
  await hold(1);
  await refuse();
  await settled(() => bundlesIn(folder) === 0);
  await manager.install(await version(1));
  await hold(2);
  await hold(3);
  await settled(() => bundlesIn(folder) === 2);
  await refuse();
  await settled(() => bundlesIn(folder) === 1);
});

test("an update does not wait for the removal, nor fail with it; the next one removes both", async (t) => {
  let removal = Promise.withResolvers<void>();
  const removed: string[] = [];
  const files = {
    ...nodeFileSystem,
    async remove(path: string) {
      if (!path.endsWith(".bundle")) return nodeFileSystem.remove(path);
      removed.push(path);
      await removal.promise;
      await nodeFileSystem.remove(path);
    },
  };
  const { manager, folder } = await rig(t, { files, policy: { versionsKept: 0, probationMs: 0 } });
  await manager.install(await version(1));
  await manager.install(await version(2));
  await settled(() => removed.length === 1);
  removal.reject(Object.assign(new Error("EIO"), { code: "EIO" }));
  removal = Promise.withResolvers();
  removal.resolve();
  const plugin = await manager.install<Calls>(await version(3));
  await settled(() => bundlesIn(folder) === 1);
  assert.equal(plugin.use(run, 1), 4);
});
