import assert from "node:assert/strict";
import { test } from "node:test";
import { Change } from "../net/change.ts";
import { blockedWaiting, noWaiting, suspendedWaiting } from "./waiting.ts";

const alive = new AbortController().signal;

test("a wait ends with a change, with its time, or for ever with its guest, and leaves nothing behind", async () => {
  const [one, two] = [new Change(), new Change()];
  const waited = suspendedWaiting.wait([one, two], 100_000, alive);
  assert.deepEqual([one.watcherCount, two.watcherCount], [1, 1]);
  two.signal();
  await waited;
  assert.deepEqual([one.watcherCount, two.watcherCount], [0, 0]);
  // What a guest can do a million times: wait a little for what never changes.
  for (let index = 0; index < 100; index++) await suspendedWaiting.wait([one, one], 0, alive);
  assert.equal(one.watcherCount, 0);
  const ended = new AbortController();
  const waits = [suspendedWaiting.wait([one], 0, ended.signal)];
  ended.abort();
  waits.push(suspendedWaiting.wait([one], 0, ended.signal));
  assert.equal(one.watcherCount, 0);
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((name) => name === "Timeout"),
    [],
  );
  const told = Promise.race(waits).then(() => "told");
  const turn = new Promise((resolve) => setImmediate(resolve, "quiet"));
  assert.equal(await Promise.race([told, turn]), "quiet", "a guest that is gone is told nothing");
});

test("a wait is never shorter than it should be, although timers are", async (context) => {
  const later = globalThis.setTimeout;
  context.mock.method(globalThis, "setTimeout", (act: () => void, ms: number) => later(act, ms / 2));
  const beganMs = performance.now();
  await suspendedWaiting.wait([], 20, alive);
  assert.ok(performance.now() - beganMs >= 20);
});

test("a thread of its own blocks for a time, and for nothing that its own loop would have to tell", () => {
  const beganMs = performance.now();
  assert.equal(blockedWaiting.wait([], 5, alive), undefined);
  assert.ok(performance.now() - beganMs >= 5);
  assert.equal(blockedWaiting.wait([new Change()], 5, alive), "refused");
  assert.equal(noWaiting.wait([], 0, alive), "refused");
});

test("whoever waits for a change is told once, also of one that comes while others are told", () => {
  const change = new Change();
  const told: string[] = [];
  change.watch(() => {
    told.push("first");
    change.watch(() => told.push("again"));
  });
  const stop = change.watch(() => told.push("stopped"));
  stop();
  change.signal();
  assert.deepEqual(told, ["first"]);
  change.signal();
  assert.deepEqual(told, ["first", "again"]);
});
