import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { componentWitMetadataForWorld } from "@bytecodealliance/jco-transpile/wasm-tools";
import { readWit, witSource } from "../sdk/wit-source.ts";

const worlds = join(dirname(import.meta.dirname), "worlds");

for (const host of readdirSync(worlds, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  for (const version of readdirSync(join(worlds, host.name))) {
    test(`the worlds of ${host.name} ${version} mean to wasm-tools what they mean to us`, async () => {
      const folder = join(worlds, host.name, version);
      const text = witSource(folder);
      for (const world of [...readWit(folder).packages.values()].flatMap((each) => [
        ...each.worlds.values(),
      ])) {
        const theirs = await componentWitMetadataForWorld({ tag: "source", val: text }, world.id);
        assert.deepEqual([...world.imports.keys()].sort(), theirs.imports.map(idOf).sort(), world.id);
        assert.deepEqual([...world.exports.keys()].sort(), theirs.exports.map(idOf).sort(), world.id);
      }
    });
  }
}

test("of the files of a package one at most begins with a comment, which wit-parser takes for the package's", () => {
  const files = readdirSync(worlds, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    name.endsWith(".wit"),
  );
  assert.ok(files.length > 5);
  const folders = files
    .filter(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8").startsWith("//"))
    .map(({ parentPath }) => parentPath);
  assert.deepEqual(folders, [...new Set(folders)]);
});

type Named = Awaited<ReturnType<typeof componentWitMetadataForWorld>>["imports"][number];

function idOf(each: Named): string {
  const path = `${each.namespace}:${each.package}/${each.interface}`;
  const { version } = each;
  return version === undefined ? path : `${path}@${version.major}.${version.minor}.${version.patch}`;
}
