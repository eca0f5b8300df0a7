import assert from "node:assert/strict";
import { test } from "node:test";
import { ComponentError } from "../../component/index.ts";
import type { Grant } from "../../policy/index.ts";
import { auditLog, Gate } from "../../sandbox/index.ts";
import { SharedState } from "../shared-state/shared-state.ts";
import { EventBus } from "./event-bus.ts";
import { type BusSubscriber, busInterface, PluginBus, sharedStateInterface } from "./plugin-bus.ts";

interface Bus {
  publish(topic: string, payload: Uint8Array): void;
}
interface State {
  get(key: string): { value: Uint8Array; version: bigint } | undefined;
  set(key: string, value: Uint8Array, version?: bigint): bigint;
  delete(key: string): void;
}

function house() {
  const waiting: (() => void)[] = [];
  const bus = new EventBus({ schedule: (drain) => void waiting.push(drain) });
  const state = new SharedState({ keysMax: 2, bytesMax: 100 });
  const audit = auditLog();
  const plugin = (name: string, grants: readonly Grant[]) => {
    const gate = new Gate({ plugin: name, rules: { grants }, audit, nowMs: () => 0 });
    const own = new PluginBus({ bus, state, gate });
    // The shapes that worlds/plugin/0.1.0/bus.wit gives them.
    const imports = own.imports as Record<string, unknown>;
    return { own, gate, bus: imports[busInterface] as Bus, state: imports[sharedStateInterface] as State };
  };
  const turn = async (turnsMax = 100) => {
    let turns = 0;
    for (; turns < turnsMax && waiting.length > 0; turns++) {
      waiting.shift()?.();
      await new Promise(setImmediate);
    }
    return turns;
  };
  return { bus, state, audit, plugin, turn };
}

const payload = Uint8Array.of(1);

function expectError(payload: string, call: () => unknown): void {
  assert.throws(call, (error) => error instanceof ComponentError && error.payload === payload);
}

function listener(patterns: readonly string[], onEvent: BusSubscriber["onEvent"]): BusSubscriber {
  return { patterns: () => patterns, onEvent };
}

test("a plugin publishes and hears only the topics that it was granted, and refusals are audited", async () => {
  const { plugin, turn, audit } = house();
  const speaker = plugin("speaker", [{ capability: "bus.publish", topics: ["tak/alerts/*"] }]);
  const heard: string[] = [];
  const hearer = plugin("hearer", [{ capability: "bus.subscribe", topics: ["tak/*"] }]);
  const refused = hearer.own.subscribe(
    listener(
      ["tak/alerts/*", "*", "other/a"],
      ({ topic, publisher }) => void heard.push(`${publisher} ${topic}`),
    ),
  );
  assert.deepEqual(refused, [{ pattern: "*" }, { pattern: "other/a" }]);
  speaker.bus.publish("tak/alerts/fire", payload);
  expectError("denied", () => speaker.bus.publish("tak/state", payload));
  expectError("denied", () => speaker.bus.publish("tak/alerts/*", payload));
  expectError("denied", () => hearer.bus.publish("tak/alerts/fire", payload));
  await turn();
  assert.deepEqual(heard, ["speaker tak/alerts/fire"]);
  assert.equal(audit.entries().filter(({ answer }) => answer === "denied").length, 4);
});

const hears: readonly Grant[] = [{ capability: "bus.subscribe", topics: ["a/*"] }];

test("what is no pattern, and what is too many, is refused and audited, and the others stand", () => {
  for (const bad of [`a/${"*b".repeat(9)}`, `a/${"x".repeat(255)}`, "", "a/\u0000", "a/\ud800*".repeat(9)]) {
    const { bus, plugin, audit } = house();
    const refused = plugin("hearer", hears).own.subscribe(listener(["a/b", bad, "a/c"], () => {}));
    assert.deepEqual(
      refused.map(({ pattern, error }) => [pattern, error?.code]),
      [[bad, "manager/bad-pattern"]],
    );
    assert.deepEqual(
      bus.subscriptions.map(({ pattern }) => pattern),
      ["a/b", "a/c"],
    );
    assert.equal(audit.entries().filter(({ answer }) => answer === "denied").length, 1);
  }
  const { bus, plugin, audit } = house();
  const many = Array.from({ length: 1_000 }, (_, n) => `a/${n}`);
  const refused = plugin("hearer", hears).own.subscribe(listener(many, () => {}));
  assert.deepEqual(
    refused.map(({ pattern, error }) => [pattern, error?.code]),
    [["a/64", "manager/too-many-patterns"]],
  );
  assert.equal(bus.subscriptions.length, 64);
  assert.equal(audit.entries().filter(({ answer }) => answer === "denied").length, 1);
});

test("a plugin under whose name the host subscribes has what is left, and nothing fails", () => {
  const { bus, plugin } = house();
  for (let n = 0; n < 64; n++) bus.subscribe({ subscriber: "hearer", pattern: "b", deliver: () => {} });
  const [refused] = plugin("hearer", hears).own.subscribe(listener(["a/b"], () => {}));
  assert.equal(refused?.error?.code, "manager/too-many-patterns");
});

test("a version that follows is not counted twice, goes on with what waits, and hears what it asks for alone", async () => {
  const { bus, plugin, turn } = house();
  const [before, after] = [plugin("hearer", hears).own, plugin("hearer", hears).own];
  const heard: string[] = [];
  const asks = (from: number) => {
    const patterns = Array.from({ length: 64 }, (_, n) => `a/${n + from}`);
    return listener(patterns, ({ topic }) => void heard.push(topic));
  };
  assert.deepEqual(before.subscribe(asks(0)), []);
  for (const n of [0, 63]) bus.publish("speaker", `a/${n}`, payload);
  after.succeed(before.leave());
  await turn();
  assert.deepEqual(heard, [], "it waits until the next one says what it wants");
  assert.deepEqual(after.settle(asks(32)), []);
  for (const n of [31, 63, 95]) bus.publish("speaker", `a/${n}`, payload);
  await turn();
  assert.deepEqual(heard, ["a/63", "a/63", "a/95"]);
  before.succeed(after.leave());
  assert.deepEqual(before.settle(asks(0)), [], "and back");
  before.succeed(before.leave());
  assert.deepEqual(before.settle(asks(0)), [], "and once more in its own place");
  assert.equal(bus.subscriptions.length, 64);
});

test("what is taken from a plugin is heard no more, not even what waits, and is not heard by who follows", async () => {
  const { bus, plugin, turn } = house();
  const topics = (...topics: string[]): Grant[] => [{ capability: "bus.subscribe", topics }];
  const one = plugin("hearer", topics("a", "b", "c"));
  const heard: string[] = [];
  const all = listener(["a", "b", "c"], ({ topic }) => void heard.push(topic));
  one.own.subscribe(all);
  for (const topic of ["a", "b", "c"]) bus.publish("speaker", topic, payload);
  one.gate.narrow(topics("b", "c"));
  const next = plugin("hearer", topics("c"));
  next.own.succeed(one.own.leave());
  assert.deepEqual(next.own.settle(all), [{ pattern: "a" }, { pattern: "b" }]);
  await turn();
  assert.deepEqual(heard, ["c"]);
});

test("two plugins that answer each other without end are stopped", async () => {
  const { plugin, turn } = house();
  const grants: Grant[] = [
    { capability: "bus.publish", topics: ["*"] },
    { capability: "bus.subscribe", topics: ["*"] },
  ];
  let answers = 0;
  const outcomes: unknown[] = [];
  for (const [name, from, to] of [
    ["a", "ping", "pong"],
    ["b", "pong", "ping"],
  ] as const) {
    const one = plugin(name, grants);
    one.own.subscribe(
      listener([from], () => {
        answers++;
        try {
          one.bus.publish(to, payload);
        } catch (error) {
          outcomes.push((error as ComponentError).payload);
        }
      }),
    );
  }
  plugin("c", grants).bus.publish("ping", payload);
  assert.ok((await turn(1_000)) < 100);
  assert.equal(answers, 17);
  assert.deepEqual(outcomes, ["loop"]);
});

test("the shared state is read and written by grant, and a version guards against lost changes", () => {
  const { plugin } = house();
  const writer = plugin("writer", [
    { capability: "state.write", keys: ["fleet.*"] },
    { capability: "state.read", keys: ["*"] },
  ]);
  const reader = plugin("reader", [{ capability: "state.read", keys: ["fleet.a"] }]);
  const version = writer.state.set("fleet.a", payload, 0n);
  assert.deepEqual(reader.state.get("fleet.a"), { value: payload, version });
  expectError("changed", () => writer.state.set("fleet.a", payload, 0n));
  expectError("denied", () => reader.state.set("fleet.a", payload));
  expectError("denied", () => reader.state.get("fleet.b"));
  expectError("denied", () => writer.state.set("other", payload));
  writer.state.delete("fleet.a");
  assert.equal(reader.state.get("fleet.a"), undefined);
  assert.notEqual(writer.state.set("fleet.a", payload), version);
});

test("one plugin's quota is its own, and whoever writes a key last pays for it", () => {
  const { plugin, state } = house();
  const grants: Grant[] = [{ capability: "state.write", keys: ["*"] }];
  const [a, b] = [plugin("a", grants), plugin("b", grants)];
  a.state.set("1", new Uint8Array(40));
  a.state.set("2", new Uint8Array(40));
  expectError("quota", () => a.state.set("3", payload));
  expectError("quota", () => a.state.set("2", new Uint8Array(70)));
  b.state.set("2", new Uint8Array(90));
  assert.deepEqual([state.usedBy("a").keys, state.usedBy("b").bytes], [1, 92]);
  a.state.set("3", payload);
  state.deleteAllOf("a");
  assert.deepEqual(
    [state.usedBy("a"), state.get("1"), state.get("3")],
    [{ keys: 0, bytes: 0 }, undefined, undefined],
  );
});
