import assert from "node:assert/strict";
import { test } from "node:test";
import { showBytes, showCount, showNanoseconds } from "./quantity.ts";

test("durations keep two or three digits, whatever their size", () => {
  const table = [
    [0, "0 ns"],
    [999, "999 ns"],
    [1_000, "1.0 µs"],
    [9_940, "9.9 µs"],
    [12_345, "12 µs"],
    [3_400_000, "3.4 ms"],
    [2_000_000_000, "2.0 s"],
    [Number.NaN, "–"],
  ] as const;
  for (const [ns, text] of table) assert.equal(showNanoseconds(ns), text);
});

test("counts are grouped, sizes are in units of 1000", () => {
  assert.equal(showCount(1_234_567.4), "1,234,567");
  assert.deepEqual([640, 1_000, 12_345, 1_400_000].map(showBytes), ["640 B", "1.0 kB", "12 kB", "1.4 MB"]);
});
