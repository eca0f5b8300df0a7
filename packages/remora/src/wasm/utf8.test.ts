import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeModule } from "./decode.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

test("texts of any length are what TextDecoder makes of them, whatever stands where a piece ends", () => {
  for (const odd of ["", "é", "€", "𝄞", "\0", "𝄞𝄞"]) {
    for (const length of [0, 1, 1_020, 1_021, 1_022, 1_023, 1_024, 1_025, 2_046, 2_047, 5_000]) {
      const text = `${"a".repeat(length)}${odd}b`;
      const bytes = new TextEncoder().encode(text);
      assert.equal(decodeUtf8(bytes, 0, bytes.length), text);
      assert.deepEqual(encodeUtf8(text), bytes);
    }
  }
});

test("what is not well-formed is no text, also behind a long one that is", () => {
  const rows = [
    [0x80],
    [0xc0, 0x80],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
  ];
  for (const row of rows) {
    const bytes = Uint8Array.from([...new Uint8Array(2_000).fill(97), ...row]);
    assert.equal(decodeUtf8(bytes, 0, bytes.length), undefined);
  }
});

test("a name that V8 would find by its length alone is too long", () => {
  const moduleWith = (length: number) => {
    const size = [(length & 0x7f) | 0x80, length >> 7];
    const entry = [1, ...size, ...new Uint8Array(length).fill(97), 3, 0];
    const section = [(entry.length & 0x7f) | 0x80, entry.length >> 7];
    const global = [0x06, 0x06, 0x01, 0x7f, 0x00, 0x41, 0x00, 0x0b];
    return Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, ...global, 0x07, ...section, ...entry]);
  };
  assert.ok(decodeModule(moduleWith(8_000)));
  assert.throws(() => decodeModule(moduleWith(8_001)), { code: "wasm/limit" });
});
