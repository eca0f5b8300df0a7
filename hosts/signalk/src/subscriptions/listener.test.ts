import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../clock.fixture.ts";
import { Published } from "../delta/published.ts";
import { Listener, subscriptionsMax } from "./listener.ts";
import { compilePattern } from "./pattern.ts";
import { readSubscribe } from "./request.ts";

const selfContext = "vessels.urn:mrn:signalk:uuid:1";

function listening(subscribe: readonly Record<string, unknown>[], context?: string) {
  const clock = new FakeClock();
  const told: string[] = [];
  const listener = new Listener({
    selfContext,
    clock,
    send: (published) => {
      const { context: of, updates } = published instanceof Published ? published.delta : published;
      const values = updates
        .flatMap((update) => update.values ?? [])
        .map(({ path, value }) => `${path}=${value}`);
      told.push(`${of === selfContext ? "" : `${of} `}${values.join(" ")}`);
    },
  });
  const request = readSubscribe({ subscribe, ...(context !== undefined && { context }) });
  assert.ok(request !== undefined);
  assert.ok(listener.subscribe(request));
  const say = (path: string, value: unknown, of = selfContext) =>
    listener.offer(
      new Published(
        { context: of, updates: [{ $source: "a", timestamp: "t", values: [{ path, value }] }] },
        1,
      ),
    );
  const take = () => told.splice(0);
  return { clock, listener, say, take };
}

test("a pattern chooses paths, and nothing else is told", () => {
  const { say, take } = listening([{ path: "navigation.*", policy: "instant" }]);
  say("navigation.speedOverGround", 3);
  say("environment.depth", 4);
  say("navigation", 5);
  assert.deepEqual(take(), ["navigation.speedOverGround=3"]);
});

test("a context chooses vessels; self is the one that the server is on", () => {
  const own = listening([{ path: "*", policy: "instant" }], "vessels.self");
  own.say("a", 1);
  own.say("a", 2, "vessels.other");
  assert.deepEqual(own.take(), ["a=1"]);
  const all = listening([{ path: "*", policy: "instant" }], "vessels.*");
  all.say("a", 1);
  all.say("a", 2, "vessels.other");
  all.say("a", 3, "aircraft.x");
  assert.deepEqual(all.take(), ["a=1", "vessels.other a=2"]);
});

test("instant with a smallest period tells the first at once and the last when the period is over", () => {
  const { clock, say, take } = listening([{ path: "a", policy: "instant", minPeriod: 1_000 }]);
  for (const value of [1, 2, 3]) say("a", value);
  assert.deepEqual(take(), ["a=1"]);
  clock.move(999);
  assert.deepEqual(take(), []);
  clock.move(1);
  assert.deepEqual(take(), ["a=3"]);
  clock.move(5_000);
  assert.deepEqual(take(), [], "nothing is told twice");
});

test("fixed tells the last value once a period, changed or not", () => {
  const { clock, say, take } = listening([{ path: "a", policy: "fixed", period: 500 }]);
  say("a", 1);
  say("a", 2);
  assert.deepEqual(take(), []);
  clock.move(500);
  assert.deepEqual(take(), ["a=2"]);
  clock.move(500);
  assert.deepEqual(take(), ["a=2"]);
});

test("ideal tells a change at once, and the last value again after a silent period", () => {
  const { clock, say, take } = listening([{ path: "a", policy: "ideal", period: 1_000 }]);
  say("a", 1);
  assert.deepEqual(take(), ["a=1"]);
  clock.move(1_000);
  assert.deepEqual(take(), ["a=1"]);
});

test("what was unsubscribed is told no longer, and its timer is gone", () => {
  const { clock, listener, say, take } = listening([
    { path: "a", policy: "fixed", period: 100 },
    { path: "b", policy: "instant" },
  ]);
  listener.unsubscribe("vessels.self", ["a"]);
  say("a", 1);
  say("b", 2);
  clock.move(200);
  assert.deepEqual(take(), ["b=2"]);
  assert.equal(clock.waitingCount, 0);
  listener.unsubscribe("*", ["*"]);
  say("b", 3);
  assert.deepEqual(take(), []);
});

test("a client cannot have more subscriptions than the limit, nor half of a request", () => {
  const { listener } = listening([{ path: "a" }]);
  const many = (count: number) =>
    readSubscribe({ subscribe: Array.from({ length: count }, (_, index) => ({ path: `p${index}` })) });
  const hundred = many(100);
  assert.ok(hundred !== undefined && listener.subscribe(hundred));
  assert.ok(!listener.subscribe(hundred), `more than ${subscriptionsMax}`);
  assert.equal(listener.count, 101);
  assert.equal(many(101), undefined);
});

const notRequests: readonly unknown[] = [
  undefined,
  {},
  { subscribe: {} },
  { subscribe: [{}] },
  { subscribe: [{ path: "a b" }] },
  { subscribe: [{ path: "a", policy: "sometimes" }] },
  { subscribe: [{ path: "a", period: -1 }] },
  { subscribe: [{ path: "a", period: "1" }] },
  { subscribe: [{ path: "a", minPeriod: Number.NaN }] },
  { context: 1, subscribe: [{ path: "a" }] },
  { subscribe: [{ path: "a".repeat(300) }] },
];

for (const data of notRequests) {
  test(`${JSON.stringify(data)?.slice(0, 60)} is no subscription`, () => {
    assert.equal(readSubscribe(data), undefined);
  });
}

test("a flood that a client asks for is a period of 50 ms", () => {
  assert.equal(readSubscribe({ subscribe: [{ path: "a", period: 0 }] })?.paths[0]?.periodMs, 50);
});

test("a pattern that makes others backtrack for years is matched in steps of both lengths", () => {
  const pattern = compilePattern(`${"*a".repeat(100)}b`);
  const startedAt = process.threadCpuUsage();
  for (let index = 0; index < 100; index++) assert.ok(!pattern(`${"a".repeat(240)}${index}`));
  assert.ok(process.threadCpuUsage(startedAt).user < 1_000_000);
});
