import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runTak } from "./run.ts";

test("a host that cannot start leaves no file of its terrain open", async (t) => {
  const openFiles = "/proc/self/fd";
  if (!existsSync(openFiles)) {
    t.skip("no such list on this machine");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "remora-run-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const tile = join(folder, "N52E004.hgt");
  writeFileSync(tile, "");
  truncateSync(tile, 1_201 * 1_201 * 2);
  const configFile = join(folder, "tak.yaml");
  const plugins = "plugins: { plugin_dir: ., filters: [{ id: gone, path: gone.bundle }] }";
  writeFileSync(configFile, `elevation: { folder: . }\n${plugins}\n`);
  await assert.rejects(runTak({ configFile, log: () => {} }), { code: "tak/plugin-file" });
  const isTile = (name: string) => {
    try {
      return readlinkSync(join(openFiles, name)) === tile;
    } catch {
      // The list itself was open while it was read.
      return false;
    }
  };
  assert.deepEqual(readdirSync(openFiles).filter(isTile), []);
});
