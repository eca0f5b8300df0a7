/** Two terminals on one folder that no program holds: the second command waits for the first. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { takCapabilities } from "@remora/tak";
import { packBundle } from "remora/bundle";
import { openManager } from "remora/manager";
import { vocabularyWith } from "remora/policy";
import { buildExamples, componentPath } from "../../../examples/build.ts";
import { openHouse, serve } from "./open-house.ts";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-house-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a command waits for another one that holds the folder, and says so once", async (t) => {
  const folder = folderFor(t);
  const first = await openHouse({ folder, use: "change" });
  let waits = 0;
  const isWaiting = Promise.withResolvers<void>();
  const onWait = () => {
    waits++;
    isWaiting.resolve();
  };
  const opening = openHouse({ folder, use: "change", onWait });
  await isWaiting.promise;
  await first.close();
  const second = await opening;
  assert.deepEqual([await second.list(), waits], [[], 1]);
  await second.close();
});

test("remora serve waits for a command as well, and no longer than until it is stopped", async (t) => {
  const folder = folderFor(t);
  const first = await openHouse({ folder, use: "change" });
  const options = {
    folder,
    address: "127.0.0.1",
    port: 0,
    hosts: [],
    hostPackages: [],
    sources: [],
    log: () => {},
  };
  const stop = new AbortController();
  const stopped = serve({ ...options, signal: stop.signal, onWait: () => stop.abort() });
  await assert.rejects(stopped, { code: "manager/folder-held" });
  const isWaiting = Promise.withResolvers<void>();
  const opening = serve({ ...options, signal: new AbortController().signal, onWait: isWaiting.resolve });
  await isWaiting.promise;
  await first.close();
  const served = await opening;
  t.after(() => served.close());
  const another = serve({ ...options, signal: stop.signal, onWait: () => assert.fail("it waits") });
  await assert.rejects(another, { code: "manager/folder-held" });
});

test("a plugin that declares what every TAK plugin has waits for nobody's consent", async (t) => {
  await buildExamples();
  const manifest = `name = "geofence"
version = "1.0.0"
authors = ["Ada"]
licence = "MIT"
[host]
name = "tak"
version = "^0.1.0"
[[artifacts]]
file = "plugin.wasm"
world = "omnitak:plugin/filter-plugin@0.1.0"
[[capabilities]]
capability = "tak.log"
why = "Says what it blocks"
`;
  const files = new Map([
    ["remora.toml", new TextEncoder().encode(manifest)],
    ["plugin.wasm", readFileSync(componentPath("tak/geofence-filter"))],
  ]);
  const bytes = packBundle(files, { vocabulary: vocabularyWith(takCapabilities) });
  const house = await openHouse({ folder: folderFor(t), use: "change", trust: "unsigned" });
  const { held, version } = await house.install({ bytes, origin: "here" });
  assert.deepEqual([held, version], [null, "1.0.0"]);
  await house.close();
});

test("what is developed is reached by other commands, and nobody waits for its end", async (t) => {
  const folder = folderFor(t);
  const onWait = () => assert.fail("it waits");
  const developing = await openHouse({ folder, use: "develop" });
  const another = await openHouse({ folder, use: "live", onWait });
  assert.deepEqual([await another.list(), another.isRunning], [[], true]);
  await another.close();
  const opening = openManager({ folder, hosts: [] });
  await assert.rejects(opening, { code: "manager/folder-held", message: /remora dev on / });
  await developing.close();
  const after = await openHouse({ folder, use: "look", onWait });
  assert.equal(after.isRunning, false);
  await after.close();
});

test("a program that holds the folder without an interface is not waited for", async (t) => {
  const folder = folderFor(t);
  await using _held = await openManager({ folder, hosts: [], who: "a program" });
  const opening = openHouse({ folder, use: "change", onWait: () => assert.fail("it waits") });
  await assert.rejects(opening, { code: "manager/folder-held" });
});
