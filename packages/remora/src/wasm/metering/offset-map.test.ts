import assert from "node:assert/strict";
import { test } from "node:test";
import { counterModule, type MeterOptions } from "./contract.ts";
import { meterModule } from "./meter-module.ts";
import { mapOffsets } from "./offset-map.ts";
import { assemble, meterOptions, v8 } from "./rig.test.ts";

/**
 * From C, by clang 19 with `-g -O1`; DWARF sections but the line table taken out. Line 5, column 5 has
 * `__builtin_trap()` in `deep`; line 10, column 14 the call of it in `run`.
 */
const compiled = {
  "DWARF 4": [
    "AGFzbQEAAAABBgFgAX8BfwMDAgAABAUBcAEBAQUDAQACBggBfwFBkIgECwcQAgZtZW1vcnkCAANydW4AAQphAksBAX8CQCAAQQFI",
    "DQBBACEBA0BBACABQQAoAoCIgIAAajYCgIiAgAAgACABQQFqIgFHDQALCwJAIABBA0wNAAAAC0EAKAKAiICAAAsTAEEBEICAgIAA",
    "IAAQgICAgABqCwCFAQsuZGVidWdfbGluZXUAAAAEABsAAAABAQH7Dg0AAQEBAQAAAAEAAAEAdC5jAAAAAAAABQICAAAAEwUVCpEF",
    "AwYgKwUkvQUbCEoFFSAFAzwFCQafBQcGIAUFBi8GKQUKBiYFAwaQAgEAAQEABQJOAAAAGQULCj0FDmcFDAaCBQMgAgEAAQEAJwRu",
    "YW1lAQwCAARkZWVwAQNydW4HEgEAD19fc3RhY2tfcG9pbnRlcg==",
  ],
  "DWARF 5": [
    "AGFzbQEAAAABBgFgAX8BfwMDAgAABAUBcAEBAQUDAQACBggBfwFBkIgECwcQAgZtZW1vcnkCAANydW4AAQphAksBAX8CQCAAQQFI",
    "DQBBACEBA0BBACABQQAoAoCIgIAAajYCgIiAgAAgACABQQFqIgFHDQALCwJAIABBA0wNAAAAC0EAKAKAiICAAAsTAEEBEICAgIAA",
    "IAAQgICAgABqCwAbDy5kZWJ1Z19saW5lX3N0ci9ndWVzdAB0LmMAAKcBCy5kZWJ1Z19saW5llwAAAAUABAA3AAAAAQEB+w4NAAEB",
    "AQEAAAABAAABAQEfAQAAAAADAR8CDwUeAQcAAAAAxM4DdRXPK92exbVEt17zKgQAAAUCAgAAABMFFQqRBQMGICsFJL0FGwhKBRUg",
    "BQM8BQkGnwUHBiAFBQYvBikFCgYmBQMGkAIBAAEBBAAABQJOAAAAGQULCj0FDmcFDAaCBQMgAgEAAQEAJwRuYW1lAQwCAARkZWVw",
    "AQNydW4HEgEAD19fc3RhY2tfcG9pbnRlcg==",
  ],
};

function decodeBase64(lines: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.join(""), "base64"));
}

const ofRewriting: Readonly<Record<string, Partial<MeterOptions>>> = {
  fuel: {},
  deadline: { mode: "deadline" },
  strict: { profile: "strict" },
  "shared counters": { sharesCounters: true },
};

/** Offsets in the stack of what this throws, as V8 prints them. */
function trapOffsets(call: () => unknown): number[] {
  try {
    call();
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? "") : "";
    return [...stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map(([, hex = ""]) =>
      Number.parseInt(hex, 16),
    );
  }
  return [];
}

function start(original: Uint8Array, options: MeterOptions) {
  const { bytes, injected } = meterModule(original, options);
  const counter = () => new v8.Global({ value: "i32", mutable: true }, 60_000);
  const counters = { fuel: counter(), stack: counter(), pages: counter(), elements: counter() };
  const { exports } = new v8.Instance(new v8.Module(bytes), { [counterModule]: counters });
  exports[injected.swapFuel](1_000_000);
  return exports;
}

for (const [version, lines] of Object.entries(compiled)) {
  for (const [ways, more] of Object.entries(ofRewriting)) {
    const options: MeterOptions = { ...meterOptions, ...more };
    test(`a trap's stack becomes functions, original offsets and lines (${version}, ${ways})`, () => {
      const original = decodeBase64(lines);
      const plain = new v8.Instance(new v8.Module(original)).exports;
      const expected = trapOffsets(() => plain.run(5));
      assert.equal(expected.length, 2);
      const map = mapOffsets(original, options);
      const places = trapOffsets(() => start(original, options).run(5)).map((offset) =>
        map.toOriginal(offset),
      );
      assert.deepEqual(
        places.map((place) => place?.offset),
        expected,
      );
      assert.deepEqual(
        places.map(
          (place) =>
            `${place?.name} ${place?.line?.file.split("/").at(-1)}:${place?.line?.line}:${place?.line?.column}`,
        ),
        ["deep t.c:5:5", "run t.c:10:14"],
      );
    });
  }
}

test("every kind of rewriting maps back: split loops, helpers, functions left alone", async () => {
  const original = await assemble(`(module (memory 1)
    (func $leaf (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
    (func (export "leaf") (drop (call $leaf (i32.const 0))))
    (func (export "split") (param i32) (loop $l
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (drop (i32.div_u (i32.const 1) (local.get 0))) (br $l)))
    (func (export "after") (param i32)
      (memory.fill (i32.const 0) (i32.const 0) (local.get 0)) (drop (i32.load (i32.const -1)))))`);
  const plain = new v8.Instance(new v8.Module(original)).exports;
  const metered = start(original, meterOptions);
  const map = mapOffsets(original, meterOptions);
  for (const name of ["leaf", "split", "after"]) {
    const expected = trapOffsets(() => plain[name](3));
    const found = trapOffsets(() => metered[name](3)).map((offset) => map.toOriginal(offset)?.offset);
    assert.ok(expected.length > 0);
    assert.deepEqual(found, expected, name);
  }
  assert.equal(map.toOriginal(0), undefined);
  assert.equal(map.toOriginal(10 ** 9), undefined);
});

test("a malformed line table costs the lines, not the map", () => {
  const original = decodeBase64(compiled["DWARF 5"]);
  const table = Buffer.from(original).lastIndexOf(".debug_line");
  for (let offset = table + 11; offset < table + 150; offset++) {
    const broken = original.slice();
    broken[offset] = (broken[offset] ?? 0) ^ 0xff;
    const map = mapOffsets(broken, meterOptions);
    assert.equal(map.toOriginal(10 ** 9), undefined);
  }
});
