import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Aggregator } from "./aggregate.ts";
import { messageOf } from "./filters/harness.test.ts";

function aggregatorAt(options: { uidsMax?: number; enabled?: boolean } = {}) {
  const clock = { nowMs: 0 };
  const all = { enabled: true, uidsMax: 1_000, windowMs: 60_000, ...options };
  return { clock, aggregator: new Aggregator(all, () => clock.nowMs) };
}

test("the same uid and time is a duplicate, whatever form it came in", () => {
  const { aggregator } = aggregatorAt();
  assert.equal(aggregator.isNew(messageOf()), true);
  assert.equal(aggregator.isNew(messageOf({ format: "protobuf" })), false);
  assert.equal(aggregator.seen, 2);
  assert.equal(aggregator.duplicates, 1);
});

test("a later position of the same unit is never dropped", () => {
  const { aggregator } = aggregatorAt();
  for (let timeMs = 0; timeMs < 5_000; timeMs++) assert.equal(aggregator.isNew(messageOf({ timeMs })), true);
});

test("the last sixteen times of a unit are recognised in any order", () => {
  const { aggregator } = aggregatorAt();
  for (let timeMs = 0; timeMs < 100; timeMs++) aggregator.isNew(messageOf({ timeMs }));
  for (let timeMs = 84; timeMs < 100; timeMs++) assert.equal(aggregator.isNew(messageOf({ timeMs })), false);
});

test("two units may report at the same time", () => {
  const { aggregator } = aggregatorAt();
  for (const uid of ["a", "b", "__proto__", ""]) assert.equal(aggregator.isNew(messageOf({ uid })), true);
  for (const uid of ["a", "b", "__proto__", ""]) assert.equal(aggregator.isNew(messageOf({ uid })), false);
});

test("an event without a time is never a duplicate", () => {
  const { aggregator } = aggregatorAt();
  for (let n = 0; n < 3; n++) assert.equal(aggregator.isNew(messageOf({ timeMs: Number.NaN })), true);
});

test("an event is remembered for exactly the window, however often its unit is heard", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 30 }), (pauses) => {
      const { clock, aggregator } = aggregatorAt();
      const passedAtMs = new Map<string, number>();
      for (const pause of pauses) {
        clock.nowMs += pause;
        const [uid, timeMs] = [String(pause % 2), pause % 3];
        const beforeMs = passedAtMs.get(`${uid} ${timeMs}`);
        const isNew = aggregator.isNew(messageOf({ uid, timeMs }));
        assert.equal(isNew, beforeMs === undefined || clock.nowMs - beforeMs >= 60_000);
        if (isNew) passedAtMs.set(`${uid} ${timeMs}`, clock.nowMs);
      }
    }),
    { numRuns: 500 },
  );
});

test("uids stay below their bound, and the youngest are kept", () => {
  const { aggregator } = aggregatorAt({ uidsMax: 400 });
  for (let n = 0; n < 10_000; n++) {
    aggregator.isNew(messageOf({ uid: String(n) }));
    assert.ok(aggregator.uids <= 400);
  }
  for (let n = 9_700; n < 10_000; n++) assert.equal(aggregator.isNew(messageOf({ uid: String(n) })), false);
});

test("senders of enormous uids do not make the memory grow", () => {
  const { aggregator } = aggregatorAt({ uidsMax: 100_000 });
  const uid = "x".repeat(1_000_000);
  for (let n = 0; n < 200; n++) aggregator.isNew(messageOf({ uid: `${uid}${n}` }));
  assert.ok(aggregator.uids <= 40, String(aggregator.uids));
});

test("units that are gone are forgotten", () => {
  const { clock, aggregator } = aggregatorAt();
  for (let n = 0; n < 100; n++) aggregator.isNew(messageOf({ uid: String(n) }));
  for (let n = 0; n < 4; n++) {
    clock.nowMs += 20_000;
    aggregator.isNew(messageOf({ uid: "still here", timeMs: n }));
  }
  assert.ok(aggregator.uids <= 4);
});

test("switched off, it lets everything pass and remembers nothing", () => {
  const { aggregator } = aggregatorAt({ enabled: false });
  assert.equal(aggregator.isNew(messageOf()), true);
  assert.equal(aggregator.isNew(messageOf()), true);
  assert.equal(aggregator.uids, 0);
});
