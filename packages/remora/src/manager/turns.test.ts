import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("each waits for the one before, also for one that fails", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.take(async () => {
    await gate.promise;
    seen.push("first");
    throw new Error("no");
  });
  const second = turns.take(async () => void seen.push("second"));
  const third = turns.take(async () => void seen.push("third"));
  assert.equal(turns.size, 3);
  gate.resolve();
  await assert.rejects(first, { message: "no" });
  await Promise.all([second, third]);
  assert.deepEqual(seen, ["first", "second", "third"]);
  assert.equal(turns.size, 0);
});

test("whoever leaves the line is gone from it at once, and those behind move up", async () => {
  const turns = new Turns();
  const gate = Promise.withResolvers<void>();
  const first = turns.take(() => gate.promise);
  const controller = new AbortController();
  let began = 0;
  const act = async () => void began++;
  const left = Array.from({ length: 10_000 }, () => turns.take(act, { signal: controller.signal }));
  const stayed = turns.take(act);
  controller.abort("enough");
  assert.equal(turns.size, 2);
  for (const each of left) await assert.rejects(each, { code: "component/cancelled", cause: "enough" });
  gate.resolve();
  await first;
  await stayed;
  assert.equal(began, 1);
});

test("a signal that is aborted already never stands in line, and one aborted later leaves what has begun alone", async () => {
  const turns = new Turns();
  await assert.rejects(
    turns.take(async () => 1, { signal: AbortSignal.abort() }),
    { code: "component/cancelled" },
  );
  const controller = new AbortController();
  const gate = Promise.withResolvers<number>();
  const running = turns.take(() => gate.promise, { signal: controller.signal });
  controller.abort();
  gate.resolve(7);
  assert.equal(await running, 7);
});
