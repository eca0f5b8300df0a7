import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

type Signed = "s32" | "s33" | "s64";

/** Around every power of two that fits, where the number of bytes and the sign change. */
function boundaries(bits: number): bigint[] {
  const powers = Array.from({ length: bits - 1 }, (_, power) => 1n << BigInt(power));
  const around = powers.flatMap((power) => [power - 1n, power, -power, -power - 1n]);
  const min = -(1n << BigInt(bits - 1));
  return [...around, min, -min - 1n].filter((value) => value >= min);
}

function expectMalformed(read: Signed, bytes: number[]): void {
  assert.throws(() => new ByteReader(Uint8Array.from(bytes))[read](), { code: "wasm/malformed-number" });
}

for (const [read, bits] of [
  ["s32", 32],
  ["s33", 33],
  ["s64", 64],
] as const) {
  test(`${read} reads what was written, at every boundary`, () => {
    for (const value of boundaries(bits)) {
      const reader = new ByteReader(new ByteWriter().s64(value).finish());
      assert.equal(BigInt(reader[read]()), value);
      assert.ok(reader.isAtEnd);
    }
  });

  test(`${read} takes longer forms of a number, up to ${Math.ceil(bits / 7)} bytes`, () => {
    const more = Math.ceil(bits / 7) - 2;
    const long = (first: number, fill: number) => [first, ...Array<number>(more).fill(fill | 0x80), fill];
    assert.equal(Number(new ByteReader(Uint8Array.from(long(0x85, 0)))[read]()), 5);
    assert.equal(Number(new ByteReader(Uint8Array.from(long(0xfb, 0x7f)))[read]()), -5);
    expectMalformed(read, [...long(0x85, 0).slice(0, -1), 0x80, 0]);
  });

  test(`${read} refuses bits above the value that do not repeat its sign`, () => {
    const head = Array<number>(Math.ceil(bits / 7) - 1).fill(0x80);
    const used = bits - 7 * head.length;
    expectMalformed(read, [...head, 1 << used]);
    expectMalformed(read, [...head, 0x7f ^ (1 << (used - 1))]);
  });
}
