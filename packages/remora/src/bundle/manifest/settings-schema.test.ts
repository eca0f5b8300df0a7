import assert from "node:assert/strict";
import { test } from "node:test";
import { type SettingsSchema, schemaProblems, settingsProblems } from "./settings-schema.ts";

const object = (properties: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  type: "object",
  properties,
  ...more,
});

const paths = (problems: readonly { path: readonly (string | number)[] }[]) =>
  problems.map(({ path }) => path.join("."));

test("a schema of the subset has no problems", () => {
  const schema = object(
    {
      mode: { type: "string", enum: ["near", "far"], default: "near" },
      radius: { type: "number", exclusiveMinimum: 0, maximum: 10.5, multipleOf: 0.1, default: 0.3 },
      token: { type: "string", writeOnly: true, minLength: 1 },
      points: {
        type: "array",
        minItems: 1,
        maxItems: 3,
        uniqueItems: true,
        items: object({ x: { type: "integer" } }, { required: ["x"] }),
      },
      labels: { type: "object", additionalProperties: true },
    },
    { required: ["mode"], title: "Area", default: { mode: "far" } },
  );
  assert.deepEqual(schemaProblems(schema), []);
});

test("what the subset has not, or a keyword cannot be, is refused at its place", () => {
  const table: readonly (readonly [schema: unknown, path: string])[] = [
    ["text", ""],
    [{}, ""],
    [{ type: "array" }, "type"],
    [{ type: ["object"] }, "type"],
    [object({ a: { type: "string", pattern: "(a+)+$" } }), "properties.a.pattern"],
    [object({ a: { $ref: "#" } }), "properties.a"],
    [object({ a: { type: "string", minimum: 1 } }), "properties.a.minimum"],
    [object({ a: { type: "number", minimum: "1" } }), "properties.a.minimum"],
    [object({ a: { type: "integer", multipleOf: 0 } }), "properties.a.multipleOf"],
    [object({ a: { type: "integer", default: 1.5 } }), "properties.a.default"],
    [object({ a: { type: "string", enum: [] } }), "properties.a.enum"],
    [object({ a: { type: "string", enum: ["x", 7] } }), "properties.a.enum.1"],
    [object({ a: { type: "string", enum: ["x"], default: "y" } }), "properties.a.default"],
    [object({ a: { type: "array", items: { type: "text" } } }), "properties.a.items.type"],
    [object({ a: { type: "string" } }, { required: ["b"] }), "required.0"],
    [object({ a: { type: "string" } }, { required: ["a", "a"] }), "required"],
  ];
  for (const [schema, path] of table) {
    assert.equal(paths(schemaProblems(schema))[0], path, JSON.stringify(schema));
  }
});

test("schemas in one another, and their number, are bounded", () => {
  let deep: Record<string, unknown> = { type: "string" };
  for (let level = 0; level < 1_000; level++) deep = object({ a: deep });
  assert.ok(schemaProblems(deep).length > 0);
  const wide = object(
    Object.fromEntries(Array.from({ length: 501 }, (_, at) => [`a${at}`, { type: "string" }])),
  );
  assert.ok(schemaProblems(wide).length > 0);
});

test("of problems without end the first hundred are told", () => {
  const schema = object({ a: { type: "array", items: { type: "string" } } }) as unknown as SettingsSchema;
  assert.equal(settingsProblems(schema, { a: Array.from({ length: 10_000 }, () => 7) }).length, 100);
  const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`b${at}`, 7]));
  assert.equal(settingsProblems(schema, unknown).length, 100);
});

test("settings are checked against their schema, and all problems are told", () => {
  const schema = object(
    {
      name: { type: "string", minLength: 2, maxLength: 3 },
      radius: { type: "number", minimum: 1, exclusiveMaximum: 10, multipleOf: 0.1 },
      mode: { type: "string", enum: ["near", "far"] },
      points: { type: "array", maxItems: 2, uniqueItems: true, items: object({ x: { type: "integer" } }) },
      open: { type: "object", additionalProperties: true },
    },
    { required: ["name"] },
  ) as unknown as SettingsSchema;
  assert.deepEqual(schemaProblems(schema), []);
  const table: readonly (readonly [value: unknown, paths: readonly string[]])[] = [
    [{ name: "abc", radius: 1.1, mode: "far", points: [{ x: 1 }, { x: 2 }], open: { any: null } }, []],
    [{ name: "\u{1f600}\u{1f600}\u{1f600}" }, []],
    [[], [""]],
    [{}, [""]],
    [{ name: "a", radius: 0.5 }, ["name", "radius"]],
    [{ name: "abcd", radius: 10, mode: "middle" }, ["name", "radius", "mode"]],
    [{ name: "ab", radius: 1.15 }, ["radius"]],
    [{ name: "ab", radius: Number.NaN }, ["radius"]],
    [{ name: "ab", points: [{ x: 1.5 }, { y: 1 }] }, ["points.0.x", "points.1.y"]],
    [{ name: "ab", points: [{ x: 1 }, { x: 1 }] }, ["points"]],
    [{ name: "ab", points: [{}, { x: 1 }, { x: 2 }] }, ["points"]],
    [{ name: "ab", constructor: 1 }, ["constructor"]],
  ];
  for (const [value, expected] of table) {
    assert.deepEqual(paths(settingsProblems(schema, value)), expected, JSON.stringify(value));
  }
});
