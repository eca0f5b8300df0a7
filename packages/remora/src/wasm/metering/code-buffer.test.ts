import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "../byte-reader.ts";
import { CodeBuffer } from "./code-buffer.ts";
import { writeTakeTurns, writeTurnsLeft } from "./turns.ts";

test("numbers of every length are what a reader makes of them", () => {
  const out = new CodeBuffer(0);
  const unsigned = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  const signed = [0, 1, -1, 63, 64, -64, -65, 8_191, 8_192, -8_192, -8_193, 2 ** 31 - 1, -(2 ** 31)];
  for (const value of unsigned) out.u32(value);
  for (const value of signed) out.constant(value);
  const reader = new ByteReader(out.finish());
  for (const value of unsigned) assert.equal(reader.u32(), value);
  for (const value of signed) assert.deepEqual([reader.byte(), reader.s32()], [0x41, value]);
  assert.ok(reader.isAtEnd);
});

test("pieces of any length are copied, and what was written before them stays", () => {
  const source = Uint8Array.from({ length: 5_000 }, (_, at) => at % 251);
  const out = new CodeBuffer(0);
  const expected: number[] = [];
  for (const length of [0, 1, 127, 128, 129, 700, 5_000]) {
    out.byte(0xff);
    out.copy(source, 0, length);
    expected.push(0xff, ...source.subarray(0, length));
  }
  assert.deepEqual([...out.finish()], expected);
});

test("the longest snippet fits into the room that is left for one", () => {
  const largest = 2 ** 32 - 1;
  const loop = {
    counter: largest,
    shift: 16,
    isUp: false,
    bound: { local: largest },
    boundAt: { start: 0, end: 0 },
    end: 0,
  };
  const out = new CodeBuffer(0);
  const start = out.beginSized();
  out.reserve();
  writeTakeTurns(out, { loop, fuel: 2 ** 30, counter: largest, turns: largest, bound: largest });
  writeTurnsLeft(out, loop);
  out.endSized(start);
});

test("what is written beyond the room does not go unnoticed", () => {
  const out = new CodeBuffer(0);
  const start = out.beginSized();
  for (let count = 0; count < 1_000; count++) out.byte(0);
  assert.throws(() => out.endSized(start), /a snippet fits/);
});
