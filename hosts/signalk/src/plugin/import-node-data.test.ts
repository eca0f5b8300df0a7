import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../testing/boats.ts";
import { importNodeData } from "./import-node-data.ts";
import { readSettings, settingsFileOf } from "./settings-file.ts";

async function nodePlugin(folder: string): Promise<void> {
  const data = join(folder, "plugin-config-data", "charts");
  await mkdir(join(data, "tiles"), { recursive: true });
  await writeFile(join(data, "index.json"), "{}");
  await writeFile(join(data, "tiles", "1.png"), "png");
  await symlink("/etc/hostname", join(data, "link"));
  await writeFile(`${data}.json`, '{"enabled":true,"configuration":{"path":"/charts"}}');
}

test("files and settings of a Node plugin become the plugin's, disabled until somebody looked", async (t) => {
  const folder = await temporaryFolder(t);
  await nodePlugin(folder);
  const imported = await importNodeData(folder, "charts", "_new_charts");
  assert.deepEqual(imported, { files: 2, hasSettings: true, skipped: ["link"] });
  const copied = join(folder, "plugin-config-data", "_new_charts", "vfs", "data", "tiles", "1.png");
  assert.equal(await readFile(copied, "utf8"), "png");
  assert.deepEqual(await readSettings(settingsFileOf(folder, "_new_charts")), {
    enabled: false,
    enableDebug: false,
    configuration: { path: "/charts" },
  });
  assert.equal(await readFile(join(folder, "plugin-config-data", "charts", "index.json"), "utf8"), "{}");
});

test("what the plugin wrote since is not overwritten by a second import", async (t) => {
  const folder = await temporaryFolder(t);
  await nodePlugin(folder);
  await importNodeData(folder, "charts", "new");
  const file = join(folder, "plugin-config-data", "new", "vfs", "data", "index.json");
  await writeFile(file, "changed");
  const again = await importNodeData(folder, "charts", "new");
  assert.deepEqual(again.skipped.toSorted(), ["index.json", "link", "tiles/1.png"]);
  assert.equal(await readFile(file, "utf8"), "changed");
});

test("a link that the plugin has made in the place of a folder is not followed", async (t) => {
  const folder = await temporaryFolder(t);
  await nodePlugin(folder);
  const outside = join(folder, "outside");
  const root = join(folder, "plugin-config-data", "new", "vfs");
  await mkdir(outside);
  await mkdir(join(root, "data"), { recursive: true });
  await symlink("../../../../outside", join(root, "data", "tiles"));
  assert.deepEqual((await importNodeData(folder, "charts", "new")).skipped.toSorted(), ["link", "tiles"]);
  await rename(join(root, "data"), join(root, "other"));
  await symlink("../../../outside", join(root, "data"));
  assert.deepEqual((await importNodeData(folder, "charts", "new")).skipped, ["data"]);
  assert.deepEqual(await readdir(outside), []);
});

for (const id of ["..", "../x", "a/b", "", "."]) {
  test(`"${id}" is no plugin to import from`, async (t) => {
    await assert.rejects(importNodeData(await temporaryFolder(t), id, "new"), {
      code: "signalk/settings-file",
    });
  });
}
