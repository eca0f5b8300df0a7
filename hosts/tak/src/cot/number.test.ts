import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDecimal, parseDecimal } from "./number.ts";

const parse = (text: string) => parseDecimal(Buffer.from(text), 0, Buffer.byteLength(text));

test("every double is read back exactly from how it is written, which never has an exponent", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatDecimal(value);
      assert.match(text, /^-?\d+(\.\d+)?$/);
      // -0 is written "0", as in JSON.
      assert.equal(parse(text), value === 0 ? 0 : value);
    }),
  );
});

test("decimal text is rounded as Number rounds it", () => {
  const digits = fc.stringMatching(/^[-+]?\d{0,20}\.?\d{1,20}([eE][-+]?\d{1,3})?$/);
  fc.assert(
    fc.property(digits, (text) => {
      const expected = Number(text);
      assert.equal(parse(text), Number.isFinite(expected) ? expected : Number.NaN);
    }),
    { numRuns: 500 },
  );
});

test("text that is no decimal number gives NaN", () => {
  for (const text of ["", " 1", "1 ", "-", ".", "1.2.3", "0x10", "1e", "NaN", "INF", "1_0", "1e99999", "٣"]) {
    assert.equal(parse(text), Number.NaN, text);
  }
  assert.equal(parse("9".repeat(10_000)), Number.NaN);
});
