import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestBudget } from "./request-budget.ts";

test("a budget is spent and fills up again evenly, for each by itself", () => {
  let nowMs = 0;
  const budget = new RequestBudget(60, () => nowMs);
  for (let n = 0; n < 60; n++) assert.equal(budget.spend("a"), true);
  assert.deepEqual([budget.spend("a"), budget.isSpent("a"), budget.spend("b")], [false, true, true]);
  assert.equal(budget.secondsUntil("a"), 1);
  nowMs += 2_000;
  assert.deepEqual([budget.spend("a"), budget.spend("a"), budget.spend("a")], [true, true, false]);
});

test("whoever makes up names does not make it grow, and gets nothing by it", () => {
  let nowMs = 0;
  const budget = new RequestBudget(1, () => nowMs);
  for (let n = 0; n < 50_000; n++) budget.spend(`name-${n}`);
  nowMs += 60_001;
  assert.equal(budget.spend("name-49999"), true);
});
