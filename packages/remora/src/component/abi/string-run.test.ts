/** Records whose strings are stored by routines in WebAssembly, beside the same records without. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { valuesOf } from "../testing/arbitrary.test.ts";
import { codeOf, componentFromWit, eagerRoutines, load } from "../testing/harness.test.ts";
import { echoGuest, padded } from "../testing/wit-of.test.ts";
import type { ValueType } from "../types.ts";

const string: ValueType = { kind: "string" };
const maybe = (some: ValueType): ValueType => ({ kind: "option", some });
const list = (element: ValueType): ValueType => ({ kind: "list", element, length: undefined });
const recordOf = (...types: readonly ValueType[]): ValueType => ({
  kind: "record",
  fields: types.map((type, index) => ({ name: `field-${index}`, type })),
});

/** What stands between strings, and whether it may itself be allocated. */
const others: readonly ValueType[] = [
  { kind: "f64" },
  { kind: "bool" },
  { kind: "u32" },
  { kind: "s64" },
  { kind: "char" },
  { kind: "enum", names: ["a", "b"] },
  { kind: "flags", names: ["a", "b"] },
  maybe({ kind: "f64" }),
  maybe({ kind: "u16" }),
  list(string),
  list({ kind: "u8" }),
  recordOf(string, { kind: "f64" }, maybe(string)),
  {
    kind: "variant",
    cases: [
      { name: "a", type: string },
      { name: "b", type: undefined },
    ],
  },
];

const records: readonly ValueType[] = [
  recordOf(string),
  recordOf(maybe(string)),
  recordOf(...others.flatMap((other) => [string, other, maybe(string)])),
  recordOf(...new Array<ValueType>(23).fill(string)),
  recordOf(list(recordOf(string, { kind: "bool" }, string)), string),
  list(recordOf(maybe(string), { kind: "f64" }, string)),
  ...fc
    .sample(fc.array(fc.constantFrom(string, maybe(string), ...others), { minLength: 2, maxLength: 14 }), {
      numRuns: 6,
      seed: 20_260_102,
    })
    .map((types) => recordOf(string, ...types)),
];

for (const [index, type] of records.entries()) {
  test(`a ${type.kind} comes back as it went in, with routines and without (${index})`, async () => {
    const bytes = await echoGuest(type);
    fc.assert(
      fc.property(valuesOf(type), (value) => {
        const routines = eagerRoutines();
        const [fast] = load(bytes, {}, routines).exports.echo.echo(padded(value));
        const [slow] = load(bytes).exports.echo.echo(padded(value));
        assert.deepEqual(fast, slow);
        if (type.kind === "record") assert.ok(routines.count > 0, "a routine was used");
      }),
      { numRuns: 30, seed: 20_260_103 },
    );
  });
}

const wit = `package t:t@1.0.0;
  interface i {
    record pair { first: string, number: f64, second: option<string> }
    take: func(pair: pair, padding: tuple<u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64>) -> string;
    log: func() -> list<u32>;
  }
  world w { export i; }`;
const padding = new Array<bigint>(12).fill(0n);

/** Gives back the first string, and notes the sizes that its allocator was asked for. */
const takingGuest = (realloc: string) =>
  componentFromWit({
    wit,
    world: "w",
    wat: `(module
      (memory (export "memory") 1)
      (global $top (mut i32) (i32.const 4096))
      (global $calls (mut i32) (i32.const 0))
      (func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
        (local $p i32)
        (i32.store offset=1024 (i32.shl (global.get $calls) (i32.const 2)) (local.get $size))
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (local.set $p (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
        (global.set $top (i32.add (local.get $p) (local.get $size)))
        ${realloc}
        (local.get $p))
      (func (export "t:t/i@1.0.0#take") (param i32) (result i32) (local.get 0))
      (func (export "t:t/i@1.0.0#log") (result i32)
        (i32.store (i32.const 16) (i32.const 1024))
        (i32.store (i32.const 20) (global.get $calls))
        (i32.const 16)))`,
  });

const take = (bytes: Uint8Array, first: string, second?: string) => {
  const loaded = load(bytes, {}, eagerRoutines());
  return { ...loaded, run: () => loaded.exports.i.take({ first, number: 1, second }, padding) };
};

test("the allocator is asked for each string in the order of the fields, and again at the exact size", async () => {
  const guest = await takingGuest("");
  for (const routines of [eagerRoutines(), undefined]) {
    const { exports } = load(guest, {}, routines);
    assert.equal(exports.i.take({ first: "grün", number: 1, second: "x".repeat(200) }, padding), "grün");
    assert.equal(exports.i.take({ first: "", number: 1, second: undefined }, padding), "");
    assert.deepEqual([...exports.i.log()], [128, 4, 5, 200, 128, 0]);
  }
});

test("a string of any length is copied whole, and one unit that is not ASCII is noticed wherever it stands", async () => {
  const { exports } = load(await takingGuest(""), {}, eagerRoutines());
  for (let length = 0; length <= 17; length++) {
    const text = "abcdefghijklmnopq".slice(0, length);
    assert.equal(exports.i.take({ first: text, number: 1, second: text }, padding), text);
    for (let at = 0; at < length; at++) {
      const changed = `${text.slice(0, at)}ü${text.slice(at + 1)}`;
      assert.equal(exports.i.take({ first: changed, number: 1 }, padding), changed);
    }
  }
});

test("a lone surrogate becomes U+FFFD, and characters beyond the first plane stay whole", async () => {
  const guest = await takingGuest("");
  for (const [given, taken] of [
    ["\ud800", "\ufffd"],
    ["a\udc00b", "a\ufffdb"],
    ["🐟 remora", "🐟 remora"],
    ["\u0100", "\u0100"],
    ["\u007f\u0080", "\u007f\u0080"],
  ] as const) {
    assert.equal(take(guest, given).run(), taken);
  }
});

test("memory that grows while strings are stored is written where it is then", async () => {
  const guest = await takingGuest("(drop (memory.grow (i32.const 1)))");
  assert.equal(take(guest, "a string", "and another").run(), "a string");
  assert.equal(take(guest, "grün", "x".repeat(100)).run(), "grün");
});

test("a pointer that is out of bounds, now or by its length, is a trap that poisons", async () => {
  for (const pointer of ["(i32.const -1)", "(i32.const 65536)", "(i32.const 65533)"]) {
    const guest = await takingGuest(
      `(if (i32.eq (local.get $size) (i32.const 4)) (then (return ${pointer})))`,
    );
    const { run, engine } = take(guest, "four");
    assert.equal(codeOf(run), "component/trap");
    assert.ok(engine.isPoisoned);
  }
});

test("an allocator that traps within a routine poisons", async () => {
  const guest = await takingGuest("(if (i32.eq (local.get $size) (i32.const 4)) (then unreachable))");
  const { run, engine } = take(guest, "five!", "four");
  assert.throws(run, /unreachable/);
  assert.ok(engine.isPoisoned);
});

test("what does not fit is refused before anything is allocated", async () => {
  const { exports, engine } = load(await takingGuest(""), {}, eagerRoutines());
  for (const pair of [
    { first: "a", number: 1, second: 2 },
    { first: Object("a"), number: 1 },
    { first: "a", number: "1" },
  ]) {
    assert.equal(
      codeOf(() => exports.i.take(pair, padding)),
      "component/type-mismatch",
    );
  }
  assert.ok(!engine.isPoisoned);
  assert.equal(exports.i.log().length, 0);
});

test("a getter that calls the same guest does not leave its values in place of ours", async () => {
  const { exports } = load(await takingGuest(""), {}, eagerRoutines());
  const plain = { first: "inner", number: 2, second: "inner" };
  const nested = {
    first: "outer",
    number: 1,
    get second() {
      return exports.i.take(plain, padding);
    },
  };
  assert.equal(
    codeOf(() => exports.i.take(nested, padding)),
    "component/type-mismatch",
  );
  assert.equal(exports.i.take(plain, padding), "inner");
});

test("a record of a thousand strings makes no more routines than a context may have", async () => {
  const type = recordOf(...new Array<ValueType>(1_000).fill(string));
  const value = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`field${index}`, `${index}`]),
  );
  const routines = eagerRoutines();
  const [back] = load(await echoGuest(type), {}, routines).exports.echo.echo(padded(value));
  assert.deepEqual(back, value);
  assert.equal(routines.count, 64);
});

test("without V8's string functions all is done in JavaScript", async () => {
  const none = { usesBefore: 0, instantiate: () => undefined };
  const { exports } = load(await takingGuest(""), {}, none);
  assert.equal(exports.i.take({ first: "a", number: 1 }, padding), "a");
  assert.equal(exports.i.take({ first: "b", number: 1 }, padding), "b");
});

test("an array that only says that it is long is refused before there is room for it", async () => {
  const { exports, engine } = load(await echoGuest(list(recordOf(string))), {}, eagerRoutines());
  assert.equal(
    codeOf(() => exports.echo.echo(padded(new Array(2 ** 31)))),
    "component/type-mismatch",
  );
  assert.ok(!engine.isPoisoned);
});

test("a list that a getter lengthens while it is checked is refused, and the instance stays", async () => {
  const { exports, engine } = load(await echoGuest(list(recordOf(string))), {}, eagerRoutines());
  const values: object[] = [];
  values.push({
    get field0() {
      values.push({ field0: "one more" });
      return "first";
    },
  });
  assert.equal(
    codeOf(() => exports.echo.echo(padded(values))),
    "component/type-mismatch",
  );
  assert.ok(!engine.isPoisoned);
  assert.deepEqual(exports.echo.echo(padded([{ field0: "a" }]))[0], [{ field0: "a" }]);
});

test("a list beyond what is kept at once comes back as it went in", async () => {
  const numbers = recordOf(...new Array<ValueType>(12).fill({ kind: "u32" }));
  const values = Array.from({ length: 9_000 }, (_, index) =>
    Object.fromEntries(Array.from({ length: 12 }, (_, field) => [`field${field}`, index + field])),
  );
  const [back] = load(await echoGuest(list(numbers))).exports.echo.echo(padded(values));
  assert.deepEqual(back, values);
});
