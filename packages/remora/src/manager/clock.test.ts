import assert from "node:assert/strict";
import { test } from "node:test";
import { timerMsMax } from "../base/index.ts";
import { systemClock } from "./clock.ts";

test("a wait may be longer than the longest timer there is, and can be left at any time of it", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let calls = 0;
  const later = () => void calls++;
  systemClock.after(2 * timerMsMax + 5, later);
  const leave = systemClock.after(2 * timerMsMax + 5, later);
  for (const ms of [timerMsMax, timerMsMax, 4]) t.mock.timers.tick(ms);
  assert.equal(calls, 0);
  leave();
  t.mock.timers.tick(1);
  assert.equal(calls, 1);
});
