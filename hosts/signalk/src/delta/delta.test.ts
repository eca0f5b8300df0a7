import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDelta } from "./delta.ts";

test("a delta is read, and what no delta has is left out", () => {
  const text =
    '{"context":"vessels.self","extra":1,"updates":[{"values":[{"path":"a.b","value":null,"x":1}],"y":2}]}';
  assert.deepEqual(parseDelta(text), {
    context: "vessels.self",
    updates: [{ values: [{ path: "a.b", value: null }] }],
  });
});

const deep = `${"[".repeat(40)}${"]".repeat(40)}`;
const bad: readonly (readonly [what: string, json: string])[] = [
  ["nothing", ""],
  ["half of JSON", '{"updates":['],
  ["a number", "1"],
  ["null", "null"],
  ["no updates", "{}"],
  ["updates that are no list", '{"updates":{}}'],
  ["an update that is no object", '{"updates":[1]}'],
  ["values that are no list", '{"updates":[{"values":1}]}'],
  ["a value without a path", '{"updates":[{"values":[{"value":1}]}]}'],
  ["a path without a value", '{"updates":[{"values":[{"path":"a"}]}]}'],
  ["a path with a space", '{"updates":[{"values":[{"path":"a b","value":1}]}]}'],
  ["a path with a star", '{"updates":[{"values":[{"path":"a.*","value":1}]}]}'],
  ["a path with a slash", '{"updates":[{"values":[{"path":"a/b","value":1}]}]}'],
  ["a path with an escape", '{"updates":[{"values":[{"path":"a\\u001b[31m","value":1}]}]}'],
  [
    "a path that is too long",
    JSON.stringify({ updates: [{ values: [{ path: "a".repeat(257), value: 1 }] }] }),
  ],
  ["a value nested too deeply", `{"updates":[{"values":[{"path":"a","value":${deep}}]}]}`],
  ["a time that is none", '{"updates":[{"timestamp":"soon","values":[]}]}'],
  ["a context that is none", '{"context":7,"updates":[]}'],
  ["too many updates", JSON.stringify({ updates: Array.from({ length: 1_001 }, () => ({})) })],
];

for (const [what, json] of bad) {
  test(`${what} is refused with the place`, () => {
    assert.throws(() => parseDelta(json), { code: "signalk/bad-delta" });
  });
}
