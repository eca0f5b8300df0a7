/** Pages that packages bring, as a browser on the boat asks for them. */

import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { boatWith, type PluginPackage, temporaryFolder, writePackage } from "../testing/boats.ts";

const webappKeywords = ["signalk-webapp"];

/** A boat with a plugin that has pages, and a webapp that is no plugin. */
async function boat(t: TestContext, plugin: Partial<PluginPackage> = {}, options = {}) {
  const modules = join(await temporaryFolder(t), "node_modules");
  const keywords = ["signalk-wasm-plugin", "signalk-webapp"];
  const pages = { signalk: { displayName: "Pages" }, keywords };
  await writePackage(modules, { name: "@test/pages", guest: {}, manifest: pages, ...plugin });
  await write(join(modules, "@test/pages/public/index.html"), "plugin");
  await write(join(modules, "@test/pages/secret"), "secret");
  await symlink("../secret", join(modules, "@test/pages/public/link"));
  await write(
    join(modules, "charts/package.json"),
    JSON.stringify({ name: "charts", version: "1.0.0", keywords: webappKeywords }),
  );
  await write(join(modules, "charts/index.html"), "charts");
  return boatWith(t, [], { modulesFolders: [modules], ...options });
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

test("webapps are listed, those of disabled plugins are not", async (t) => {
  const { fetch } = await boat(t);
  const { json } = await fetch("/skServer/webapps");
  assert.deepEqual(json, [
    {
      name: "@test/pages",
      version: "1.2.3",
      description: "For a test",
      keywords: ["signalk-wasm-plugin", "signalk-webapp"],
      signalk: { displayName: "Pages" },
    },
    { name: "charts", version: "1.0.0", description: "", keywords: webappKeywords, signalk: {} },
  ]);
  await fetch("/plugins/_test_pages/config", { method: "POST", body: { enabled: false } });
  assert.deepEqual(
    (await fetch("/skServer/webapps")).json.map(({ name }: { name: string }) => name),
    ["charts"],
  );
});

for (const [path, text] of [
  ["/@test/pages/index.html", "plugin"],
  ["/@test/pages/", "plugin"],
  ["/plugins/_test_pages/index.html", "plugin"],
  ["/skServer/plugins/_test_pages/index.html", "plugin"],
  ["/charts", "charts"],
] as const) {
  test(`${path} is a page`, async (t) => {
    const found = await (await boat(t)).fetch(path);
    assert.deepEqual([found.status, found.text], [200, text]);
  });
}

for (const path of [
  ...["/plugins/_test_pages/secret", "/plugins/_test_pages/link", "/@test/pages/link"],
  ...[
    "/@test/pages/package.json",
    "/@test/pages/..%2fsecret",
    "/charts/..%5cpackage.json",
    "/charts/%2e%2e/x",
  ],
]) {
  test(`${path} is none`, async (t) => {
    assert.ok([400, 404].includes((await (await boat(t)).fetch(path)).status));
  });
}

test("a browser that goes to a plugin's path is shown its pages, and programs get what signalk-server says", async (t) => {
  const { http, fetch: ask } = await boat(t);
  const shown = await fetch(`http://127.0.0.1:${http.port}/plugins/_test_pages`, {
    headers: { accept: "text/html,*/*" },
  });
  assert.equal(await shown.text(), "plugin");
  assert.equal((await ask("/plugins/_test_pages")).json.id, "_test_pages");
});

test("a disabled plugin's pages are not served, nor those that its manifest or the operator withholds", async (t) => {
  const { fetch } = await boat(t);
  await fetch("/plugins/_test_pages/config", { method: "POST", body: { enabled: false } });
  for (const path of ["/@test/pages/index.html", "/plugins/_test_pages/index.html"])
    assert.equal((await fetch(path)).status, 404);
  const declared = await boat(t, { capabilities: { staticFiles: false } });
  assert.equal((await declared.fetch("/@test/pages/index.html")).status, 404);
  const withheld = await boat(t, {}, { plugins: { isWithheld: () => true } });
  assert.equal((await withheld.fetch("/@test/pages/index.html")).status, 404);
});
