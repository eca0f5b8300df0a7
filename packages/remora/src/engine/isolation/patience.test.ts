import assert from "node:assert/strict";
import { test } from "node:test";
import { Patience } from "./patience.ts";

/** How many waits go by without a look. */
function skipped(patience: Patience): number {
  let count = 0;
  while (!patience.isWorthwhile) count++;
  return count;
}

test("looks in vain become rarer up to a bound, and one that finds something brings them back", () => {
  const patience = new Patience();
  const skips: number[] = [];
  for (let look = 0; look < 9; look++) {
    skips.push(skipped(patience));
    patience.learn(false);
  }
  assert.deepEqual(skips, [0, 1, 3, 7, 15, 31, 63, 64, 64]);
  patience.learn(true);
  assert.equal(skipped(patience), 0);
});
