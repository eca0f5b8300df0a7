import assert from "node:assert/strict";
import { test } from "node:test";
import { Rate } from "./stats.ts";

test("the first look has no rate, the second has that between them", () => {
  const rate = new Rate();
  assert.equal(rate.next(500, 10_000), 0);
  assert.equal(rate.next(500, 10_000), 0);
  assert.equal(rate.next(750, 10_500), 500);
});

test("a steady count has a steady rate, however often somebody looks", () => {
  for (const everyMs of [1, 7, 250, 1_000, 20_000]) {
    const rate = new Rate();
    rate.next(0, 0);
    for (let nowMs = everyMs; nowMs < 60_000; nowMs += everyMs) {
      assert.ok(Math.abs(rate.next(nowMs * 3, nowMs) - 3_000) < 1e-6);
    }
  }
});

test("a change is forgotten after the window", () => {
  const rate = new Rate(1_000);
  rate.next(0, 0);
  assert.equal(rate.next(1_000, 500), 2_000);
  assert.equal(rate.next(1_000, 1_000), 1_000);
  assert.equal(rate.next(1_000, 1_500), 0);
  assert.equal(rate.next(1_000, 9_000), 0);
});

test("a count that begins anew has no rate below zero", () => {
  const rate = new Rate();
  rate.next(8_000_000, 0);
  assert.equal(rate.next(0, 1_000), 0);
  assert.equal(rate.next(500, 2_000), 500);
});
