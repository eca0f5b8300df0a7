import assert from "node:assert/strict";
import { test } from "node:test";
import { graceMs, Watchdog, type Watched } from "./watchdog.ts";

/** A thread that is as late as `lateMs` says at each look. */
function lateLink(lateMs: () => number) {
  const kills: string[] = [];
  const link: Watched = {
    isOver: false,
    load: 1,
    overdueMs: lateMs,
    kill: (reason) => void kills.push(reason),
  };
  return { link, kills };
}

test("what is late look after look is killed when the grace is over, and not before", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const watchdog = new Watchdog();
  let lateMs = -20;
  const { link, kills } = lateLink(() => lateMs);
  watchdog.watch(link);
  watchdog.wake();
  const look = () => {
    lateMs += 10;
    t.mock.timers.tick(10);
  };
  while (lateMs < graceMs) look();
  assert.deepEqual(kills, []);
  look();
  assert.deepEqual(kills, ["it did not stop at its deadline"]);
  watchdog.close();
});

test("where the process stood still, a guest gets the looks of its grace before it is killed", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const watchdog = new Watchdog();
  let lateMs = 60_000;
  const { link, kills } = lateLink(() => lateMs);
  watchdog.watch(link);
  watchdog.wake();
  t.mock.timers.tick(70);
  assert.deepEqual(kills, [], "its answer may be here, and not read yet");
  lateMs = 0;
  t.mock.timers.tick(10);
  lateMs = 60_000;
  t.mock.timers.tick(70);
  assert.deepEqual(kills, [], "it answered, and is late with something else");
  t.mock.timers.tick(10);
  assert.equal(kills.length, 1);
  watchdog.close();
});
