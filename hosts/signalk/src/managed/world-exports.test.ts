import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseWit, selectWorld } from "remora/component";
import { pluginHost } from "./plugin-host.ts";

test("what a guest of each world must export is what the world's WIT says", () => {
  const folder = new URL("../../../../worlds/signalk/0.1.0/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".wit"));
  const wit = files.map((path) => ({ path, text: readFileSync(new URL(path, folder), "utf8") }));
  const parsed = parseWit(wit);
  for (const { world, exports = [] } of pluginHost({ log: () => {} }).worlds) {
    if (!world.startsWith("remora:")) continue;
    assert.deepEqual(exports.toSorted(), [...selectWorld(parsed, world).exports.keys()].toSorted(), world);
  }
});
