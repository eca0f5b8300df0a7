import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { platform } from "node:process";
import { test } from "node:test";
import { defaultBundleLimits, openBundle } from "../bundle/index.ts";
import { verifyTrailFolder } from "./audit/read-trail.ts";
import type { Consent } from "./consent/asker.ts";
import { folderSource } from "./install/folder-source.ts";
import { readWhole } from "./install/read-file.ts";
import type { Manager } from "./manager.ts";
import { type FileSystem, nodeFileSystem } from "./store/file-system.ts";
import {
  bundleOf,
  type Calls,
  expectRejected,
  folderFor,
  guests,
  manifestOf,
  moduleOf,
  ref,
  rig,
  run,
  settled,
} from "./testing/rig.test.ts";

test("a plugin that was installed is called by its host's own functions, and by what it exports", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  assert.equal(plugin.use(run, 41), 42);
  assert.equal(await plugin.call("run", [1]), 2);
  assert.equal(plugin.state, "running");
});

test("a bundle is installed from a file, and a folder is packed on the way", async (t) => {
  const { manager, folder } = await rig(t);
  const path = join(folder, "adder.bundle");
  writeFileSync(path, await bundleOf(guests.adds(2)));
  assert.equal((await manager.install<Calls>(path)).use(run, 1), 3);
  await expectRejected(manager.install(join(folder, "data")), "manager/fetch", "manager/not-a-plugin");
  await expectRejected(manager.install("./not/there"), "manager/resolve", "manager/not-a-plugin");
});

const isPosix = platform !== "win32";

test("a device without an end and a pipe without a writer are no plugins, nor a file that is too large", {
  skip: !isPosix,
}, async (t) => {
  const folder = folderFor(t);
  const { manager } = await rig(t, { sources: [folderSource(folder)] });
  const pipe = join(folder, "pipe.bundle");
  execFileSync("mkfifo", [pipe]);
  for (const path of ["/dev/zero", pipe]) {
    await expectRejected(manager.install(path), "manager/resolve", "manager/not-a-plugin");
  }
  const large = join(folder, "large.bundle");
  writeFileSync(large, "");
  truncateSync(large, defaultBundleLimits.bytesMax + 1);
  await expectRejected(manager.install(large), "manager/fetch", "manager/too-large");
  // In a source both offer nothing, and the others are found.
  writeFileSync(join(folder, "whole.bundle"), await bundleOf(guests.adds(1)));
  assert.equal((await manager.install("adder")).name, "adder");
  // What a plugin's folder names is read as a bundle is.
  const plugin = join(folder, "plugin");
  mkdirSync(plugin);
  writeFileSync(join(plugin, "remora.toml"), manifestOf({}));
  execFileSync("mkfifo", [join(plugin, "plugin.wasm")]);
  await expectRejected(manager.install(plugin), "manager/fetch", "manager/not-a-plugin");
});

test("a link in a plugin's folder is followed inside of it, and not out of it", {
  skip: !isPosix,
}, async (t) => {
  const folder = folderFor(t);
  const { manager } = await rig(t);
  const plugin = join(folder, "plugin");
  mkdirSync(plugin);
  writeFileSync(join(plugin, "remora.toml"), manifestOf({}));
  for (const [at, isInside] of [
    [join(folder, "outside.wasm"), false],
    [join(plugin, "inside.wasm"), true],
  ] as const) {
    writeFileSync(at, await moduleOf(guests.adds(1)));
    rmSync(join(plugin, "plugin.wasm"), { force: true });
    symlinkSync(at, join(plugin, "plugin.wasm"));
    if (isInside) await manager.install(plugin);
    else await expectRejected(manager.install(plugin), "manager/fetch", "manager/not-a-plugin");
  }
});

test("what cannot be opened in a source offers nothing, and a source that is not there is an error with a code", async (t) => {
  const folder = folderFor(t);
  const source = join(folder, "source");
  const { manager } = await rig(t, { sources: [folderSource(source)] });
  await expectRejected(manager.install("adder"), "manager/resolve", "manager/folder");
  mkdirSync(join(source, "folder.bundle"), { recursive: true });
  symlinkSync(join(folder, "nowhere"), join(source, "dangling.bundle"));
  await expectRejected(manager.install("adder"), "manager/resolve", "manager/no-source");
  writeFileSync(join(source, "whole.bundle"), await bundleOf(guests.adds(1)));
  assert.equal((await manager.install("adder")).name, "adder");
});

test("a file that says that it is empty is read to its end, and no further than is allowed", {
  skip: platform !== "linux",
}, async () => {
  const path = "/proc/self/status"; // whose length is 0, as `stat` has it
  assert.match(new TextDecoder().decode(await readWhole(path, 1_000_000)), /^Name:(.*\n)+$/);
  await expectRejected(readWhole(path, 100), "manager/too-large");
});

test("the next manager finds the plugins of the last one, and starts those that are enabled", async (t) => {
  const first = await rig(t);
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.install(await ref(guests.adds(2), { name: "other" }));
  await first.manager.disable("other");
  const { manager } = await first.reopen();
  assert.deepEqual(
    manager.list().map(({ name, version, state, isEnabled }) => [name, version, state, isEnabled]),
    [
      ["adder", "1.0.0", "running", true],
      ["other", "1.0.0", "installed", false],
    ],
  );
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
  assert.deepEqual(manager.recovered, []);
  await manager.enable("other");
  assert.equal(manager.get<Calls>("other").use(run, 1), 3);
});

test("a bundle that the program has open is not read again, and another version's is of no use", async (t) => {
  const first = await rig(t);
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.install(await ref(guests.adds(2), { name: "other" }));
  const read: string[] = [];
  const files: FileSystem = {
    ...nodeFileSystem,
    read(path) {
      if (path.endsWith(".bundle")) read.push(path);
      return nodeFileSystem.read(path);
    },
  };
  const bundles = [
    openBundle(await bundleOf(guests.adds(1))),
    openBundle(await bundleOf(guests.adds(7), { name: "other", version: "2.0.0" })),
  ];
  const { manager } = await first.reopen({ files, bundles });
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
  assert.equal(manager.get<Calls>("other").use(run, 1), 3);
  assert.equal(read.length, 1);
});

test("a plugin whose bundle is damaged waits, and those before and after it start", async (t) => {
  const first = await rig(t);
  for (const name of ["a", "b", "c"]) await first.manager.install(await ref(guests.adds(1), { name }));
  const { sha256 } = first.manager.versions("b").current ?? assert.fail("nothing is installed");
  writeFileSync(join(first.folder, "bundles", `${sha256}.bundle`), "damaged");
  const { manager, events } = await first.reopen();
  assert.deepEqual(
    manager.list().map(({ name, state }) => [name, state]),
    [
      ["a", "running"],
      ["b", "backing-off"],
      ["c", "running"],
    ],
  );
  const waiting = events.filter(({ kind }) => kind === "waiting");
  assert.deepEqual(
    waiting.map((event) => event.kind === "waiting" && [event.plugin, event.code]),
    [["b", "manager/store-damaged"]],
  );
});

test("an update takes over without its host doing anything, and the version before is kept", async (t) => {
  const { manager, events } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.install(await ref(guests.adds(10), { version: "1.1.0" }));
  assert.equal(plugin.use(run, 1), 11);
  const { version, previous } = await manager.details("adder").then((details) => details);
  assert.deepEqual([version, previous.map((one) => one.version)], ["1.1.0", ["1.0.0"]]);
  await manager.rollback("adder");
  assert.equal(plugin.use(run, 1), 2);
  assert.deepEqual(
    events.flatMap((event) => (event.kind === "changed" ? [[event.operation, event.from, event.to]] : [])),
    [
      ["install", "", "1.0.0"],
      ["update", "1.0.0", "1.1.0"],
      ["rollback", "1.1.0", "1.0.0"],
    ],
  );
  await expectRejected(manager.rollback("adder", "3.0.0"), "manager/no-such-version");
});

test("a plugin that was removed is gone, and its name is answered with near ones", async (t) => {
  const first = await rig(t);
  const plugin = await first.manager.install<Calls>(await ref(guests.adds(1)));
  await first.manager.remove("adder", { data: true });
  assert.throws(() => plugin.use(run, 1), { code: "manager/not-running" });
  assert.throws(() => first.manager.get("adder"), { code: "manager/no-such-plugin" });
  const { manager } = await first.reopen();
  assert.deepEqual(manager.list(), []);
});

test("a disabled plugin is not called, and is not run by an update", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.disable("adder");
  assert.throws(() => plugin.use(run, 1), { code: "manager/not-running" });
  await manager.install(await ref(guests.adds(5), { version: "2.0.0" }));
  assert.throws(() => plugin.use(run, 1), { code: "manager/not-running" });
  await manager.enable("adder");
  assert.equal(plugin.use(run, 1), 6);
});

test("an update can enable a plugin or disable it, and so can the same version", async (t) => {
  const { manager, reopen } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  const second = await ref(guests.adds(2), { version: "2.0.0" });
  await manager.install(second, { isEnabled: false });
  assert.throws(() => plugin.use(run, 1), { code: "manager/not-running" });
  assert.deepEqual([plugin.state, manager.info("adder").isEnabled], ["stopped", false]);
  await manager.install(await ref(guests.adds(3), { version: "3.0.0" }), { isEnabled: true });
  assert.equal(plugin.use(run, 1), 4);
  const same = await ref(guests.adds(3), { version: "3.0.0" });
  await manager.install(same, { isEnabled: false });
  assert.throws(() => plugin.use(run, 1), { code: "manager/not-running" });
  await manager.install(same);
  assert.equal(plugin.state, "stopped");
  await manager.install(same, { isEnabled: true });
  assert.equal(plugin.use(run, 1), 4);
  const next = await reopen();
  assert.equal(next.manager.get<Calls>("adder").use(run, 1), 4);
});

test("an update that was to enable a plugin and cannot run leaves it disabled, with the version that it had", async (t) => {
  const { manager } = await rig(t);
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  await manager.disable("adder");
  const bad = await ref(guests.trapsAtStart, { version: "2.0.0" });
  await expectRejected(manager.install(bad, { isEnabled: true }), "manager/prepare", "engine/unreachable");
  const { isEnabled, version, state } = manager.info("adder");
  assert.deepEqual([isEnabled, version, state], [false, "1.0.0", "stopped"]);
  await manager.enable("adder");
  assert.equal(plugin.use(run, 1), 2);
});

test("each version that is made is told with the time that it took, and a change that fails with its step", async (t) => {
  const { manager, events } = await rig(t);
  const told = (): unknown[] =>
    events.splice(0).flatMap((event) => {
      if (event.kind === "failed") return [[event.from, event.to, event.operation, event.code]];
      if (event.kind !== "prepared") return [];
      assert.ok(event.tookMs >= 0);
      return [event.code === undefined ? event.version : [event.version, event.code]];
    });
  await manager.install(await ref(guests.adds(1)));
  await manager.install(await ref(guests.adds(2), { version: "1.1.0" }));
  await manager.reload("adder");
  assert.deepEqual(told(), ["1.0.0", "1.1.0", "1.1.0"]);
  const bad = await ref(guests.trapsAtStart, { version: "2.0.0" });
  await expectRejected(manager.install(bad), "manager/prepare", "engine/unreachable");
  assert.deepEqual(told(), [
    ["2.0.0", "engine/unreachable"],
    ["1.1.0", "2.0.0", "update", "manager/prepare"],
  ]);
});

test("a closed manager takes no more changes", async (t) => {
  const { manager } = await rig(t);
  await manager.install(await ref(guests.adds(1)));
  await manager.close();
  await expectRejected(manager.install("adder"), "manager/closed");
});

/** The paths below a folder that this process has open, where the system tells. */
function openBelow(folder: string): string[] {
  const files = "/proc/self/fd";
  if (!existsSync(files)) return [];
  return readdirSync(files).flatMap((file) => {
    try {
      const path = readlinkSync(join(files, file));
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return []; // closed since it was listed
    }
  });
}

/** What became of a promise, for whoever wants to know whether it was over at a time. */
function outcomeOf(doing: Promise<unknown>): { readonly code: string | undefined } {
  const outcome: { code: string | undefined } = { code: undefined };
  doing.then(
    () => {
      outcome.code = "ok";
    },
    (error: { readonly code?: string }) => {
      outcome.code = error.code ?? String(error);
    },
  );
  return outcome;
}

test("an install that waits for an answer when its manager is closed fails, and an answer that comes later changes nothing", async (t) => {
  const answered = Promise.withResolvers<Consent>();
  let isAsked = false;
  const first = await rig(t, {
    asker: () => {
      isAsked = true;
      return answered.promise;
    },
  });
  const tables = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "x"\n';
  const outcome = outcomeOf(first.manager.install(await ref(guests.adds(1), { tables })));
  await settled(() => isAsked);
  await first.manager.close();
  assert.equal(outcome.code, "manager/closed");
  const second = await first.reopen();
  answered.resolve({ kind: "given", items: [{ capability: "data.read", target: "air.*" }] });
  await second.manager.install(await ref(guests.adds(10), { version: "2.0.0" }));
  assert.equal(first.manager.has("adder"), false);
  assert.equal(second.manager.info("adder").version, "2.0.0");
  const third = await second.reopen();
  assert.equal(third.manager.get<Calls>("adder").use(run, 1), 11);
  await third.manager.close();
  assert.deepEqual(openBelow(first.folder), []);
  assert.equal((await verifyTrailFolder(join(first.folder, "audit"))).kind, "intact");
});

test("what waits for a source or a secret that never comes does not keep a manager from being closed", async (t) => {
  let asked = 0;
  const never = () => {
    asked++;
    return new Promise<never>(() => {});
  };
  async function* fetch() {
    yield await never();
  }
  const { manager } = await rig(t, {
    secrets: (name) => (name === "key" ? never() : undefined),
    sources: [{ name: "a silent source", versions: never, fetch }],
  });
  await manager.install(await ref(guests.adds(1)));
  const tables = `[settings]\ntype = "object"\n[settings.properties.key]\ntype = "string"\nwriteOnly = true\n`;
  const secret = await ref(guests.adds(1), { name: "other", tables });
  const outcomes = [
    manager.install("geofence"),
    manager.update("adder"),
    manager.install(secret, { settings: { key: { secret: "key" } } }),
  ].map(outcomeOf);
  await settled(() => asked === 3);
  await manager.close();
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    ["manager/closed", "manager/closed", "manager/closed"],
  );
});

test("a manager that is closed in the middle of a first install ends it, stops what it brought and begins nothing that stood in line", async (t) => {
  let manager: Manager | undefined;
  let closing: Promise<void> | undefined;
  const files: FileSystem = {
    ...nodeFileSystem,
    async rename(from, to) {
      await nodeFileSystem.rename(from, to);
      // The entry with its candidate.
      if (to.endsWith("adder.json")) closing ??= manager?.close();
    },
  };
  const house = await rig(t, { files });
  ({ manager } = house);
  const bundles = [await ref(guests.adds(1)), await ref(guests.adds(2), { version: "1.1.0" })] as const;
  const outcomes = [
    manager.install(bundles[0]),
    manager.install(bundles[1]),
    manager.install(await ref(guests.adds(3), { name: "other" }), { isEnabled: false }),
  ].map(outcomeOf);
  await settled(() => closing !== undefined);
  await manager.close();
  const [first, second, other] = outcomes.map(({ code }) => code);
  assert.deepEqual([first, second], ["ok", "manager/closed"]);
  assert.ok(other === "ok" || other === "manager/closed", String(other));
  assert.equal(manager.get("adder").state, "stopped");
  assert.throws(() => manager?.get<Calls>("adder").use(run, 1), { code: "manager/not-running" });
  assert.deepEqual(openBelow(house.folder), []);
  const next = await house.reopen({ files: nodeFileSystem });
  assert.deepEqual(next.manager.recovered, []);
  assert.equal(next.manager.get<Calls>("adder").use(run, 1), 2);
});

test("whoever closes a manager that is being closed waits until it is", async (t) => {
  const { manager, reopen } = await rig(t);
  await manager.install(await ref(guests.adds(1)));
  void manager.close();
  await reopen();
});
