import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerDepth } from "./answer-depth.ts";

test("while several events are heard their depth is that of the deepest, in whatever order they end, and then none", () => {
  const depth = new AnswerDepth();
  const [first, second] = [depth.enter(1), depth.enter(3)];
  assert.equal(depth.hops, 3);
  first();
  assert.equal(depth.hops, 3);
  const third = depth.enter(2);
  second();
  assert.equal(depth.hops, 2);
  third();
  assert.equal(depth.hops, 0);
});
