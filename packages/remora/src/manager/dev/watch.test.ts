import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { platform } from "node:process";
import { test } from "node:test";
import { systemClock } from "../clock.ts";
import { askNobody } from "../consent/asker.ts";
import { ada, eve, keys, version } from "../testing/publishers.test.ts";
import {
  bundleOf,
  type Calls,
  expectRejected,
  guests,
  manifestOf,
  moduleOf,
  rig,
  run,
  settled,
} from "../testing/rig.test.ts";

test("a file that is watched takes over whenever it changes, and what cannot is told", async (t) => {
  const { manager, folder, events } = await rig(t, { clock: systemClock });
  const path = join(folder, "adder.bundle");
  writeFileSync(path, await bundleOf(guests.adds(1)));
  const plugin = await manager.install<Calls>(path);
  const stop = manager.watch(path);
  t.after(stop);
  writeFileSync(path, await bundleOf(guests.adds(2)));
  await settled(() => plugin.use(run, 1) === 3, 5_000);
  writeFileSync(path, "half a bundle");
  await settled(() => events.some((event) => event.kind === "trouble"), 5_000);
  assert.equal(plugin.use(run, 1), 3);
  // As compilers do it: another file takes the name.
  writeFileSync(`${path}.new`, await bundleOf(guests.adds(3)));
  renameSync(`${path}.new`, path);
  await settled(() => plugin.use(run, 1) === 4, 5_000);
  stop();
});

test("a folder is packed again whenever a file of it changes", async (t) => {
  const { manager, folder } = await rig(t, { clock: systemClock });
  const source = join(folder, "source");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "remora.toml"), manifestOf({ version: "1.0.0" }));
  writeFileSync(join(source, "plugin.wasm"), await moduleOf(guests.adds(1)));
  const plugin = await manager.install<Calls>(source);
  t.after(manager.watch(source));
  writeFileSync(join(source, "plugin.wasm"), await moduleOf(guests.adds(5)));
  await settled(() => plugin.use(run, 1) === 6, 5_000);
});

test("a build that makes its folder anew is seen each time, and so is a folder further out", async (t) => {
  const { manager, folder } = await rig(t, { clock: systemClock });
  const [outer, dist] = [join(folder, "build"), join(folder, "build", "dist")];
  const path = join(dist, "adder.bundle");
  const put = async (adds: number) => {
    mkdirSync(dist, { recursive: true });
    writeFileSync(path, await bundleOf(guests.adds(adds)));
  };
  await put(1);
  const plugin = await manager.install<Calls>(path);
  t.after(manager.watch(path));
  for (const [adds, anew] of [
    [2, dist],
    [3, dist],
    [4, outer],
    [5, dist],
  ] as const) {
    rmSync(anew, { recursive: true });
    await put(adds);
    await settled(() => plugin.use(run, 1) === adds + 1, 5_000);
  }
});

test("a plugin's folder that is moved away and back, or made anew, is watched as before", async (t) => {
  const { manager, folder } = await rig(t, { clock: systemClock });
  const source = join(folder, "source");
  const put = async (adds: number) => {
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, "remora.toml"), manifestOf({ version: "1.0.0" }));
    writeFileSync(join(source, "plugin.wasm"), await moduleOf(guests.adds(adds)));
  };
  await put(1);
  const plugin = await manager.install<Calls>(source);
  t.after(manager.watch(source));
  renameSync(source, `${source}-away`);
  renameSync(`${source}-away`, source);
  await put(2);
  await settled(() => plugin.use(run, 1) === 3, 5_000);
  rmSync(source, { recursive: true });
  await put(3);
  await settled(() => plugin.use(run, 1) === 4, 5_000);
  await put(4);
  await settled(() => plugin.use(run, 1) === 5, 5_000);
});

test("what a link leads to is watched, and where it leads", { skip: platform === "win32" }, async (t) => {
  const { manager, folder } = await rig(t, { clock: systemClock });
  const put = async (name: string, adds: number) => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "adder.bundle"), await bundleOf(guests.adds(adds)));
  };
  const lead = (link: string, target: string) => {
    symlinkSync(target, join(folder, `${link}.new`));
    renameSync(join(folder, `${link}.new`), join(folder, link));
  };
  await put("one", 1);
  lead("current", "one");
  lead("adder.bundle", join("current", "adder.bundle"));
  const path = join(folder, "adder.bundle");
  const plugin = await manager.install<Calls>(path);
  t.after(manager.watch(path));
  await put("one", 2);
  await settled(() => plugin.use(run, 1) === 3, 5_000);
  await put("two", 3);
  lead("current", "two");
  await settled(() => plugin.use(run, 1) === 4, 5_000);
  await put("two", 4);
  await settled(() => plugin.use(run, 1) === 5, 5_000);
});

test("a file that changes to another publisher's waits with a question, and takes over when it is accepted", async (t) => {
  const { manager, folder, events } = await rig(t, {
    clock: systemClock,
    policy: { trust: "unsigned", keys },
    asker: askNobody,
  });
  const path = join(folder, "adder.bundle");
  const put = async (...of: Parameters<typeof version>) => writeFileSync(path, (await version(...of)).bytes);
  await put(1, ada, { tables: "" });
  const plugin = await manager.install<Calls>(path);
  t.after(manager.watch(path));
  await put(2, eve, { tables: "" });
  await settled(() => manager.info("adder").held === "1.2.0", 5_000);
  const [request] = await manager.held();
  assert.match(request?.publisher?.to ?? "", /^self-signed/);
  assert.equal(plugin.use(run, 1), 2);
  // Another one in its place is another question.
  await put(3, eve, { tables: "" });
  await settled(() => manager.info("adder").held === "1.3.0", 5_000);
  assert.ok(request !== undefined);
  await expectRejected(manager.accept(request), "manager/held-changed");
  const [now] = await manager.held();
  assert.ok(now !== undefined);
  await manager.accept(now);
  assert.equal(plugin.use(run, 1), 4);
  await put(4, eve, { tables: "" });
  await settled(() => plugin.use(run, 1) === 5, 5_000);
  await put(1, ada, { tables: "" });
  await settled(() => manager.info("adder").held === "1.1.0", 5_000);
  await put(4, eve, { tables: "" });
  await settled(() => manager.info("adder").held === undefined, 5_000);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "trouble"),
    [],
  );
});
