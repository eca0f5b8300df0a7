/** Records that are read at places of their own, beside the same records that are not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { camelCase } from "../names.ts";
import { PlainEngine } from "../testing/harness.test.ts";
import type { ValueType } from "../types.ts";
import { Codecs } from "./codec.ts";
import { type ComponentState, Context, type ResourceHost } from "./context.ts";
import { isString, type KeptField, keptValue, kindOf } from "./record-field.ts";
import { readingsOf } from "./record-reader.ts";

type RecordType = Extract<ValueType, { kind: "record" }>;

const string: ValueType = { kind: "string" };
const float: ValueType = { kind: "f64" };
const maybe = (some: ValueType): ValueType => ({ kind: "option", some });

function recordOf(fields: Readonly<Record<string, ValueType>>): RecordType {
  return { kind: "record", fields: Object.entries(fields).map(([name, type]) => ({ name, type })) };
}

/** Strings have the first places; see `codec-record.ts`. */
function keptFields({ fields }: RecordType): KeptField[] {
  const kinds = fields.map(({ name, type }) => ({ key: camelCase(name), kind: kindOf(type, "i32") }));
  const ordered = [
    ...kinds.filter(({ kind }) => isString(kind)),
    ...kinds.filter(({ kind }) => !isString(kind)),
  ];
  return ordered.map((field, place) => ({ ...field, place }));
}

/** Checks objects; gives what was kept of each, and undefined for one that does not fit. */
function checkerOf(type: RecordType) {
  const fields = keptFields(type);
  // No check of these records looks at either.
  const nobody = { state: {} as ComponentState, resources: {} as ResourceHost };
  const cx = new Context({
    engine: new PlainEngine(),
    ...nobody,
    memory: undefined,
    realloc: undefined,
    encoding: "utf8",
    liftBytesMax: 0,
  });
  const { check } = new Codecs("host").of(type);
  return (value: unknown) => {
    cx.beginCheck();
    if (!check(value, cx)) return undefined;
    return Object.fromEntries(fields.map((field) => [field.key, keptValue(field, cx, 0)]));
  };
}

const objectsBefore = 200;

const type = recordOf({
  ...Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`text${index}`, index % 2 ? string : maybe(string)]),
  ),
  float,
  rarely: maybe(float),
  bool: { kind: "bool" },
  count: { kind: "u32" },
  wide: { kind: "u64" },
});
const fitting = Object.fromEntries(
  type.fields.map(({ name, type: { kind } }) => [
    name,
    { bool: true, u32: 7, u64: 8n, f64: 1.5, option: undefined }[kind as string] ?? name,
  ]),
);
const anything = fc.oneof(
  fc.constantFrom(undefined, null, "", "text", 0, 1.5, -1, 2 ** 32, Number.NaN, true, 1n, Symbol.iterator),
  fc.constant(fitting),
);

test("whether an object fits and what is kept of it is the same with readers and without", () => {
  const often = checkerOf(type);
  for (let index = 0; index < objectsBefore; index++) often(fitting);
  assert.notEqual(readingsOf(keptFields(type)), undefined);
  const names = type.fields.map(({ name }) => name);
  const changes = fc.dictionary(fc.constantFrom(...names, "other"), anything, { maxKeys: 3 });
  fc.assert(
    fc.property(
      changes,
      fc.subarray(names, { minLength: names.length - 2 }),
      fc.boolean(),
      (change, order, isReversed) => {
        const changed: Record<string, unknown> = { ...fitting, ...change };
        const entries = order.map((name) => [name, changed[name]] as const);
        const value = Object.fromEntries(isReversed ? entries.reverse() : entries);
        const expected = checkerOf(type)(value);
        const found = often(value);
        assert.equal(found === undefined, expected === undefined);
        if (found === undefined || expected === undefined) return;
        assert.deepEqual(found, expected);
      },
    ),
    { numRuns: 2_000, seed: 20_260_128 },
  );
});

test("a field that was left out is not found in what every object inherits, however often it is read", () => {
  const check = checkerOf(recordOf({ "value-of": maybe(string), constructor: maybe(float), uid: string }));
  for (let index = 0; index <= 2 * objectsBefore; index++) assert.notEqual(check({ uid: "a" }), undefined);
});

test("a getter of a class is read once for each check", () => {
  const check = checkerOf(recordOf({ read: string, once: float }));
  class Counted {
    reads = 0;
    readonly once = 1;
    get read(): string {
      this.reads++;
      return "text";
    }
  }
  for (let index = 0; index < objectsBefore; index++) check({ read: "a", once: 1 });
  const counted = new Counted();
  assert.equal(check(counted)?.read, "text");
  assert.equal(counted.reads, 1);
});

test("when all readers are given away, records are read without", () => {
  for (let index = 0; index < 40; index++) {
    const check = checkerOf(recordOf({ [`text${index}a`]: string, [`number${index}a`]: float }));
    for (let count = 0; count <= objectsBefore; count++)
      check({ [`text${index}a`]: "a", [`number${index}a`]: 2 });
    const found = check({ [`text${index}a`]: "b", [`number${index}a`]: 3 });
    assert.deepEqual(found, { [`text${index}a`]: "b", [`number${index}a`]: 3 });
    assert.equal(check({ [`text${index}a`]: 4, [`number${index}a`]: 3 }), undefined);
  }
  assert.equal(readingsOf([{ key: "new", place: 0, kind: kindOf(string, "i32") }]), undefined);
});
