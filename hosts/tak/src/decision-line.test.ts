import assert from "node:assert/strict";
import { test } from "node:test";
import { crowdedAt, DecisionLine, waitingMax } from "./decision-line.ts";
import { messageOf } from "./filters/harness.test.ts";

test("what waits is decided in its order, what comes in one turn together, and then the line is empty", async () => {
  const batches: string[][] = [];
  const line = new DecisionLine<number>(async (batch) => {
    batches.push(batch.map(({ message, origin }) => `${message.uid} from ${origin}`));
    if (batches.length === 1) line.add(messageOf({ uid: "c" }), 3);
  });
  assert.ok(line.isEmpty);
  line.add(messageOf({ uid: "a" }), 1);
  line.add(messageOf({ uid: "b" }), 2);
  assert.ok(!line.isEmpty);
  await line.ended();
  assert.deepEqual(batches, [["a from 1", "b from 2"], ["c from 3"]]);
  assert.ok(line.isEmpty);
});

test("whoever adds to a crowded line is told when there is room again", async () => {
  let decided = 0;
  const line = new DecisionLine<undefined>(async (batch) => {
    decided += batch.length;
  });
  const message = messageOf();
  for (let count = 1; count < crowdedAt; count++) assert.equal(line.add(message, undefined), undefined);
  await line.add(message, undefined);
  assert.ok(decided >= crowdedAt / 2, `after ${decided} of them`);
  await line.ended();
});

test("a line in which too many wait loses those that come then, and counts them", async () => {
  let decided = 0;
  const line = new DecisionLine<undefined>(async (batch) => {
    decided += batch.length;
  });
  const message = messageOf();
  for (let count = 0; count < waitingMax + 5; count++) void line.add(message, undefined);
  assert.equal(line.lostCount, 5);
  await line.ended();
  assert.equal(decided, waitingMax);
});
