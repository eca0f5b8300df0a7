import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BusEvent, type BusLimits, EventBus, type SubscribeOptions } from "./event-bus.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = ({ payload }: BusEvent) => new TextDecoder().decode(payload);

/** A bus whose deliveries wait until `turn`. */
function busWith(limits: Partial<BusLimits> = {}) {
  const waiting: (() => void)[] = [];
  const bus = new EventBus({ limits, schedule: (drain) => void waiting.push(drain) });
  /** Until nothing waits any more, or so many turns were taken. */
  const turn = async (turnsMax = 1_000) => {
    for (let n = 0; n < turnsMax && waiting.length > 0; n++) {
      waiting.shift()?.();
      await Promise.resolve();
    }
  };
  const listen = (pattern: string, options: Partial<SubscribeOptions> = {}) => {
    const heard: string[] = [];
    const subscription = bus.subscribe({
      subscriber: "listener",
      pattern,
      deliver: (event) => void heard.push(textOf(event)),
      ...options,
    });
    return { heard, subscription };
  };
  const say = (topic: string, text: string, hops?: number) =>
    bus.publish("speaker", topic, bytes(text), hops).kind;
  return { bus, turn, listen, say, waiting };
}

test("a subscriber hears what its pattern covers, in order, and nothing else", async () => {
  const { turn, listen, say } = busWith();
  const alerts = listen("tak/alerts/*");
  const all = listen("*");
  for (const [topic, text] of [
    ["tak/alerts/fire", "a"],
    ["tak/state", "b"],
    ["tak/alerts/", "c"],
    ["tak/alerts", "d"],
  ] as const) {
    assert.equal(say(topic, text), "published");
  }
  await turn();
  assert.deepEqual(alerts.heard, ["a", "c"]);
  assert.deepEqual(all.heard, ["a", "b", "c", "d"]);
});

test("nothing is delivered while it is published, and what a publisher changes afterwards is not heard", async () => {
  const { bus, turn, listen } = busWith();
  const { heard } = listen("a");
  const payload = bytes("before");
  bus.publish("speaker", "a", payload);
  assert.deepEqual(heard, []);
  payload.set(bytes("after!"));
  await turn();
  assert.deepEqual(heard, ["before"]);
});

test("a full queue does what its subscription said", async () => {
  const table = [
    ["drop-oldest", ["2", "3"], 1, "published"],
    ["drop-newest", ["1", "2"], 1, "published"],
    ["reject", ["1", "2"], 0, "full"],
  ] as const;
  for (const [whenFull, expected, dropped, outcome] of table) {
    const { turn, listen, say } = busWith({ queuedEventsMax: 2 });
    const { heard, subscription } = listen("a", { whenFull });
    say("a", "1");
    say("a", "2");
    assert.equal(say("a", "3"), outcome, whenFull);
    await turn();
    assert.deepEqual(heard, expected, whenFull);
    assert.equal(subscription.counts.dropped, dropped);
  }
});

test("an event that one subscriber rejects reaches nobody, so that trying again tells nobody twice", async () => {
  const { turn, listen, say } = busWith({ queuedEventsMax: 1 });
  const strict = listen("a", { whenFull: "reject" });
  const loose = listen("*");
  say("a", "1");
  assert.equal(say("a", "2"), "full");
  await turn();
  assert.equal(say("a", "2"), "published");
  await turn();
  assert.deepEqual(
    [strict.heard, loose.heard],
    [
      ["1", "2"],
      ["1", "2"],
    ],
  );
});

test("whatever is published, no queue holds more events or bytes than its bounds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(60)),
      fc.constantFrom("drop-oldest", "drop-newest", "reject"),
      (sizes, whenFull) => {
        const { bus, listen } = busWith({ queuedEventsMax: 5, queuedBytesMax: 100, payloadBytesMax: 50 });
        const { subscription } = listen("a", { whenFull });
        for (const size of sizes) {
          const { kind } = bus.publish("speaker", "a", new Uint8Array(size));
          assert.equal(kind === "too-large", size > 50);
          assert.ok(subscription.counts.queued <= 5);
        }
      },
    ),
  );
});

test("a subscriber that fails has had the event, and gets the next one", async () => {
  const { turn, listen, say } = busWith();
  const { subscription } = listen("a", {
    deliver: () => {
      throw new Error("trap");
    },
  });
  const other = listen("a");
  say("a", "1");
  say("a", "2");
  await turn();
  assert.deepEqual(subscription.counts, { delivered: 0, dropped: 0, failed: 2, queued: 0 });
  assert.deepEqual(other.heard, ["1", "2"]);
});

test("a slow subscriber gets one at a time and holds up nobody else", async () => {
  const { turn, listen, say } = busWith();
  const release = Promise.withResolvers<void>();
  let running = 0;
  const slow = listen("a", {
    deliver: async () => {
      assert.equal(++running, 1);
      await release.promise;
      running--;
    },
  });
  const fast = listen("a");
  for (const text of ["1", "2", "3"]) say("a", text);
  await turn();
  assert.deepEqual(fast.heard, ["1", "2", "3"]);
  assert.equal(slow.subscription.counts.queued, 2);
  release.resolve();
  await new Promise(setImmediate);
  await turn();
  assert.equal(slow.subscription.counts.delivered, 3);
});

test("while a subscription is paused its events wait, and then come in order", async () => {
  const { turn, listen, say } = busWith();
  const { heard, subscription } = listen("a");
  subscription.pause();
  say("a", "1");
  say("a", "2");
  await turn();
  assert.deepEqual(heard, []);
  subscription.resume();
  await turn();
  assert.deepEqual(heard, ["1", "2"]);
});

test("a closed subscription hears nothing more, not even what waits", async () => {
  const { bus, turn, listen, say } = busWith();
  const { heard, subscription } = listen("a");
  say("a", "1");
  subscription.close();
  say("a", "2");
  await turn();
  assert.deepEqual(heard, []);
  assert.deepEqual(bus.subscriptions, []);
});

test("what is no topic, no pattern, too large or talks in a circle is refused", () => {
  const { bus, say } = busWith({ payloadBytesMax: 3, hopsMax: 2, subscriptionsMax: 1 });
  for (const topic of ["", "a*", "a\nb", "x".repeat(257)]) assert.equal(say(topic, "1"), "bad-topic");
  assert.equal(say("a", "1234"), "too-large");
  assert.equal(say("a", "1", 3), "loop");
  const subscribe = (pattern: string) => bus.subscribe({ subscriber: "one", pattern, deliver: () => {} });
  for (const pattern of ["", "a\u0000", "*".repeat(9)]) assert.throws(() => subscribe(pattern), RangeError);
  subscribe("a");
  assert.throws(() => subscribe("b"), RangeError);
});

test("a plugin that makes up topics does not make the bus remember them", () => {
  const { bus, listen } = busWith({ queuedEventsMax: 1 });
  listen("*");
  for (let n = 0; n < 5_000; n++) bus.publish("speaker", `topic/${n}`, new Uint8Array(0));
  // Each topic was new: what is remembered is bounded by construction, and the newest still finds its way.
  assert.equal(bus.published, 5_000);
  assert.deepEqual(bus.publish("speaker", "topic/9999", new Uint8Array(0)), {
    kind: "published",
    subscribers: 1,
  });
});
