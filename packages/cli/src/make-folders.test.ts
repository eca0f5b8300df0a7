import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolders } from "./make-folders.ts";

test("a folder is made with those that it lies in, and one that is there stays", async (t) => {
  const above = mkdtempSync(join(tmpdir(), "remora-folders-"));
  t.after(() => rmSync(above, { recursive: true }));
  const folder = join(above, "a", "b", "c");
  await makeFolders(folder, 0o700);
  await makeFolders(folder);
  assert.ok(statSync(folder).isDirectory());
  if (process.platform !== "win32") assert.equal(statSync(join(above, "a")).mode & 0o777, 0o700);
  writeFileSync(join(above, "file"), "");
  await assert.rejects(makeFolders(join(above, "file")), { code: "EEXIST" });
  await assert.rejects(makeFolders(join(above, "file", "x")), { code: "ENOTDIR" });
});

test("where a folder takes no other one, that is an error and no endless try", async () => {
  // Of the file systems that do so this one is at hand; elsewhere there is nothing to see.
  if (!existsSync("/proc/self")) return;
  await assert.rejects(makeFolders("/proc/no-such/plugin"), { code: "ENOENT" });
});
