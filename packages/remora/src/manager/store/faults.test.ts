/** Every operation on the folder fails once, in each kind of change: the plugin is as before or as after it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual, promisify } from "node:util";
import { isRemoraError } from "../../base/index.ts";
import { askNobody } from "../consent/asker.ts";
import type { Manager } from "../manager.ts";
import { type FailingFiles, type Fault, failingFiles } from "../testing/failing-files.ts";
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
import type { Operation } from "./entry.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";

interface Change {
  readonly operation: Operation;
  readonly prepare: (manager: Manager) => Promise<unknown>;
  readonly change: (manager: Manager) => Promise<unknown>;
  /** What the plugin answers to 1, before and after; undefined where there is none. */
  readonly before: number | undefined;
  readonly after: number | undefined;
}

const one = () => ref(guests.adds(1));
const two = () => ref(guests.adds(10), { version: "2.0.0" });
const installBoth = async (manager: Manager) => {
  await manager.install(await one());
  await manager.install(await two());
};

const changes: Readonly<Record<string, Change>> = {
  "an install": {
    operation: "install",
    prepare: async () => {},
    change: async (manager) => manager.install(await one()),
    before: undefined,
    after: 2,
  },
  "an update": {
    operation: "update",
    prepare: async (manager) => manager.install(await one()),
    change: async (manager) => manager.install(await two()),
    before: 2,
    after: 11,
  },
  "a rollback": {
    operation: "rollback",
    prepare: installBoth,
    change: (manager) => manager.rollback("adder"),
    before: 11,
    after: 2,
  },
  "a removal": {
    operation: "remove",
    prepare: async (manager) => manager.install(await one()),
    change: (manager) => manager.remove("adder", { data: true }),
    before: 2,
    after: undefined,
  },
};

const answer = (manager: Manager): number | undefined =>
  manager.has("adder") ? manager.get<Calls>("adder").use(run, 1) : undefined;

/** How many operations a change takes when nothing fails. */
async function operationsOf(t: Parameters<typeof rig>[0], { prepare, change }: Change): Promise<number> {
  const files = failingFiles();
  const { manager } = await rig(t, { files });
  await prepare(manager);
  const before = files.count;
  await change(manager);
  await manager.close();
  return files.count - before;
}

/** Lets a change fail at one operation. @returns Whether it was carried out all the same. */
async function failAt(
  t: Parameters<typeof rig>[0],
  { prepare, change }: Change,
  { at, fault }: { readonly at: number; readonly fault: Fault },
): Promise<{
  folder: string;
  manager: Manager;
  files: FailingFiles;
  error: unknown;
  reopen: () => Promise<Manager>;
}> {
  const folder = folderFor(t);
  const files = failingFiles();
  const first = await rig(t, { folder, files });
  await prepare(first.manager);
  files.failFrom(at, fault);
  const error = await change(first.manager).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return {
    folder,
    manager: first.manager,
    files,
    error,
    reopen: async () => {
      // A killed process closes nothing: its lock ends and its files stay.
      await first.manager.close().catch(() => {});
      return (await rig(t, { folder })).manager;
    },
  };
}

for (const [what, change] of Object.entries(changes)) {
  test(`whoever is killed in ${what} leaves the old state or the new one, and the next start says which`, async (t) => {
    const operations = await operationsOf(t, change);
    assert.ok(operations > 3, `${operations} operations`);
    const said = new Set<string>();
    for (let at = 0; at < operations; at++) {
      const { reopen, folder } = await failAt(t, change, { at, fault: "killed" });
      const manager = await reopen();
      const found = answer(manager);
      assert.ok(found === change.before || found === change.after, `${what} killed at ${at}: ${found}`);
      for (const { found: state, plugin, operation } of manager.recovered) {
        assert.equal(plugin, "adder");
        // What came before this change in the same run is told too.
        if (operation !== change.operation) continue;
        said.add(state);
        assert.equal(
          found,
          state === "old" ? change.before : change.after,
          `${what} killed at ${at} says ${state}`,
        );
      }
      const left = readdirSync(folder, { recursive: true }).filter((name) =>
        String(name).includes(".draft-"),
      );
      assert.deepEqual(left, [], `${what} killed at ${at}`);
      await change.prepare(manager);
      await change.change(manager);
      assert.equal(answer(manager), change.after, `${what} again after it was killed at ${at}`);
      await manager.close();
    }
    // A removal is decided with its first rename: before it there is nothing to tell.
    assert.deepEqual([...said].sort(), what === "a removal" ? ["new"] : ["new", "old"]);
  });

  for (const fault of ["ENOSPC", "EROFS"] as const) {
    test(`${what} on a disk that gives ${fault} from any point on is one coded error, and what ran goes on`, async (t) => {
      const operations = await operationsOf(t, change);
      for (let at = 0; at < operations; at++) {
        const { manager, error, reopen } = await failAt(t, change, { at, fault });
        if (error !== undefined) assert.ok(isRemoraError(error), `${what} at ${at}: ${String(error)}`);
        const expected = error === undefined || !manager.has("adder") ? change.after : change.before;
        if (what !== "a removal" && error !== undefined)
          assert.equal(answer(manager), change.before, `at ${at}`);
        else assert.equal(answer(manager), expected, `at ${at}`);
        const again = await reopen();
        const found = answer(again);
        assert.ok(found === change.before || found === change.after, `${what} at ${at}: ${found}`);
        await again.close();
      }
    });
  }
}

test("an update that cannot be made leaves nothing of the entry that it would have had", async (t) => {
  const { manager, folder } = await rig(t);
  await manager.install(await one());
  const files = () => readdirSync(join(folder, "plugins"));
  const before = files();
  const update = manager.install(await ref(guests.trapsAtStart, { version: "2.0.0" }));
  await expectRejected(update, "manager/prepare");
  assert.deepEqual(files(), before);
  assert.equal(answer(manager), 2);
});

const data = { capability: "data.read", paths: ["air.*"] };
const reads = `[[capabilities]]
capability = "data.read"
paths = ["air.*"]
why = "To know the weather"`;
const wants = `${reads}
[settings]
type = "object"
[settings.properties.size]
type = "integer"
default = 1`;

const settingsAndVersion = async (manager: Manager) => [
  manager.info("adder").version,
  await manager.settings("adder"),
];
const withOthers = async (manager: Manager) => {
  const next = await ref(guests.adds(10), { version: "2.0.0", tables: wants });
  await manager.install(next, { settings: { size: 3 } });
};

/** What changes a plugin's entry alone, or with a version what that brings. */
const adjustments: Readonly<
  Record<
    string,
    {
      readonly prepare?: (manager: Manager) => Promise<unknown>;
      readonly change: (manager: Manager) => Promise<unknown>;
      /** What is changed, as it is kept. */
      readonly kept: (manager: Manager) => Promise<unknown>;
    }
  >
> = {
  "a change of settings": {
    change: (manager) => manager.changeSettings("adder", { size: 2 }),
    kept: (manager) => manager.settings("adder"),
  },
  "an update with settings": {
    prepare: (manager) => manager.changeSettings("adder", { size: 2 }),
    change: withOthers,
    kept: settingsAndVersion,
  },
  "a rollback to a version that had other settings": {
    async prepare(manager) {
      await manager.changeSettings("adder", { size: 2 });
      await withOthers(manager);
    },
    change: (manager) => manager.rollback("adder"),
    kept: settingsAndVersion,
  },
  "a grant": {
    prepare: (manager) => manager.revoke("adder", { capability: "data.read" }),
    change: (manager) => manager.give("adder", data),
    kept: async (manager) => manager.grants("adder"),
  },
  "a revocation": {
    change: (manager) => manager.revoke("adder", { capability: "data.read" }),
    kept: async (manager) => manager.grants("adder"),
  },
  "a plugin that is disabled": {
    change: (manager) => manager.disable("adder"),
    kept: async (manager) => manager.info("adder").isEnabled,
  },
  "a plugin that is enabled": {
    prepare: (manager) => manager.disable("adder"),
    change: (manager) => manager.enable("adder"),
    kept: async (manager) => manager.info("adder").isEnabled,
  },
};

/** What serves; undefined while nothing does. */
const servesBy = (manager: Manager) => manager.get("adder").serving;

for (const [what, { prepare, change, kept }] of Object.entries(adjustments)) {
  test(`${what} that fails at any point is kept whole or not at all, and what serves has no more than what is kept`, async (t) => {
    const hosts = [
      { ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true })) },
    ];
    const install = async (manager: Manager) => {
      await manager.install(await ref(guests.adds(1), { tables: wants }));
      await prepare?.(manager);
    };
    const whole = failingFiles();
    const { manager: unharmed } = await rig(t, { files: whole, hosts });
    await install(unharmed);
    const [before, countBefore] = [await kept(unharmed), whole.count];
    await change(unharmed);
    const [after, operations] = [await kept(unharmed), whole.count - countBefore];
    await unharmed.close();
    assert.ok(operations >= 3);
    assert.notDeepEqual(before, after);
    for (const fault of ["killed", "ENOSPC", "EROFS", "EACCES"] as const) {
      for (let at = 0; at < operations; at++) {
        const files = failingFiles();
        const folder = folderFor(t);
        const { manager } = await rig(t, { folder, files, hosts });
        await install(manager);
        const served = servesBy(manager);
        files.failFrom(at, fault);
        const error = await change(manager).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        const place = `${what}, ${fault} at ${at}`;
        if (error !== undefined) {
          assert.ok(isRemoraError(error) || fault === "killed", `${place}: ${String(error)}`);
          // What is taken is gone first: a plugin that cannot be made anew then stands still.
          const isTaken = what === "a revocation" && isDeepStrictEqual(await kept(manager), after);
          assert.equal(servesBy(manager), isTaken ? undefined : served, place);
        }
        await manager.close().catch(() => {});
        const again = await rig(t, { folder, hosts });
        const found = await kept(again.manager);
        const isWhole = [before, after].some((one) => isDeepStrictEqual(one, found));
        assert.ok(isWhole, `${place}: ${JSON.stringify(found)}`);
        if (error === undefined) assert.deepEqual(found, after, place);
        await again.manager.close();
      }
    }
  });
}

/** What a disk may stop once, and be well again. */
const stoppedOnce: typeof adjustments = {
  ...adjustments,
  "an install with settings": {
    prepare: (manager) => manager.remove("adder", { data: true }),
    change: async (manager) =>
      manager.install(await ref(guests.adds(1), { tables: wants }), { settings: { size: 2 } }),
    kept: async (manager) => manager.has("adder") && manager.settings("adder"),
  },
  "a removal": {
    change: (manager) => manager.remove("adder"),
    kept: async (manager) => manager.has("adder"),
  },
  "a removal that leaves settings": {
    prepare: (manager) => manager.changeSettings("adder", { size: 2 }),
    change: (manager) => manager.remove("adder"),
    async kept(manager) {
      const wasThere = manager.has("adder");
      if (!wasThere) await manager.install(await ref(guests.adds(1), { tables: wants }));
      assert.deepEqual(await manager.settings("adder"), { size: 2 });
      if (!wasThere) await manager.remove("adder");
      return wasThere;
    },
  },
  "settings that a plugin keeps": {
    change: (manager) => manager.keepSettings("adder", { size: 2 }),
    kept: (manager) => manager.settings("adder"),
  },
};

for (const [what, { prepare, change, kept }] of Object.entries(stoppedOnce)) {
  test(`${what} that a disk stops once is at the next start what it is now, and as before when it was told as failed`, async (t) => {
    const hosts = [
      { ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true })) },
    ];
    let hasFailed = true;
    for (let at = 0; hasFailed; at++) {
      const files = failingFiles();
      const folder = folderFor(t);
      const { manager } = await rig(t, { folder, files, hosts });
      await manager.install(await ref(guests.adds(1), { tables: wants }));
      await prepare?.(manager);
      const [before, count] = [await kept(manager), files.count];
      files.failOnce(at, "EIO");
      const error = await change(manager).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      hasFailed = files.count > count + at;
      files.failFrom(Number.POSITIVE_INFINITY, "EIO");
      const place = `${what}, at ${at}`;
      const found = await kept(manager);
      if (error !== undefined) {
        assert.ok(isRemoraError(error), `${place}: ${String(error)}`);
        // A removal goes on from its rename; and a plugin is never given back what was taken from it.
        const isDecided = what.startsWith("a removal")
          ? found === false
          : what === "a revocation" && error.code !== "manager/folder";
        assert.equal(isDeepStrictEqual(found, before), !isDecided, place);
      }
      await manager.close();
      const again = await rig(t, { folder, hosts });
      assert.deepEqual(await kept(again.manager), found, place);
      await again.manager.close();
    }
  });
}

test("a revocation that may not last is carried out, and says so", async (t) => {
  const files = failingFiles();
  const { manager, events } = await rig(t, { files });
  await manager.install(await ref(guests.adds(1), { tables: reads }));
  const served = servesBy(manager);
  // The draft and its rename go well.
  files.failOnce(2, "EIO");
  const taken = manager.revoke("adder", { capability: "data.read" });
  await expectRejected(taken, "manager/not-lasting", "manager/folder");
  assert.deepEqual(manager.grants("adder"), []);
  assert.notEqual(servesBy(manager), served);
  assert.equal(answer(manager), 2);
  assert.ok(events.some(({ kind }) => kind === "revoked"));
});

test("a plugin whose data could not be removed is gone, and nobody who comes under its name finds any of it", async (t) => {
  let isBusy = false;
  const files: FileSystem = {
    ...nodeFileSystem,
    async remove(path) {
      if (isBusy && path.endsWith("/data/adder")) throw Object.assign(new Error("EBUSY"), { code: "EBUSY" });
      await nodeFileSystem.remove(path);
    },
  };
  const { manager, events } = await rig(t, { files });
  const removeBusy = async () => {
    await manager.install(await one());
    writeFileSync(join(manager.filesFolder("adder"), "kept.txt"), "private");
    events.length = 0;
    isBusy = true;
    await expectRejected(manager.remove("adder", { data: true }), "manager/folder");
    assert.equal(manager.has("adder"), false);
    assert.ok(events.some((event) => event.kind === "changed" && event.operation === "remove"));
  };
  const left = () => readdirSync(join(manager.folder, "data"));
  await removeBusy();
  await expectRejected(manager.remove("adder", { data: true }), "manager/folder");
  isBusy = false;
  await manager.remove("adder", { data: true });
  assert.deepEqual(left(), []);
  await expectRejected(manager.remove("adder"), "manager/no-such-plugin");

  await removeBusy();
  await expectRejected(manager.install(await two()), "manager/place", "manager/folder");
  isBusy = false;
  await manager.install(await two());
  assert.equal(answer(manager), 11);
  assert.deepEqual(readdirSync(manager.filesFolder("adder")), []);
});

/** Files whose folders are synchronised or not, as `fails` says; `synced` has all that were. */
function syncedFiles() {
  const synced: string[] = [];
  const state = { fails: (_folder: string): boolean => false };
  const files: FileSystem = {
    ...nodeFileSystem,
    async openFolder(path) {
      const opened = await nodeFileSystem.openFolder(path);
      const sync = async () => {
        if (state.fails(path)) throw Object.assign(new Error("EIO"), { code: "EIO" });
        await opened.sync();
        synced.push(path);
      };
      return { sync, close: () => opened.close() };
    },
  };
  return { files, synced, state };
}

test("a bundle that the disk would not make lasting is not taken for lasting when it is brought again", async (t) => {
  const { files, synced, state } = syncedFiles();
  const { manager, folder } = await rig(t, { files, asker: askNobody });
  const bundle = await ref(guests.adds(1), { tables: wants });
  state.fails = (path) => path === join(folder, "bundles");
  await expectRejected(manager.install(bundle), "manager/decide", "manager/folder");
  await expectRejected(manager.install(bundle), "manager/decide", "manager/folder");
  state.fails = () => false;
  await expectRejected(manager.install(bundle), "manager/decide", "manager/held");
  assert.equal(synced.filter((path) => path === join(folder, "bundles")).length, 1);
});

test("the names of the folders themselves last before anything in them does", async (t) => {
  const { files, synced, state } = syncedFiles();
  const { manager, folder } = await rig(t, { files });
  synced.length = 0;
  state.fails = (path) => path === folder;
  await expectRejected(manager.install(await one()), "manager/place", "manager/folder");
  assert.equal(synced.length, 0);
  state.fails = () => false;
  await manager.install(await one());
  assert.equal(synced.filter((path) => path === folder).length, 2, "bundles and plugins");
  const before = synced.length;
  await manager.install(await two());
  assert.ok(!synced.slice(before).includes(folder));
});

test("a second manager on the folder is refused and told who holds it, until the first one closes", async (t) => {
  const { manager, folder } = await rig(t, { who: "the first program" });
  const open = rig(t, { folder, who: "the second program" });
  await assert.rejects(open, { code: "manager/folder-held", message: /the first program/ });
  await manager.close();
  const second = await rig(t, { folder });
  assert.deepEqual(second.manager.list(), []);
});

test("what somebody who was killed had not put in its place yet is gone when the folder is opened", async (t) => {
  const { manager, folder, reopen } = await rig(t);
  await manager.close();
  mkdirSync(join(folder, "settings"), { recursive: true });
  const drafts = ["holder.json", "settings/adder.json"].map((name) => join(folder, `${name}.draft-0`));
  for (const draft of drafts) writeFileSync(draft, "{");
  await reopen();
  assert.deepEqual(drafts.filter(existsSync), []);
});

test("a folder that cannot be written, or is a file, is a coded error", async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, "file"), "");
  await expectRejected(rig(t, { folder: join(folder, "file") }), "manager/folder");
  const files = failingFiles();
  files.failFrom(0, "EACCES");
  await expectRejected(rig(t, { folder: join(folder, "new"), files }), "manager/folder");
});

test("what stands in a folder's way is named, with its path", async (t) => {
  const folder = folderFor(t);
  const found = async (path: string) => {
    const { details } = await expectRejected(rig(t, { folder: join(folder, path) }), "manager/folder");
    return details;
  };
  writeFileSync(join(folder, "file"), "");
  assert.deepEqual(await found("file"), { doing: "make", path: join(folder, "file"), reason: "EEXIST" });
  assert.deepEqual(await found("file/plugins"), {
    doing: "make",
    path: join(folder, "file/plugins"),
    reason: "ENOTDIR",
  });
  const lock = join(folder, "holder.lock");
  mkdirSync(lock);
  assert.deepEqual(await found("."), { doing: "lock", path: lock, reason: "EISDIR" });
});

/** Loads everything, becomes somebody who owns nothing, and tells why it cannot open a manager on the folder. */
const openedByNobody = `
  const { openManager } = await import(process.argv[1]);
  if (process.getuid() === 0) process.setuid(65534);
  await openManager({ folder: process.argv[2], hosts: [] }).catch(({ code, details }) => {
    process.stdout.write(JSON.stringify({ code, details }));
  });`;

test("a folder that this program may not write into is named, with what is missing", {
  skip: process.getuid === undefined && "this system has no such rights",
}, async (t) => {
  const folder = folderFor(t);
  const plugins = join(folder, "plugins");
  mkdirSync(plugins);
  chmodSync(folder, 0o755);
  chmodSync(plugins, 0o555);
  const module = new URL("../open-manager.ts", import.meta.url).href;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    ...["--input-type=module", "--eval", openedByNobody],
    ...[module, plugins],
  ]);
  assert.equal(stderr, "");
  assert.deepEqual(JSON.parse(stdout), {
    code: "manager/folder",
    details: { doing: "write into", path: plugins, reason: "EACCES" },
  });
});

test("a bundle that somebody changed in the store does not run, and the others do", async (t) => {
  const first = await rig(t, { policy: { healthEveryMs: 0 } });
  await first.manager.install(await one());
  await first.manager.install(await ref(guests.adds(5), { name: "other" }));
  const { current } = await first.manager.details("adder");
  await first.manager.close();
  writeFileSync(join(first.folder, "bundles", `${current?.sha256}.bundle`), "something else");
  const { manager } = await rig(t, { folder: first.folder });
  assert.equal(manager.info("adder").failure?.code, "manager/store-damaged");
  assert.equal(manager.get<Calls>("other").use(run, 1), 6);
});

test("a bundle that waits and is damaged keeps nobody from the details of the one that runs", async (t) => {
  const { manager, folder } = await rig(t, { asker: askNobody });
  await manager.install(await one());
  await manager.install(await ref(guests.adds(10), { version: "2.0.0", tables: wants })).catch(() => {});
  const { heldVersion } = await manager.details("adder");
  const [request] = await manager.held();
  assert.ok(request !== undefined);
  writeFileSync(join(folder, "bundles", `${heldVersion?.sha256}.bundle`), "something else");
  const details = await manager.details("adder");
  assert.deepEqual([details.current?.version, details.heldVersion?.version], ["1.0.0", "2.0.0"]);
  await expectRejected(manager.accept(request), "manager/fetch", "manager/store-damaged");
});

test("an entry that somebody broke is told with its file and its field", async (t) => {
  const first = await rig(t);
  await first.manager.install(await one());
  await first.manager.close();
  const path = join(first.folder, "plugins", "adder.json");
  for (const text of ["{", "[]", '{"name":3}', '{"name":"adder","host":"test","current":{"version":1}}']) {
    writeFileSync(path, text);
    await expectRejected(rig(t, { folder: first.folder }), "manager/entry-damaged");
  }
});

test("what no entry names is removed at the start, and what one names stays", async (t) => {
  const first = await rig(t);
  await first.manager.install(await one());
  await first.manager.install(await two());
  await first.manager.close();
  const bundles = join(first.folder, "bundles");
  writeFileSync(join(bundles, `${"0".repeat(64)}.bundle`), "left over");
  writeFileSync(join(bundles, `${"1".repeat(64)}.bundle.draft-x`), "half");
  mkdirSync(join(first.folder, "data", "adder"), { recursive: true });
  chmodSync(join(first.folder, "data"), 0o700);
  const { manager } = await rig(t, { folder: first.folder });
  assert.equal(readdirSync(bundles).length, 2);
  await manager.rollback("adder");
  assert.equal(answer(manager), 2);
});
