import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { nodeFileSystem } from "./file-system.ts";

test("what is gone by the time that it is looked at is not measured, and stops nothing", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-measure-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "kept"), "12345");
  // Listed, and nothing is found behind it: as with a draft that was renamed in between.
  symlinkSync(join(folder, "gone"), join(folder, "draft"));
  assert.equal((await nodeFileSystem.measure(folder)).bytes, 5);
});
