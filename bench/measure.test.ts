import assert from "node:assert/strict";
import { test } from "node:test";
import { rounded } from "./measure.ts";

test("figures are printed to the hundredth, or to as many digits as are asked for", () => {
  assert.deepEqual(
    [rounded(1.23456), rounded(1.23456, 1), rounded(-2.5), rounded(1e-9)],
    [1.23, 1.2, -2.5, 0],
  );
});
