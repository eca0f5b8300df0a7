/** What hosts/tak/README.md promises: its settings run as they stand. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { noElevation, openTakHost, parseTakConfig } from "@remora/tak";
import { buildExamples } from "../../../examples/build.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const readme = readFileSync(join(root, "hosts/tak/README.md"), "utf8");

before(() => buildExamples());

test("the settings of the README are ten lines or so, and a host runs with them", async (t) => {
  const [, settings = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.ok(settings.trimEnd().split("\n").length <= 10, settings);
  const folder = mkdtempSync(join(tmpdir(), "remora-readme-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = parseTakConfig(settings, join(root, "tak.yaml"));
  const host = await openTakHost(
    { ...config, managerFolder: folder },
    { host: { log: () => {}, nowMs: Date.now, elevation: noElevation } },
  );
  assert.deepEqual(
    host.manager.list().map(({ name, state }) => [name, state]),
    [["geofence-record", "running"]],
  );
  await host.close();
});

test("what the README names in this repository is there", () => {
  for (const [, path = ""] of readme.matchAll(/`((?:examples|worlds|sdk)\/[\w./-]+)`/g)) {
    assert.ok(existsSync(join(root, path)), path);
  }
  for (const [, path = ""] of readme.matchAll(/\]\((\.\.[^)]+)\)/g)) {
    assert.ok(existsSync(resolve(root, "hosts/tak", path)), path);
  }
});
