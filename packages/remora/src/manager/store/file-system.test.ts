import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { nodeFileSystem } from "./file-system.ts";

test("what is gone by the time that it is looked at is not there, and stops nothing", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-look-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "kept"), "12345");
  // Listed, and nothing is found behind it: as with a draft that was renamed in between.
  symlinkSync(join(folder, "gone"), join(folder, "draft"));
  const found = await nodeFileSystem.look(folder);
  assert.deepEqual(
    found.map(({ name, bytes }) => [name, bytes]),
    [["kept", 5]],
  );
  assert.deepEqual(await nodeFileSystem.look(join(folder, "nowhere")), []);
});

test("a folder that is closed twice closes nobody else's file", async (t) => {
  const path = mkdtempSync(join(tmpdir(), "remora-close-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const folder = await nodeFileSystem.openFolder(path);
  await folder.sync();
  await folder.close();
  // The lowest number that is free, which was the folder's.
  const file = openSync(join(path, "other"), "w");
  await folder.close();
  closeSync(file); // throws if it is closed
});

test("a tree that is deeper than any path can say is removed like others", async (t) => {
  if (!existsSync("/proc/self/fd")) return t.skip("there is no way to make one here");
  const folder = mkdtempSync(join(tmpdir(), "remora-deep-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const name = "d".repeat(200);
  let at = openSync(folder, "r");
  for (let depth = 0; depth < 100; depth++) {
    const inner = `/proc/self/fd/${at}/${name}`;
    mkdirSync(inner);
    const next = openSync(inner, "r");
    closeSync(at);
    at = next;
  }
  writeFileSync(`/proc/self/fd/${at}/file`, "x");
  closeSync(at);
  await nodeFileSystem.remove(folder);
  assert.equal(existsSync(folder), false);
});
