import assert from "node:assert/strict";
import { test } from "node:test";
import { backOffMs } from "./back-off.ts";

const options = { firstMs: 100, maxMs: 1_000 };

test("each wait is twice the one before, up to the bound, however many there were", () => {
  const waits = [0, 1, 2, 3, 4, 1_000_000].map((attempt) => backOffMs(attempt, options, 1));
  assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
});

test("chance shortens a wait by up to a half", () => {
  assert.equal(backOffMs(1, options, 0), 100);
  assert.equal(backOffMs(1, options, 0.5), 150);
});
