import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textCodec } from "./text.ts";

const encoder = new TextEncoder();

function roundTrip(text: string): { written: Uint8Array; back: string | undefined } {
  const memory = new Uint8Array(3 * text.length + 16).fill(0xaa);
  const length = textCodec.encodeUtf8(text, memory, 5);
  assert.equal(memory[5 + length] ?? 0xaa, 0xaa, "nothing behind the string is written");
  return { written: memory.slice(5, 5 + length), back: textCodec.decodeUtf8(memory, 5, length) };
}

test("any string is written as TextEncoder writes it, and its length is known before", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 120 }), (text) => {
      const { written, back } = roundTrip(text);
      assert.deepEqual(written, encoder.encode(text));
      assert.equal(textCodec.utf8Length(text), written.length);
      assert.equal(back, text.toWellFormed());
    }),
  );
});

test("a lone surrogate becomes U+FFFD in short and long strings", () => {
  for (const text of ["\ud800", "a\udfff", `${"x".repeat(60)}\ud800`]) {
    assert.equal(roundTrip(text).back, text.toWellFormed());
    assert.equal(textCodec.utf8Length(text), encoder.encode(text).length);
  }
});

test("bytes are decoded exactly when TextDecoder in fatal mode decodes them", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const expected = (bytes: Uint8Array) => {
    try {
      return strict.decode(bytes);
    } catch {
      return undefined;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.equal(textCodec.decodeUtf8(bytes, 0, bytes.length), expected(bytes));
    }),
  );
  for (const hex of ["c080", "eda080", "f4908080", "efbfbd", "efbbbf41", "f0908080", "e282"]) {
    const bytes = Buffer.from(hex, "hex");
    assert.equal(textCodec.decodeUtf8(bytes, 0, bytes.length), expected(bytes), hex);
  }
});

test("UTF-16 and Latin-1 are taken from the given place", () => {
  const text = "añ€\u{1f600}";
  const utf16 = Buffer.concat([Buffer.from([1, 2]), Buffer.from(text, "utf16le")]);
  assert.equal(textCodec.decodeUtf16(utf16, 2, text.length), text);
  assert.equal(textCodec.decodeLatin1(Buffer.from([0, 0x61, 0xe9, 0xff]), 1, 3), "aéÿ");
  assert.equal(textCodec.decodeUtf16(utf16, 2, 0), "");
});
