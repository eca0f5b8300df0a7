import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DeltaTexts } from "./delta-texts.ts";

/** The text that is lent, which is the same in both encodings where it can be. */
function lent(texts: DeltaTexts, delta: object): string | undefined {
  const found = texts.lend(delta);
  texts.takeBack();
  if (found === undefined) return undefined;
  const text = Buffer.from(found.utf16).toString("utf16le");
  const { utf8 } = found;
  if (utf8 === undefined) assert.match(text, /[^\0-\x7f]/);
  else assert.equal(Buffer.from(utf8).toString("utf8"), text);
  return text;
}

const delta = (value: unknown, path = "a.b", more: object = {}) => ({
  context: "vessels.self",
  updates: [{ $source: "gps", timestamp: "2026-01-01T00:00:00.000Z", values: [{ path, value }], ...more }],
});

/** Lends the first, then the second; what was lent is right, and whether the second was. */
function lendsAfter(first: object, second: object): boolean {
  const texts = new DeltaTexts();
  assert.equal(lent(texts, first), JSON.stringify(first));
  const text = lent(texts, second);
  if (text !== undefined) assert.equal(text, JSON.stringify(second));
  return text !== undefined;
}

const leaf = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom("a", '"', "\\", "\n", "\u0000", "\u007f", "é", "\ud800", "\udc00", "\u2028"),
  }),
  fc.double(),
  fc.integer().map((digits) => digits / 1_000),
  fc.boolean(),
  fc.constant(null),
);
const tree = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, tie("list"), tie("record")),
  list: fc.array(tie("value"), { maxLength: 3 }),
  record: fc.dictionary(fc.string({ maxLength: 4 }), tie("value"), { maxKeys: 3 }),
})).value;

test("what is lent is the text of JSON.stringify, in whatever order shapes and values come", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(tree, fc.constantFrom("a", "b")), { minLength: 2, maxLength: 12 }),
      (values) => {
        const texts = new DeltaTexts();
        for (const [value, path] of values) {
          const each = delta(value, path);
          const text = lent(texts, each);
          if (text !== undefined) assert.equal(text, JSON.stringify(each));
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test("other leaves in the same shape are lent, of whatever length", () => {
  fc.assert(
    fc.property(leaf, leaf, leaf, leaf, (a, b, c, d) => {
      assert.ok(lendsAfter(delta({ x: a, y: [b] }), delta({ x: c, y: [d] })));
    }),
    { numRuns: 2_000 },
  );
});

test("what is no ASCII comes and goes, and with it the bytes of UTF-8", () => {
  const texts = new DeltaTexts();
  const has = (values: readonly unknown[]) => {
    const found = texts.lend(delta(values));
    texts.takeBack();
    assert.equal(Buffer.from(found?.utf16 ?? []).toString("utf16le"), JSON.stringify(delta(values)));
    return found?.utf8 !== undefined;
  };
  assert.ok(has(["Zoe", 1]));
  assert.ok(!has(["Zoë", 1]));
  assert.ok(!has(["Zoë", "⛵"]));
  assert.ok(!has(["Zoe", "⛵"]));
  assert.ok(has(["Zoe", "\ud800"]), "half a character is written with a backslash");
  assert.ok(!has([1, "⛵"]));
  assert.ok(has([1, 2]));
  assert.ok(!has([1, "\u007f\u0080"]));
  assert.ok(has([1, "\u007f"]));
  assert.equal(new DeltaTexts().lend(delta({ längd: 1 }))?.utf8, undefined);
});

test("a delta in a form that Signal K does not have is lent as well", () => {
  for (const odd of [
    { updates: [{ values: [{ path: "a", value: 1 }] }] },
    { context: { a: 1 }, updates: [{ values: [{ path: "a", value: 1 }] }], more: [1, { a: null }] },
    { context: "a", updates: [{ values: [{ value: 1, path: "a" }] }] },
    { context: "a", updates: [{ values: [{ path: "a" }] }, { meta: [{ path: "a", value: {} }] }, 1, [2]] },
    {
      context: "a",
      updates: [{ source: { label: "x" }, $source: {}, timestamp: [1], values: [{ path: "a" }, 1] }],
    },
    { context: "a", updates: [{ values: [{ path: "a", value: [] }], values2: {}, $source: "b" }] },
  ]) {
    assert.ok(lendsAfter(odd, structuredClone(odd)), JSON.stringify(odd));
  }
});

test("a shape that has changed is the platform's, and the next is a template again", () => {
  const texts = new DeltaTexts();
  const position = delta({ latitude: 1, longitude: 2 });
  assert.notEqual(lent(texts, position), undefined);
  for (const other of [
    delta({ longitude: 2, latitude: 1 }),
    delta({ latitude: 1 }),
    delta({ latitude: 1, longitude: 2, altitude: 3 }),
    delta([1, 2]),
    delta({ latitude: 1, longitude: 2 }, "a.b", { meta: [] }),
    { updates: position.updates, context: position.context },
  ]) {
    assert.ok(!lendsAfter(position, other), JSON.stringify(other));
  }
});

const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): object };

class Dated {
  latitude = 1;
  toJSON() {
    return "today";
  }
}

const odd: readonly (readonly [what: string, like: unknown, value: unknown])[] = [
  ["undefined", { a: 1 }, { a: undefined }],
  ["a hole in a list", [1, 2], Object.assign([1], { length: 2 })],
  ["a function", { a: 1 }, { a: () => 1 }],
  ["a symbol", { a: 1 }, { a: Symbol("a") }],
  ["an object that writes itself", { latitude: 1 }, new Dated()],
  ["one that does it in hiding", { a: 1 }, Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 })],
  ["a list that writes itself", [1], Object.assign([1], { toJSON: () => 2 })],
  ["a date", {}, new Date(0)],
  ["a number in a box", {}, Object(1)],
  ["a text in a box", { 0: "a" }, Object("a")],
  ["inherited names", { a: 1 }, Object.create({ a: 1 })],
  ["raw JSON", { rawJSON: "1" }, rawJson("1")],
  ["an object without a class", { rawJSON: "1" }, Object.assign(Object.create(null), { rawJSON: "1" })],
];

for (const [what, like, value] of odd) {
  test(`${what} is left to the platform`, () => {
    assert.ok(!lendsAfter(delta(like), delta(value)));
    const text = lent(new DeltaTexts(), delta(value));
    if (text !== undefined) assert.equal(text, JSON.stringify(delta(value)));
  });
}

test("where somebody gives all objects or lists a toJSON, it is obeyed", () => {
  for (const prototype of [Object.prototype, Array.prototype]) {
    const texts = new DeltaTexts();
    assert.notEqual(lent(texts, delta([1])), undefined);
    Object.defineProperty(prototype, "toJSON", { value: () => 7, configurable: true });
    try {
      assert.equal(texts.lend(delta([1])), undefined);
      assert.equal(new DeltaTexts().lend(delta([1])), undefined);
    } finally {
      Reflect.deleteProperty(prototype, "toJSON");
    }
  }
});

test("a text that is lent stays what it is until it is taken back", () => {
  const texts = new DeltaTexts();
  const { utf16 = [], utf8 = [] } = texts.lend(delta(1)) ?? {};
  assert.equal(texts.lend(delta(2)), undefined);
  assert.equal(Buffer.from(utf16).toString("utf16le"), JSON.stringify(delta(1)));
  assert.equal(Buffer.from(utf8).toString("utf8"), JSON.stringify(delta(1)));
  texts.takeBack();
  assert.equal(lent(texts, delta(2)), JSON.stringify(delta(2)));
});

test("long texts are the platform's, and one that has grown too long is", () => {
  const long = "x".repeat(3_000);
  assert.equal(new DeltaTexts().lend(delta(long)), undefined);
  assert.ok(!lendsAfter(delta("x"), delta(long)));
});

test("what changes its shape all the time is tried ever more rarely, and what does not is not given up", () => {
  const texts = new DeltaTexts();
  const tries = (from: number) => {
    let count = 0;
    for (let index = from; index < from + 1_000; index++) {
      if (lent(texts, delta({ [`n${index}`]: 1 })) !== undefined) count++;
    }
    return count;
  };
  assert.ok(tries(0) < 20);
  assert.ok(tries(1_000) < 6);
  let count = 0;
  for (let index = 0; index < 1_000; index++) if (lent(texts, delta({ a: index })) !== undefined) count++;
  assert.ok(count > 700, `${count}`);
});

test("paths without end keep no more than a bounded number of templates, and those in use come again", () => {
  const texts = new DeltaTexts();
  for (let index = 0; index < 1_000; index++) lent(texts, delta(1, `path.${index}`));
  assert.notEqual(lent(texts, delta(1, "path.999")), undefined);
  assert.notEqual(lent(texts, delta(2, "path.999")), undefined);
});
