import assert from "node:assert/strict";
import { test } from "node:test";
import { Breaker, type BreakerOptions } from "./breaker.ts";

const options: BreakerOptions = { failuresMax: 3, windowMs: 1_000, failureShareMin: 0.5, trialCalls: 2 };

/** Failures as [calls so far, time]; gives back which of them opened it. */
function fail(
  breaker: Breaker,
  ...failures: readonly (readonly [calls: number, nowMs: number])[]
): boolean[] {
  return failures.map(([calls, nowMs]) => breaker.failed(calls, nowMs));
}

test("so many failures within the window open it, and the last of them says so", () => {
  const breaker = new Breaker(options);
  assert.deepEqual(fail(breaker, [1, 0], [2, 10], [3, 20]), [false, false, true]);
  assert.equal(breaker.state, "open");
});

test("failures that lie further apart than the window do not add up", () => {
  const breaker = new Breaker(options);
  assert.deepEqual(fail(breaker, [1, 0], [2, 900], [3, 1_901], [4, 2_802]), [false, false, false, false]);
  assert.equal(breaker.state, "closed");
});

test("a plugin that fails now and then among many successes stays closed", () => {
  const breaker = new Breaker(options);
  assert.deepEqual(fail(breaker, [100, 0], [200, 1], [300, 2], [400, 3]), [false, false, false, false]);
  assert.deepEqual(
    fail(breaker, [401, 4], [402, 5]),
    [false, true],
    "two neighbours are half of what counts",
  );
});

test("half open, the first failure opens it again", () => {
  const breaker = new Breaker(options);
  fail(breaker, [1, 0], [2, 0], [3, 0]);
  breaker.halfOpen();
  assert.equal(breaker.failed(4, 5_000), true);
  assert.equal(breaker.state, "open");
});

test("half open, so many successes in a row close it", () => {
  const breaker = new Breaker(options);
  fail(breaker, [1, 0], [2, 0], [3, 0]);
  breaker.halfOpen();
  assert.equal(breaker.succeeded(), false);
  assert.equal(breaker.state, "half-open");
  assert.equal(breaker.succeeded(), true);
  assert.equal(breaker.state, "closed");
  assert.equal(breaker.failed(9, 9_000), false, "and nothing of before is left");
});

test("open, further failures of calls that were still running change nothing", () => {
  const breaker = new Breaker(options);
  fail(breaker, [1, 0], [2, 0], [3, 0]);
  assert.equal(breaker.failed(4, 0), false);
});
