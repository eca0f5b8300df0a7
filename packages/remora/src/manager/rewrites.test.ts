import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keptVersion } from "../engine/index.ts";
import type { Manager } from "./manager.ts";
import { failingFiles } from "./testing/failing-files.ts";
import { type Calls, folderFor, guests, ref, rig, run } from "./testing/rig.test.ts";

/** The bundles of which something is kept. */
const keptOf = (folder: string) => {
  const path = join(folder, "rewritten", keptVersion);
  return existsSync(path) ? readdirSync(path).filter((name) => readdirSync(join(path, name)).length > 0) : [];
};
const current = (manager: Manager, name: string) => manager.versions(name).current?.sha256 ?? "";
const previous = (manager: Manager, name: string) =>
  manager.versions(name).previous.map(({ sha256 }) => sha256);

test("a removal takes what was kept of the plugin's versions, and leaves what is kept of others", async (t) => {
  const { manager, folder } = await rig(t);
  await manager.install(await ref(guests.adds(1)));
  await manager.install(await ref(guests.adds(2), { version: "2.0.0" }));
  await manager.install(await ref(guests.adds(3), { name: "other" }));
  const other = current(manager, "other");
  await manager.remove("adder");
  await manager.close();
  assert.deepEqual(keptOf(folder), [other]);
});

test("an opening takes what belongs to no version, what another rewriter made, and drafts", async (t) => {
  const first = await rig(t, { policy: { versionsKept: 1 } });
  for (const [at, version] of ["1.0.0", "2.0.0", "3.0.0"].entries()) {
    await first.manager.install(await ref(guests.adds(at), { version }));
  }
  const wanted = [current(first.manager, "adder"), ...previous(first.manager, "adder")].toSorted();
  await first.manager.close();
  assert.equal(wanted.length, 2);
  assert.deepEqual(keptOf(first.folder), wanted);
  const rewritten = join(first.folder, "rewritten");
  mkdirSync(join(rewritten, keptVersion, "0".repeat(64)));
  writeFileSync(join(rewritten, keptVersion, "0".repeat(64), "0-1.plan"), "of a version that is gone");
  mkdirSync(join(rewritten, "7-1", wanted[0] ?? ""), { recursive: true });
  writeFileSync(join(rewritten, `${"0".repeat(64)}-1.plan`), "as older versions of us had them");
  writeFileSync(join(rewritten, keptVersion, wanted[0] ?? "", "0-1.plan.draft-x"), "half");
  const { manager } = await first.reopen();
  assert.deepEqual(readdirSync(rewritten), [keptVersion]);
  assert.deepEqual(keptOf(first.folder), wanted);
  assert.equal(readdirSync(join(rewritten, keptVersion, wanted[0] ?? "")).length, 1);
  assert.equal(manager.get<Calls>("adder").use(run, 1), 3);
});

test("beyond the bound the oldest go, what runs keeps its files, and more is not kept", async (t) => {
  const first = await rig(t);
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.install(await ref(guests.adds(2), { version: "2.0.0" }));
  await first.manager.install(await ref(guests.adds(3), { name: "other" }));
  const running = [current(first.manager, "adder"), current(first.manager, "other")].toSorted();
  const { manager, folder } = await first.reopen({ policy: { rewrittenBytesMax: 1 } });
  assert.deepEqual(keptOf(folder), running);
  await manager.rollback("adder");
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
  await manager.install(await ref(guests.adds(9), { name: "late" }));
  await manager.close();
  assert.deepEqual(keptOf(folder), running);
});

test("a bound of nothing keeps nothing, and one that is no number is refused", async (t) => {
  const { manager, folder } = await rig(t, { policy: { rewrittenBytesMax: 0 } });
  await manager.install(await ref(guests.adds(1)));
  await manager.close();
  assert.deepEqual(keptOf(folder), []);
  for (const rewrittenBytesMax of [Number.NaN, -1]) {
    await assert.rejects(rig(t, { policy: { rewrittenBytesMax } }), RangeError);
  }
});

test("an opening that is killed while it trims leaves what the next one trims", async (t) => {
  const folder = folderFor(t);
  const first = await rig(t, { folder });
  await first.manager.install(await ref(guests.adds(1)));
  const running = current(first.manager, "adder");
  await first.manager.close();
  const litter = () => {
    for (const version of ["1-1", keptVersion]) {
      mkdirSync(join(folder, "rewritten", version, "0".repeat(64)), { recursive: true });
      writeFileSync(join(folder, "rewritten", version, "0".repeat(64), "0-1.plan"), "left over");
    }
  };
  litter();
  const whole = failingFiles();
  await (await rig(t, { folder, files: whole })).manager.close();
  assert.ok(whole.count > 2);
  for (const fault of ["killed", "EROFS"] as const) {
    for (let at = 0; at < whole.count; at++) {
      litter();
      const files = failingFiles();
      files.failFrom(at, fault);
      const opened = await rig(t, { folder, files }).catch(() => undefined);
      await opened?.manager.close().catch(() => {});
      const { manager } = await rig(t, { folder });
      assert.deepEqual(keptOf(folder), [running], `${fault} at ${at}`);
      assert.deepEqual(readdirSync(join(folder, "rewritten")), [keptVersion]);
      assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
      await manager.close();
    }
  }
});

test("whoever deletes what is kept costs the next start time, and nothing else", async (t) => {
  const first = await rig(t);
  await first.manager.install(await ref(guests.adds(1)));
  rmSync(join(first.folder, "rewritten"), { recursive: true, force: true });
  const { manager } = await first.reopen();
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
});

test("a plugin that is installed while another one is removed keeps its bundle", async (t) => {
  const { manager, reopen } = await rig(t);
  for (let round = 0; round < 10; round++) {
    await manager.install(await ref(guests.adds(1), { name: "goes" }));
    const bundle = await ref(guests.adds(round), { name: `stays-${round}` });
    await Promise.all([manager.remove("goes"), manager.install(bundle)]);
  }
  const again = await reopen();
  for (let round = 0; round < 10; round++) {
    assert.equal(again.manager.get<Calls>(`stays-${round}`).use(run, 1), round + 1);
  }
});
