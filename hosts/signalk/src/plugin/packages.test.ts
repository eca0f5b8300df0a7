/** What is found among installed packages, and what a package.json may say. */

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder, writePackage } from "../testing/boats.ts";
import { discoverPlugins } from "./discover.ts";
import { pluginIdOf, readManifest } from "./manifest.ts";

const nothing = new Uint8Array();

test("plugins are the packages with the keyword, in scopes too, and nothing else", async (t) => {
  const modules = await temporaryFolder(t);
  await writePackage(modules, { name: "@scope/plugin", guest: nothing });
  await writePackage(modules, { name: "plain", guest: nothing });
  await writePackage(modules, {
    name: "library",
    guest: nothing,
    manifest: { keywords: ["signalk-node-server-plugin"] },
  });
  await writePackage(modules, {
    name: "broken",
    guest: nothing,
    manifest: { wasmManifest: "../outside.wasm" },
  });
  await mkdir(join(modules, ".bin"));
  await mkdir(join(modules, "garbage"));
  await writeFile(join(modules, "garbage", "package.json"), "{");
  await writeFile(join(modules, "a-file"), "");
  const { plugins, refused } = await discoverPlugins(modules);
  assert.deepEqual(
    plugins.map(({ id }) => id),
    ["_scope_plugin", "plain"],
  );
  assert.deepEqual(
    refused.map(({ code }) => code),
    ["signalk/bad-package"],
  );
});

test("a folder that is not there has no plugins", async (t) => {
  const { plugins } = await discoverPlugins(join(await temporaryFolder(t), "node_modules"));
  assert.deepEqual(plugins, []);
});

test("an id is the package's name, fit for a file", () => {
  assert.equal(pluginIdOf("@signalk/example-hello-assemblyscript"), "_signalk_example-hello-assemblyscript");
  assert.equal(pluginIdOf("plain"), "plain");
});

const valid = { name: "plugin", wasmManifest: "plugin.wasm", keywords: [] };

test("capabilities that are not written have signalk-server's defaults", () => {
  const { capabilities } = readManifest(valid, "/somewhere");
  const on = Object.entries(capabilities).filter(([, value]) => value === true);
  assert.deepEqual(
    on.map(([name]) => name),
    ["dataRead", "dataWrite", "staticFiles"],
  );
  assert.equal(capabilities.storage, "vfs-only");
});

const bad: readonly (readonly [what: string, change: Readonly<Record<string, unknown>>])[] = [
  ["no name", { name: undefined }],
  ["a name that leads elsewhere", { name: "../up" }],
  ["a name that is too long", { name: "x".repeat(215) }],
  ["no file", { wasmManifest: undefined }],
  ["an absolute file", { wasmManifest: "/etc/passwd" }],
  ["a file outside", { wasmManifest: "build/../../x.wasm" }],
  ["a file by drive", { wasmManifest: "c:\\x.wasm" }],
  ["capabilities that are a list", { wasmCapabilities: [] }],
  ["a capability that is a word", { wasmCapabilities: { network: "yes" } }],
  ["storage of another kind", { wasmCapabilities: { storage: "all" } }],
];

for (const [what, change] of bad) {
  test(`${what} is refused with the place`, () => {
    assert.throws(() => readManifest({ ...valid, ...change }, "/somewhere"), { code: "signalk/bad-package" });
  });
}
