import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDelta } from "./delta.ts";
import { DeltaScanner } from "./scan-delta.ts";

const scanner = new DeltaScanner();

function scanned(json: string) {
  // Not at the beginning of its memory, and not at the end.
  const bytes = Buffer.from(`"}${json}]"}`);
  return scanner.scan(bytes, 2, bytes.length - 3);
}

const update = (values: string) => `{"updates":[{"values":[${values}]}]}`;

test("what plugins write is read like JSON.parse does", () => {
  for (const json of [
    update('{"path":"environment.wind.speedTrue","value":7.31}'),
    update('{"path":"navigation.position","value":{"latitude":-53.012345,"longitude":4.5,"altitude":0}}'),
    update(
      '{"value":null,"path":"a"},{"path":"b","value":"text"},{"path":"c","value":[true,false,[]]},{"path":"d","value":-0}',
    ),
    ' { "context" : "vessels.self" ,\n\t"updates" : [ { "$source" : "a" , "timestamp" : "2026-01-01T00:00:00Z", "values" : [ ] } ] }\r\n',
    '{"updates":[{"source":{"label":"x","src":"1"},"meta":[{"path":"a","value":{"units":"m"}}],"more":{"a":[1]}}],"more":1}',
    '{"updates":[]}',
    '{"updates":[{}]}',
    '{"updates":[{"values":[{"path":"a","value":1}],"values":[{"path":"b","value":2}]}]}',
    update('{"path":"a","value":123456789012345},{"path":"b","value":0.00000000000001}'),
  ]) {
    assert.deepEqual(scanned(json), parseDelta(json), json);
  }
});

test("what is odd is left to JSON.parse", () => {
  for (const json of [
    ...[
      "",
      "{",
      "[]",
      "null",
      "{}",
      '{"updates":1}',
      '{"updates":[}',
      '{"updates":[],}',
      '{"updates":[]}x',
      '{"updates":[1]}',
    ],
    ...[
      "01",
      "1.",
      "-",
      ".5",
      "1e3",
      "+1",
      "1234567890123456",
      "truth",
      "nul",
      '"\\n"',
      '"ü"',
      '"\t"',
      '"',
      "[1",
      '{"a":1',
    ].map((value) => update(`{"path":"a","value":${value}}`)),
    ...[
      '{"path":"a"}',
      '{"value":1}',
      '{"path":"a b","value":1}',
      '{"path":1,"value":1}',
      '{"path":"a","value":{"__proto__":1}}',
    ].map(update),
    update(`{"path":"${"a".repeat(257)}","value":1}`),
    update(`{"path":"a","value":${"[".repeat(9)}${"]".repeat(9)}}`),
    update(Array(1_001).fill('{"path":"a","value":1}').join()),
    '{"updates":[{"timestamp":"yesterday"}]}',
    '{"updates":[{"source":"x"}]}',
  ]) {
    assert.equal(scanned(json), undefined, json.slice(0, 100));
  }
});

test("every delta that the scanner reads is the one that JSON.parse reads, and every plain one is read", () => {
  const plain = fc.stringMatching(/^[ !#-[\]-~]{0,12}$/);
  const number = fc.oneof(
    fc.integer({ min: -1e9, max: 1e9 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const scalar = fc.oneof(number, fc.boolean(), fc.constant(null), plain, fc.string());
  const value = fc.oneof(scalar, fc.dictionary(plain, scalar), fc.array(scalar, { maxLength: 4 }));
  const item = fc.record({ path: fc.stringMatching(/^[a-z]{1,5}(\.[a-z]{1,5}){0,3}$/), value });
  const delta = fc.record({
    updates: fc.array(fc.record({ values: fc.array(item, { maxLength: 3 }) }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(delta, fc.constantFrom(undefined, 2), (data, indent) => {
      const json = JSON.stringify(data, undefined, indent);
      const found = scanned(json);
      if (found === undefined) assert.match(json, /[^ -~\n]|\\|e[+-]|[\d.]{17}|\d{16}|__proto__/);
      else assert.deepEqual(found, parseDelta(json));
    }),
    { numRuns: 2_000 },
  );
});

test("a delta with one byte changed is read as JSON.parse reads it, or not at all", () => {
  const json = update(
    '{"path":"navigation.position","value":{"latitude":-53.0125,"longitude":4.5}},{"path":"b","value":true}',
  );
  for (let at = 0; at < json.length; at++) {
    for (const byte of '"{}[]:,.-019 aet\\\n') {
      const changed = json.slice(0, at) + byte + json.slice(at + 1);
      const found = scanned(changed);
      if (found !== undefined) assert.deepEqual(found, parseDelta(changed), changed);
    }
  }
});

test("deltas that come again with other numbers are each their own, whatever was between them", () => {
  const values = fc.constantFrom(
    "1",
    "-0",
    "7.31",
    "12.5",
    "-3",
    "true",
    '"x"',
    "1e3",
    "01",
    "-",
    "[1]",
    '{"1":1,"b":2}',
    '{"b":2,"1":1}',
    '{"a":"x","b":1,"a":2}',
  );
  const items = fc.constantFrom(
    (value: string) => `{"path":"a","value":${value}}`,
    (value: string) => `{"value":${value},"path":"b.c"}`,
    (value: string) => `{"path":"a","value":{"x":${value},"y":2}},{"path":"b","value":3}`,
    (value: string) => `{"path":"a","value":1,"value":${value}}`,
    (value: string) => `{"path":"a","value":true,"more":${value}}`,
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(items, values), { minLength: 2, maxLength: 12 }), (said) => {
      for (const [item, value] of said) {
        const json = update(item(value));
        const found = scanned(json);
        if (found !== undefined) assert.deepEqual(found, parseDelta(json), json);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("what was read from a template is nobody else's", () => {
  const json = update('{"path":"a","value":{"x":1}}');
  const [first, second] = [scanned(json), scanned(json)];
  assert.deepEqual(first, second);
  assert.notEqual(first?.updates[0]?.values?.[0]?.value, second?.updates[0]?.values?.[0]?.value);
});

test("texts that meet in the table of known ones are both read", () => {
  for (let index = 0; index < 5_000; index++) {
    const json = update(`{"path":"p${index}.x","value":"v${index}"}`);
    assert.deepEqual(scanned(json), parseDelta(json));
  }
});

test("a memory that replaced another is read, and not the one before", () => {
  const own = new DeltaScanner();
  for (const [size, value] of [
    [100, 1],
    [200, 2],
    [100, 3],
  ] as const) {
    const json = update(`{"path":"a","value":${value}}`);
    const memory = new Uint8Array(size);
    memory.set(Buffer.from(json), 7);
    assert.deepEqual(own.scan(memory, 7, 7 + json.length), parseDelta(json));
  }
});
