import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DecimalText } from "./decimal-text.ts";

const decimal = new DecimalText();

function written(value: number, guess: number): string | undefined {
  if (!decimal.read(value, guess)) return undefined;
  const units = new Uint16Array(decimal.length + 2).fill(0x23);
  const bytes = new Uint8Array(units);
  decimal.write(units, bytes, 1);
  const text = String.fromCharCode(...units);
  assert.match(text, /^#[^#]+#$/);
  assert.deepEqual(bytes, Uint8Array.from(units));
  return text.slice(1, -1);
}

const guesses = fc.integer({ min: 0, max: 9 });

test("a number of instruments is written as the platform writes it, whatever decimals are guessed", () => {
  const said = fc
    .tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: 0, max: 9 }))
    .map(([digits, decimals]) => digits / 10 ** decimals);
  fc.assert(
    fc.property(said, guesses, (value, guess) => {
      const text = written(value, guess);
      if (Math.abs(value) < 1e-6 ? value === 0 : Math.abs(value) < 2 ** 31) assert.equal(text, String(value));
      else assert.equal(text, undefined);
    }),
    { numRuns: 5_000 },
  );
});

test("of any other number the text is right or left to the platform", () => {
  fc.assert(
    fc.property(fc.double(), guesses, (value, guess) => {
      const text = written(value, guess);
      if (text !== undefined) assert.equal(text, String(value));
    }),
    { numRuns: 5_000 },
  );
});

test("the neighbours of short decimals are not taken for them", () => {
  const bits = new Float64Array(1);
  const words = new BigInt64Array(bits.buffer);
  for (const near of [0.1, 0.3, 3.15, 53.012345, 1e-6, 123456.789, 2 ** 31, 999999.999999999]) {
    for (const step of [-2n, -1n, 0n, 1n, 2n]) {
      bits[0] = near;
      words[0] = (words[0] ?? 0n) + step;
      const value = bits[0] ?? 0;
      for (let guess = 0; guess <= 9; guess++) {
        const text = written(value, guess);
        if (text !== undefined) assert.equal(text, String(value));
      }
    }
  }
});

test("what has no such text is refused: no number, no end, an exponent", () => {
  for (const value of [Number.NaN, Infinity, -Infinity, 1e21, 1e-7, 5e-324, 2 ** 53]) {
    assert.equal(written(value, 0), undefined);
  }
  for (const value of [0, -0, 1, -1, 0.5, -0.000_001, 2_147_483_647])
    assert.equal(written(value, 3), String(value));
});

test("decimals that a number had are a guess for the next, also when that one ends with zeros", () => {
  for (const [value, guess, tried] of [
    [53.012345, 0, 6],
    [53.01, 6, 6],
    [53, 6, 6],
    [53.0123456, 6, 7],
    [0.1, 9, 9],
  ] as const) {
    assert.ok(decimal.read(value, guess));
    assert.equal(decimal.tried, tried);
  }
});
