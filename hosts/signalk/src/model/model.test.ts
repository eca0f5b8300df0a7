import assert from "node:assert/strict";
import { test } from "node:test";
import type { PathValue, StampedDelta } from "../delta/delta.ts";
import { Model } from "./model.ts";

const self = "vessels.urn:mrn:signalk:uuid:1";
const at = "2026-01-01T00:00:00Z";

function delta(values: readonly PathValue[], $source = "gps.GP", context = self): StampedDelta {
  return { context, updates: [{ $source, timestamp: at, values }] };
}

function json(model: Model, ...parts: string[]): unknown {
  const found = model.tree(parts);
  return found === undefined ? undefined : JSON.parse(JSON.stringify(found));
}

test("a value is found by its path, with source and time, and each part below it", () => {
  const model = new Model(self);
  model.apply(delta([{ path: "navigation.position", value: { latitude: 52.1, longitude: 4.3 } }]));
  const leaf = { value: { latitude: 52.1, longitude: 4.3 }, $source: "gps.GP", timestamp: at };
  assert.deepEqual(json(model, "vessels", "self", "navigation", "position"), leaf);
  assert.deepEqual(json(model, "vessels", "self", "navigation"), { position: leaf });
  assert.equal(json(model, "vessels", "self", "navigation", "position", "value", "latitude"), 52.1);
  assert.equal(json(model, "vessels", "self", "navigation", "depth"), undefined);
  assert.equal(json(model, "self"), self);
});

test("a second source keeps the values of both, and the last one counts", () => {
  const model = new Model(self);
  model.apply(delta([{ path: "depth", value: 4 }], "sounder"));
  model.apply(delta([{ path: "depth", value: 5 }], "plotter"));
  assert.deepEqual(json(model, "vessels", "self", "depth"), {
    value: 5,
    $source: "plotter",
    timestamp: at,
    values: { sounder: { value: 4, timestamp: at }, plotter: { value: 5, timestamp: at } },
  });
});

test("meta is merged, and stands beside the value", () => {
  const model = new Model(self);
  const meta = (value: unknown): StampedDelta => ({
    context: self,
    updates: [{ $source: "a", timestamp: at, meta: [{ path: "depth", value }] }],
  });
  model.apply(meta({ units: "m" }));
  model.apply(meta({ supportsPut: true }));
  assert.deepEqual(json(model, "vessels", "self", "depth"), { meta: { units: "m", supportsPut: true } });
});

test("the empty path gives attributes of the vessel", () => {
  const model = new Model(self);
  model.apply(delta([{ path: "", value: { name: "Remora", mmsi: "244000000" } }]));
  assert.equal(json(model, "vessels", "self", "name"), "Remora");
  assert.deepEqual(json(model, "vessels", "self"), {
    name: "Remora",
    mmsi: "244000000",
    uuid: "urn:mrn:signalk:uuid:1",
  });
});

test("names that mean something to JavaScript are names like others", () => {
  const model = new Model(self);
  model.apply(delta([{ path: "__proto__.polluted", value: 1 }]));
  model.apply(delta([{ path: "constructor.prototype", value: 2 }]));
  model.apply(delta([{ path: "", value: JSON.parse('{"__proto__":{"a":1}}') }]));
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.equal(json(model, "vessels", "self", "constructor", "prototype", "value"), 2);
});

test("a path that goes on inside of a value changes no value", () => {
  const model = new Model(self);
  const position = { latitude: 1, longitude: 2 };
  model.apply(delta([{ path: "position", value: position }]));
  model.apply(delta([{ path: "position.value.latitude", value: 9 }]));
  json(model, "vessels", "self");
  assert.deepEqual(position, { latitude: 1, longitude: 2 });
});

test("contexts, paths and sources beyond the limits are refused and counted", () => {
  const model = new Model(self, { contextsMax: 2, pathsMax: 2, sourcesMax: 2 });
  for (let index = 0; index < 4; index++) model.apply(delta([{ path: `p${index}`, value: index }]));
  assert.equal(model.refusedCount, 2);
  for (let index = 0; index < 4; index++)
    model.apply(delta([{ path: "p", value: 1 }], "a", `vessels.v${index}`));
  assert.equal(model.refusedCount, 5);
  for (let index = 0; index < 4; index++) model.apply(delta([{ path: "p0", value: index }], `s${index}`));
  const values = json(model, "vessels", "self", "p0", "values") as Record<string, unknown>;
  assert.deepEqual(Object.keys(values), ["gps.GP", "s0"]);
});
