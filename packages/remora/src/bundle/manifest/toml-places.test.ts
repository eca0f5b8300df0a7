import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { pathText, type TomlPath, TomlPlaces } from "./toml-places.ts";

const text = `# a = 1
a = "# [no] = 'key'" # b = 2
b.c = [1, [2, '''
] ''', "\\"]"], { d = 3, "e f" = 4 }]

[g]
h = """
[not.a.header]
"""""
  'i' = 2026-11-21 12:00:00Z
[[k]]
l = 1
[[k]]
l = 2
[k.m]
n = 5
[[k.o]]
p = [
  6, # six
  7,
]
`;

test("keys, elements and tables are where they stand, in all ways of writing them", () => {
  const places = new TomlPlaces(text);
  const table: readonly (readonly [path: TomlPath, place: string])[] = [
    [["a"], "2:1"],
    [["b"], "3:1"],
    [["b", "c"], "3:3"],
    [["b", "c", 0], "3:8"],
    [["b", "c", 1, 1], "3:15"],
    [["b", "c", 1, 2], "4:8"],
    [["b", "c", 2, "d"], "4:18"],
    [["b", "c", 2, "e f"], "4:25"],
    [["g"], "6:1"],
    [["g", "h"], "7:1"],
    [["g", "i"], "10:3"],
    [["k", 0], "11:1"],
    [["k", 0, "l"], "12:1"],
    [["k", 1, "l"], "14:1"],
    [["k", 1, "m", "n"], "16:1"],
    [["k", 1, "o", 0, "p", 1], "20:3"],
  ];
  parse(text);
  for (const [path, place] of table) {
    const { line, column } = places.of(pathText(path));
    assert.equal(`${line}:${column}`, place, JSON.stringify(path));
  }
});

test("what is not there is where it would be: in the nearest table or list", () => {
  const places = new TomlPlaces(text);
  assert.deepEqual(places.of(pathText(["k", 1, "m", "missing", 3])), places.of(pathText(["k", 1, "m"])));
  assert.deepEqual(places.of("k[1].o[0].p[99]"), places.of(pathText(["k", 1, "o", 0, "p"])));
  assert.deepEqual(places.of(pathText(["nothing"])), { line: 1, column: 1 });
  assert.deepEqual(places.of(pathText([])), { line: 1, column: 1 });
});

test("every scalar of a document is found on the line that holds it", () => {
  const key = fc.string({ unit: fc.constantFrom(..."abc-"), minLength: 1, maxLength: 3 });
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant("leaf"),
      fc.string(),
      tie("tree"),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.array(fc.constant("leaf"), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (data) => {
      const printed = stringify(data);
      const places = new TomlPlaces(printed);
      const lines = printed.split("\n");
      for (const path of leaves(data, [])) {
        const { line, column } = places.of(pathText(path));
        const name = path.findLast((step) => typeof step === "string");
        assert.ok(lines[line - 1]?.includes(`${name}`), `${JSON.stringify(path)} in ${printed}`);
        assert.ok(column <= (lines[line - 1]?.length ?? 0));
      }
    }),
  );
});

function leaves(value: unknown, path: TomlPath): TomlPath[] {
  if (value === "leaf") return [path];
  if (Array.isArray(value)) return value.flatMap((item, at) => leaves(item, [...path, at]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
}
