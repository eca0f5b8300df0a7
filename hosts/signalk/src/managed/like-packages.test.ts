/** What a bundle has because a package of npm has it: its id, its pages, the data of the Node plugin before it, fast deltas. */

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { giveAll } from "remora/manager";
import { systemClock } from "../clock.ts";
import { Pace } from "../plugin/pace.ts";
import { SignalkServer } from "../server.ts";
import { boatWith, temporaryFolder } from "../testing/boats.ts";
import { type BundleBoat, boatWithBundles, bundleOf, turn, until } from "../testing/bundles.ts";
import { answering, answeringWritten, type GuestText } from "../testing/guest-text.ts";
import { type Bundles, openBundles } from "./bundles.ts";

/** Answers with its environment, as WASI gives it. */
const environment: GuestText = {
  otherImports: `(import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))`,
  texts: {
    endpoints: '[{"method":"GET","path":"/environment","handler":"environment"}]',
    head: '{"body":"',
  },
  functions: `${answering("http_endpoints", "endpoints", "out")}
    ${answeringWritten(
      "environment",
      `(drop (call $environ_get (i32.const 256) (local.get $end)))
      (loop $next
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br_if $next (i32.load8_u (local.get $end))))`,
      '"}',
    )}`,
};

const path = "/plugins/watch/environment";

test("a bundle finds its id in the environment, as a package does, on every side of a wall", async (t) => {
  const packaged = await boatWith(t, [{ name: "watch", guest: environment }]);
  assert.equal((await packaged.fetch(path)).text, "PLUGIN_ID=watch");
  for (const isolation of ["inline", "worker"]) {
    const boat = await boatWithBundles(t);
    await boat.install({
      guest: environment,
      top: `isolation = "${isolation}"`,
      capabilities: ["http.serve"],
    });
    assert.equal((await boat.fetch(path)).text, "PLUGIN_ID=watch", isolation);
  }
});

const pages = {
  "public/index.html": "<h1>Watch</h1>",
  "public/sub/index.html": "below",
  "public/a.js": "1",
  "secret.txt": "secret",
};

test("the pages of a bundle are served while it runs, and nothing else of it", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: {}, files: pages });
  const { status, text } = await boat.fetch("/plugins/watch/index.html");
  assert.deepEqual([status, text], [200, "<h1>Watch</h1>"]);
  assert.equal((await boat.fetch("/plugins/watch/sub")).text, "below");
  for (const other of ["secret.txt", "public/index.html", "remora.toml", "plugin.wasm"]) {
    assert.equal((await boat.fetch(`/plugins/watch/${other}`)).status, 404, other);
  }
  assert.equal((await boat.fetch("/watch/index.html")).status, 404, "no webapp by its tags");
  await boat.install({ guest: {}, version: "1.1.0", files: { "public/index.html": "two" } });
  assert.equal((await boat.fetch("/plugins/watch/index.html")).text, "two");
  await boat.fetch("/plugins/watch/config", { method: "POST", body: { enabled: false } });
  assert.equal((await boat.fetch("/plugins/watch/index.html")).status, 404);
});

test("pages need the grant that its other paths have", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: {}, files: pages, capabilities: ["data.read"] });
  assert.equal((await boat.fetch("/plugins/watch/index.html")).status, 404);
});

test("a bundle with the tag of webapps is listed as one, under its own name, until it is removed", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: {}, files: pages, top: 'tags = ["signalk-webapp"]' });
  await until(() => boat.bundles.get("watch")?.hasPages === true);
  assert.deepEqual((await boat.fetch("/skServer/webapps")).json, [
    { name: "watch", version: "1.0.0", description: "For a test", keywords: ["signalk-webapp"], signalk: {} },
  ]);
  assert.equal((await boat.fetch("/watch")).text, "<h1>Watch</h1>");
  await boat.bundles.manager.remove("watch");
  assert.deepEqual((await boat.fetch("/skServer/webapps")).json, []);
  assert.equal((await boat.fetch("/watch/index.html")).status, 404);
});

/** A Node plugin was here before, with a file and these settings. */
async function boatAfter(t: TestContext, settings: object): Promise<BundleBoat> {
  const boat = await boatWithBundles(t);
  const old = join(boat.folder, "plugin-config-data");
  await mkdir(join(old, "before/log"), { recursive: true });
  await writeFile(join(old, "before/log/a.txt"), "kept");
  await writeFile(join(old, "before.json"), JSON.stringify({ enabled: true, configuration: settings }));
  const tables = '[settings]\ntype = "object"\n[settings.properties.radius]\ntype = "number"\ndefault = 5';
  await boat.install({ guest: {}, tables, capabilities: ["fs.private"] });
  return boat;
}

const importBefore = { method: "POST", body: { from: "before" } };

test("a bundle takes files and settings of the Node plugin that it replaces", async (t) => {
  const boat = await boatAfter(t, { radius: 9 });
  const { json } = await boat.fetch("/plugins/watch/import", importBefore);
  assert.deepEqual(json, { files: 1, skipped: [], hasSettings: true });
  const { manager } = boat.bundles;
  const file = join(manager.filesFolder("watch"), "data/log/a.txt");
  assert.equal(await readFile(file, "utf8"), "kept");
  assert.deepEqual(await manager.settings("watch"), { radius: 9 });
});

test("settings that its manifest does not allow stay behind, and its files come all the same", async (t) => {
  const boat = await boatAfter(t, { radius: "wide" });
  const { json } = await boat.fetch("/plugins/watch/import", importBefore);
  assert.deepEqual(json, { files: 1, skipped: [], hasSettings: false });
  assert.ok(boat.lines.some((line) => line.startsWith("watch: warn: ") && line.includes("radius")));
  assert.equal(boat.bundles.get("watch")?.state, "running");
});

test("what leads out of the data folder is no Node plugin", async (t) => {
  const boat = await boatAfter(t, {});
  const answer = await boat.fetch("/plugins/watch/import", { method: "POST", body: { from: "../x" } });
  assert.equal(answer.json.code, "signalk/settings-file");
});

/** Of AssemblyScript's convention, whose texts are as they are lent. */
const deaf = `(module (memory (export "memory") 4)
  (func (export "__new") (param i32 i32) (result i32) (i32.const 4096))
  (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
  (func (export "delta_handler") (param i32)))`;

test("a delta goes to a bundle as a package gets it: its text is lent, and the clock is looked at once", async (t) => {
  const looks = { count: 0 };
  const pace = new Pace(() => {
    looks.count++;
    return performance.now();
  });
  let bundles: Bundles | undefined;
  // Before the folder goes, since it may still be writing there.
  t.after(() => bundles?.close());
  const folder = await temporaryFolder(t);
  const server = new SignalkServer({ self: "urn:mrn:signalk:uuid:1" });
  const policy = { trust: "unsigned", healthEveryMs: 0 } as const;
  bundles = await openBundles(
    { folder: join(folder, "bundles"), policy, asker: giveAll },
    {
      server: server.port,
      dataFolder: folder,
      clock: systemClock,
      pace,
      log: () => {},
      isTaken: () => false,
    },
  );
  const guest = await parse(deaf);
  await bundles.manager.install(await bundleOf({ guest, world: "signalk:core/assemblyscript@0.1.0" }));
  const plugin = bundles.get("watch");
  await until(() => plugin?.state === "running");
  const texts: string[] = [];
  server.onDelta((published) => texts.push(typeof published.utf16()));
  const before = { looks: looks.count, calls: plugin?.account.counts.calls ?? 0 };
  for (let value = 0; value < 50; value++) {
    await turn();
    server.input({ updates: [{ values: [{ path: "a", value }] }] }, "x");
  }
  assert.equal((plugin?.account.counts.calls ?? 0) - before.calls, 50);
  assert.equal(texts.at(-1), "object", "nobody has asked for it as a string");
  assert.equal(looks.count - before.looks, 50);
});
