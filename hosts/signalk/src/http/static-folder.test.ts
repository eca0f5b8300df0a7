/** A folder that is served, and paths that want more than is in it. */

import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../testing/boats.ts";
import { fileBytesMax, StaticFolder } from "./static-folder.ts";

async function served(t: TestContext) {
  const folder = await temporaryFolder(t);
  const root = join(folder, "public");
  await mkdir(join(root, "images"), { recursive: true });
  await mkdir(join(root, ".git"));
  await writeFile(join(folder, "secret.txt"), "secret");
  await writeFile(join(root, "index.html"), "<p>Hello");
  await writeFile(join(root, "app.js"), "1");
  await writeFile(join(root, "images/boat.svg"), "<svg/>");
  await writeFile(join(root, "images/index.html"), "images");
  await writeFile(join(root, "data"), "?");
  await writeFile(join(root, ".env"), "secret");
  await writeFile(join(root, ".git/config"), "secret");
  await symlink("../secret.txt", join(root, "link.txt"));
  await symlink("..", join(root, "up"));
  const opened = await StaticFolder.open(root);
  assert.ok(opened !== undefined);
  return { folder: opened, root };
}

for (const [path, type] of [
  ["", "text/html; charset=utf-8"],
  ["index.html", "text/html; charset=utf-8"],
  ["app.js", "text/javascript; charset=utf-8"],
  ["images/boat.svg", "image/svg+xml"],
  ["images", "text/html; charset=utf-8"],
  ["data", "application/octet-stream"],
] as const) {
  test(`"${path}" is served as ${type}`, async (t) => {
    const { folder } = await served(t);
    const found = await folder.find(path);
    assert.ok(found !== undefined);
    assert.deepEqual([found.status, found.headers["Content-Type"]], [200, type]);
    assert.equal(found.headers["X-Content-Type-Options"], "nosniff");
  });
}

for (const path of [
  ...["../secret.txt", "images/../../secret.txt", "/secret.txt", "..", "./index.html", "images//boat.svg"],
  ...["..\\secret.txt", "index.html\0", "link.txt", "up/secret.txt", "up", ".env", ".git/config", "nothing"],
  ...["__proto__", "constructor"],
]) {
  test(`"${path.replace("\0", "\\0")}" is not there`, async (t) => {
    const { folder } = await served(t);
    assert.equal(await folder.find(path), undefined);
  });
}

test("a file that has become a link is not followed, nor one in a folder that has", async (t) => {
  const { folder, root } = await served(t);
  await rm(join(root, "app.js"));
  await symlink("../secret.txt", join(root, "app.js"));
  assert.equal(await folder.find("app.js"), undefined);
  await rename(join(root, "images"), join(root, "../elsewhere"));
  await symlink("../elsewhere", join(root, "images"));
  assert.equal(await folder.find("images/boat.svg"), undefined);
});

test("who has a file already is told that it is the same, and not when it has changed", async (t) => {
  const { folder, root } = await served(t);
  const first = await folder.find("app.js");
  assert.equal((await folder.find("app.js", first?.headers.ETag))?.status, 304);
  await writeFile(join(root, "app.js"), "2");
  assert.equal((await folder.find("app.js", first?.headers.ETag))?.status, 200);
});

test("what is no folder, an empty one, and a file that is too large are not served", async (t) => {
  const { folder, root } = await served(t);
  assert.equal(await StaticFolder.open(join(root, "nothing")), undefined);
  await mkdir(join(root, "empty"));
  assert.equal(await StaticFolder.open(join(root, "empty")), undefined);
  await writeFile(join(root, "data"), Buffer.alloc(fileBytesMax + 1));
  assert.equal(await folder.find("data"), undefined);
});
