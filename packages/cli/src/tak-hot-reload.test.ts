/** A plugin's file that changes while a TAK host runs, which vouches for it at its start alone. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { type RunningTak, runTak } from "@remora/tak";
import { generateKeyPair, type KeyPair, signBundle } from "remora/bundle";
import { buildExamples, bundlePath } from "../../../examples/build.ts";
import { until } from "./testing/omnitak-rig.ts";

before(() => buildExamples());

const ada = generateKeyPair();
const eve = generateKeyPair();

function signed(example: string, key: KeyPair): Uint8Array {
  return signBundle(readFileSync(bundlePath(example)), { key, name: "Ada", email: "", signedAtMs: 0 });
}

async function tak(t: TestContext, first = signed("tak/geofence-lazy", ada)) {
  const folder = mkdtempSync(join(tmpdir(), "remora-hot-"));
  let running: RunningTak | undefined;
  t.after(async () => {
    // Before the folder goes, since it may still be writing there.
    await running?.close();
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, "plugins"));
  const path = join(folder, "plugins", "geofence.bundle");
  const put = (bytes: Uint8Array) => {
    // As a program that builds it does.
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
  };
  put(first);
  const configFile = join(folder, "tak.yaml");
  writeFileSync(
    configFile,
    `listeners:
  - { id: clients, protocol: tcp, bind_addr: "127.0.0.1:0" }
plugins:
  plugin_dir: plugins
  hot_reload: true
  filters:
    - { id: geofence, path: geofence.bundle }
`,
  );
  const lines: string[] = [];
  running = await runTak({ configFile, log: (line) => void lines.push(line) });
  return { manager: running.host.manager, put, lines };
}

test("a file by another publisher is shown as what waits at once, and runs without a restart when it is accepted", async (t) => {
  const { manager, put, lines } = await tak(t);
  const { version } = manager.info("geofence");
  put(signed("tak/geofence-looping", eve));
  await until(async () => (await manager.held()).length > 0);
  const [request] = await manager.held();
  assert.ok(request?.publisher !== undefined);
  const told = lines.filter((line) => line.startsWith("geofence "));
  assert.match(
    told[0] ?? "",
    /^geofence warn: version 1\.1\.0 waits for consent; it is by another publisher: /,
  );
  assert.equal(told.length, 1, "and is no trouble");
  assert.equal(manager.info("geofence").version, version);
  await manager.accept(request);
  assert.equal(manager.info("geofence").version, "1.1.0");
});

test("a file that has another plugin now is told, and neither installs that one nor takes its place", async (t) => {
  const { manager, put, lines } = await tak(t);
  put(signed("tak/add-detail-transformer", ada));
  await until(() => lines.some((line) => line.includes('it has "add-detail" now')));
  assert.deepEqual(
    manager.list().map(({ name, version }) => [name, version]),
    [["geofence", "1.0.0"]],
  );
  put(signed("tak/geofence-looping", ada));
  await until(() => manager.info("geofence").version === "1.1.0");
});

test("the file vouches for what it names, and not for whatever comes under that name", async (t) => {
  const bundle = (example: string) => readFileSync(bundlePath(example));
  const { manager, put } = await tak(t, bundle("tak/geofence-lazy"));
  const other = { bytes: bundle("tak/geofence-looping"), origin: "an upload" };
  await assert.rejects(manager.install(other), { code: "manager/verify" });
  assert.equal(manager.info("geofence").version, "1.0.0");
  put(other.bytes);
  await until(() => manager.info("geofence").version === "1.1.0");
  await manager.rollback("geofence");
  assert.equal(manager.info("geofence").version, "1.0.0", "which the file named");
});
