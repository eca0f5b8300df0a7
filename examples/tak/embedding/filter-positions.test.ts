import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { generateTypes, selectWorld } from "remora/component";
import { readWit } from "../../../sdk/wit-source.ts";
import { buildExamples, componentPath } from "../../build.ts";
import { filterPositions } from "./filter-positions.ts";

before(async () => {
  await buildExamples();
});

test("a host of a few lines filters with a stranger's plugin", async () => {
  const theHague = { lat: 52.08, lon: 4.31 };
  const amsterdam = { lat: 52.37, lon: 4.9 };
  const plugin = await readFile(componentPath("tak/geofence-lazy"));
  const { passed, description } = await filterPositions(plugin, [amsterdam, theHague]);
  assert.deepEqual(passed, [theHague]);
  assert.match(description, /fence/);
});

test("the types that it uses are those of the world as it is now", async () => {
  const worlds = readWit(join(import.meta.dirname, "../../../worlds/tak/0.1.0"));
  const written = await readFile(join(import.meta.dirname, "lazy-filter.d.ts"), "utf8");
  assert.equal(written, generateTypes(selectWorld(worlds, "lazy-filter")));
});
