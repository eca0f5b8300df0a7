import assert from "node:assert/strict";
import { test } from "node:test";
import { BackOff } from "./back-off.ts";

test("each wait is up to twice the last, up to the bound, and at least half of that", () => {
  const most = new BackOff({ firstMs: 100, maxMs: 1000 }, () => 1);
  assert.deepEqual(
    Array.from({ length: 6 }, () => most.nextMs()),
    [100, 200, 400, 800, 1000, 1000],
  );
  const least = new BackOff({ firstMs: 100, maxMs: 1000 }, () => 0);
  assert.deepEqual(
    Array.from({ length: 6 }, () => least.nextMs()),
    [50, 100, 200, 400, 500, 500],
  );
});

test("a success starts over, and a thousand failures are still finite", () => {
  const backOff = new BackOff({ firstMs: 100, maxMs: 1000 }, () => 1);
  for (let k = 0; k < 1000; k++) assert.ok((backOff.nextMs() ?? Number.NaN) <= 1000);
  assert.equal(backOff.failures, 1000);
  backOff.reset();
  assert.equal(backOff.nextMs(), 100);
});

test("the factor is the operator's, and after the last try there is no other", () => {
  const backOff = new BackOff({ firstMs: 100, maxMs: 10_000, factor: 3, triesMax: 3 }, () => 1);
  assert.deepEqual(
    Array.from({ length: 4 }, () => backOff.nextMs()),
    [100, 300, 900, undefined],
  );
  backOff.reset();
  assert.equal(backOff.nextMs(), 100);
});

test("factor and the number of failures are options", () => {
  const backOff = new BackOff({ firstMs: 10, maxMs: 1000, factor: 10, triesMax: 2 }, () => 1);
  assert.deepEqual([backOff.nextMs(), backOff.nextMs(), backOff.nextMs()], [10, 100, undefined]);
  assert.equal(new BackOff({ firstMs: 1, maxMs: 1, triesMax: 0 }, () => 1).nextMs(), undefined);
});
