import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatencyHistogram } from "./latency.ts";

test("a percentile is the recorded value or at most an eighth above it", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 1 }), (values) => {
      const histogram = new LatencyHistogram();
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      for (const share of [0.5, 0.99, 1]) {
        const exact = sorted[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0;
        const found = histogram.percentile(share);
        assert.ok(found >= exact && found <= exact * 1.125 + 1, `${found} for ${exact}`);
      }
    }),
  );
});

test("nothing recorded gives 0, and a clock that goes back counts as no time", () => {
  const histogram = new LatencyHistogram();
  assert.equal(histogram.percentile(0.5), 0);
  histogram.record(-5);
  histogram.record(Number.NaN);
  assert.equal(histogram.percentile(1), 0);
  assert.equal(histogram.total, 2);
});

test("a duration beyond the last bucket is counted in it", () => {
  const histogram = new LatencyHistogram();
  histogram.record(1e300);
  assert.equal(histogram.total, 1);
  assert.ok(histogram.percentile(0.5) > 1e14);
});
