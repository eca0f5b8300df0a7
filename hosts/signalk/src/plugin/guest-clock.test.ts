import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aheadMsMax, rarelyRead } from "./guest-clock.ts";

const step = fc.record({ ms: fc.double({ min: 0, max: 3, noNaN: true }), isOurs: fc.boolean() });

test("a clock that is read rarely never goes back, and is ahead of the exact one by a bounded time", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let passedMs = 5;
      let ownMs = 0;
      const clock = rarelyRead(
        () => ownMs,
        () => passedMs,
      );
      let before = clock();
      for (const { ms, isOurs } of steps) {
        passedMs += ms;
        // The thread runs, or another one has the processor.
        if (isOurs) ownMs += ms;
        const told = clock();
        assert.ok(told >= before);
        assert.ok(told >= ownMs - 1e-9 && told <= ownMs + aheadMsMax + 1e-9, `${told} for ${ownMs}`);
        before = told;
      }
    }),
  );
});

test("the exact clock is read once in the time that it may be behind", () => {
  let reads = 0;
  let passedMs = 0;
  const clock = rarelyRead(
    () => ++reads,
    () => passedMs,
  );
  for (let look = 0; look < 1_000; look++) {
    clock();
    passedMs += aheadMsMax / 100;
  }
  assert.ok(reads <= 11, `${reads} times`);
});

test("a look for which the time was read already reads it no more", () => {
  const clock = rarelyRead(
    () => 7,
    () => assert.fail("read again"),
  );
  assert.equal(clock(100), 7);
  assert.equal(clock(100.5), 7.5);
});
