import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "./duration.ts";

test("a duration is a number and a unit", () => {
  const table = [
    ["500ms", 500],
    ["5s", 5_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    [" 1s ", 1_000],
  ] as const;
  for (const [text, durationMs] of table) assert.equal(parseDuration(text), durationMs, text);
});

test("what is no duration above zero is refused", () => {
  for (const text of [
    "",
    "5",
    "s",
    "-5s",
    "0s",
    "0.0ms",
    "5 s",
    "5S",
    "1e3s",
    "5s5s",
    "25d",
    "9999999999h",
    "٥s",
    "1.",
  ]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});
