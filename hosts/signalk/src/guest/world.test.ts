/** `worlds/signalk` from both sides: what a component imports does, and what it exports is asked. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ComponentError } from "remora";
import { isRemoraError } from "remora/base";
import type { ComponentInstance } from "remora/engine";
import type { Grant } from "remora/policy";
import { auditLog, sandboxImports } from "remora/sandbox";
import { FakeClock } from "../clock.fixture.ts";
import { SignalkServer } from "../server.ts";
import { subscriptionsMax } from "../subscriptions/listener.ts";
import { componentGuest } from "./component-guest.ts";
import { EventInbox } from "./event-inbox.ts";
import { type GuestHost, Holdings } from "./host.ts";
import { Inbox, type WorldUpdate } from "./inbox.ts";
import { InlineComponent } from "./live-instance.ts";
import { worldImports, worldName } from "./world-imports.ts";

const all: readonly Grant[] = [
  { capability: "data.read", paths: ["*"] },
  { capability: "data.write", paths: ["*"] },
  { capability: "control.put", paths: ["*"] },
  { capability: "log.write" },
  { capability: "provider.register", kinds: ["resources:*", "weather", "radar"] },
];

type Functions = Record<string, (...args: unknown[]) => unknown>;

/** A server, and a component in it whose exports are these. */
function boat(t: TestContext, exports: Record<string, Functions>, grants = all) {
  const clock = new FakeClock();
  const statuses: string[] = [];
  const server = new SignalkServer({
    self: "urn:mrn:imo:mmsi:230000000",
    clock,
    onStatus: (_plugin, { kind, message }) => statuses.push(`${kind}: ${message}`),
  });
  const sandbox = sandboxImports({
    plugin: "p",
    grants,
    audit: auditLog(),
    nowMs: () => 0,
    log: { write: () => {} },
  });
  t.after(() => sandbox.close());
  const lines: string[] = [];
  const host: GuestHost = {
    plugin: "p",
    server: server.port,
    sandbox,
    gate: sandbox.gate,
    settings: { read: () => "{}", save: (json) => json === "{}" },
    log: (_level, text) => void lines.push(text),
    holdings: new Holdings(),
    ask: async (use) => use(guest),
  };
  const inbox = new Inbox(host, clock);
  const named = Object.fromEntries(Object.entries(exports).map(([name, each]) => [worldName(name), each]));
  const lifecycle = { name: () => "P", schema: () => "", start: () => undefined, stop: () => undefined };
  const instance = {
    exports: { [worldName("lifecycle")]: lifecycle, ...named },
    close: () => {},
  } as unknown as ComponentInstance; // as much of one as the guest looks at
  const guest = componentGuest("p", new InlineComponent(instance), inbox);
  const imports = worldImports(host, { inbox, events: new EventInbox(host) });
  const call = (from: string, name: string, ...args: unknown[]) =>
    (imports[worldName(from)] as unknown as Functions)[name]?.(...args); // called as the engine does, by lifted values
  const say = (path: string, value: unknown) =>
    server.input({ updates: [{ values: [{ path, value }] }] }, "x");
  server.onDelta(({ json }) => guest.takeDelta?.(json));
  return { server, guest, host, call, say, clock, statuses, lines };
}

function expectRefused(refusal: string, use: () => unknown): void {
  assert.throws(use, (error) => error instanceof ComponentError && error.payload === refusal);
}

const number = (val: number) => ({ tag: "number", val });
const instant = { context: "vessels.self", policy: "instant", period: 1_000, minPeriod: 0 };

test("a component emits values and meta, and reads what the model has", (t) => {
  const { call, server } = boat(t, {});
  call("deltas", "emit", "vessels.self", [{ path: "a.b", value: number(2) }], "v1");
  call("deltas", "emit", "vessels.self", [{ path: "a.p", value: { tag: "json", val: '{"x":1}' } }], "v1");
  call("deltas", "emit", "vessels.self", [{ path: "only.v2", value: number(2) }], "v2");
  call("deltas", "emitMeta", "vessels.self", [{ path: "a.b", value: { tag: "json", val: '{"units":"m"}' } }]);
  assert.deepEqual(call("deltas", "getSelf", "a.b"), number(2));
  assert.deepEqual(call("deltas", "getSelf", "a.p"), { tag: "json", val: '{"x":1}' });
  assert.equal(call("deltas", "getSelf", "only.v2"), undefined);
  assert.deepEqual(call("deltas", "get", "vessels.urn:mrn:imo:mmsi:230000000.a.b"), number(2));
  assert.equal(server.model.leaf("vessels.self", "a.b")?.$source, "p");
});

test("a number that JSON does not have becomes null, and a value that is no JSON is malformed", (t) => {
  const { call, server } = boat(t, {});
  call("deltas", "emit", "vessels.self", [{ path: "a", value: number(Number.NaN) }], "v1");
  assert.equal(server.model.leaf("vessels.self", "a")?.value, null);
  const broken = [{ path: "a", value: { tag: "json", val: "{" } }];
  expectRefused("malformed", () => call("deltas", "emit", "vessels.self", broken, "v1"));
  expectRefused("malformed", () =>
    call("deltas", "emit", "vessels.self", [{ path: "a b", value: number(1) }], "v1"),
  );
});

test("what was not granted is denied, whichever function is asked", (t) => {
  const { call, server } = boat(t, {}, []);
  expectRefused("denied", () =>
    call("deltas", "emit", "vessels.self", [{ path: "a", value: number(1) }], "v1"),
  );
  expectRefused("denied", () => call("deltas", "getSelf", "a"));
  expectRefused("denied", () => call("subscriptions", "subscribe", { ...instant, path: "*" }));
  expectRefused("denied", () => call("commands", "register", "vessels.self", "a"));
  expectRefused("denied", () => call("providers", "provideResources", "routes"));
  expectRefused("denied", () => call("providers", "provideWeather", "w"));
  expectRefused("denied", () => call("providers", "provideRadar", "r"));
  expectRefused("denied", () => call("providers", "emitSpokes", "r", new Uint8Array(1)));
  const method = { visual: true, sound: false };
  expectRefused("denied", () => call("notifications", "publish", "a", "alarm", method, "x"));
  assert.equal(server.deltaCount, 0);
});

test("a grant of some paths covers patterns inside of them alone", (t) => {
  const { call } = boat(t, {}, [{ capability: "data.read", paths: ["navigation.*"] }]);
  call("subscriptions", "subscribe", { ...instant, path: "navigation.course*" });
  expectRefused("denied", () => call("subscriptions", "subscribe", { ...instant, path: "nav*" }));
});

test("a subscriber gets what it subscribed to, in one call a delta", (t) => {
  const seen: (readonly WorldUpdate[])[] = [];
  const subscriber = { onUpdates: (updates: unknown) => void seen.push(updates as readonly WorldUpdate[]) };
  const { call, say, server } = boat(t, { subscriber });
  call("subscriptions", "subscribe", { ...instant, path: "navigation.*" });
  say("environment.depth", 4);
  assert.equal(seen.length, 0);
  const values = [
    { path: "navigation.a", value: 1 },
    { path: "environment.x", value: 0 },
    { path: "navigation.b", value: "text" },
  ];
  server.input({ updates: [{ values }] }, "x");
  assert.deepEqual(
    seen.map((updates) => updates.map((update) => update.values)),
    [
      [
        [
          { path: "navigation.a", value: number(1) },
          { path: "navigation.b", value: { tag: "text", val: "text" } },
        ],
      ],
    ],
  );
  call("subscriptions", "unsubscribe", "vessels.self", "navigation.*");
  say("navigation.a", 2);
  assert.equal(seen.length, 1);
});

test("the smallest period holds, and the last value within it is told when it ends", async (t) => {
  const seen: unknown[] = [];
  const subscriber = {
    onUpdates: (updates: unknown) =>
      void seen.push(
        ...(updates as WorldUpdate[]).flatMap(({ values }) => values.map(({ value }) => value.val)),
      ),
  };
  const { call, say, clock } = boat(t, { subscriber });
  call("subscriptions", "subscribe", { ...instant, path: "a", minPeriod: 100 });
  for (const value of [1, 2, 3]) say("a", value);
  assert.deepEqual(seen, [1]);
  clock.move(100);
  await Promise.resolve();
  assert.deepEqual(seen, [1, 3]);
});

test("a component subscribes to so much and no more", (t) => {
  const { call, host, clock } = boat(t, {});
  const fixed = { ...instant, policy: "fixed", period: 0, path: "a" };
  for (let index = 0; index < subscriptionsMax; index++) call("subscriptions", "subscribe", fixed);
  expectRefused("full", () => call("subscriptions", "subscribe", fixed));
  expectRefused("malformed", () => call("subscriptions", "subscribe", { ...fixed, path: "a b" }));
  assert.equal(clock.waitingCount, subscriptionsMax);
  host.holdings.close();
  assert.equal(clock.waitingCount, 0, "its timers went with it");
});

test("notifications have the specification's form", (t) => {
  const { call, server } = boat(t, {});
  call("notifications", "publish", "mob", "emergency", { visual: true, sound: true }, "Man overboard");
  const told = server.model.leaf("vessels.self", "notifications.mob")?.value as Record<string, unknown>;
  const { state, method, message } = told;
  assert.deepEqual(
    { state, method, message },
    { state: "emergency", method: ["visual", "sound"], message: "Man overboard" },
  );
});

test("a PUT reaches the command handler with its context and path, and has its outcome", async (t) => {
  const asked: unknown[] = [];
  const put = (...args: unknown[]) => {
    asked.push(args);
    return { isPending: false, statusCode: 409, message: "Not now" };
  };
  const { call, host } = boat(t, { "command-handler": { put } });
  const puts: { handle(value: unknown): Promise<unknown> }[] = [];
  Object.assign(host.server, {
    registerPut: (registration: (typeof puts)[number]) => {
      puts.push(registration);
      return () => {};
    },
  });
  call("commands", "register", "vessels.self", "anchor.radius");
  assert.deepEqual(await puts[0]?.handle(30), { state: "COMPLETED", statusCode: 409, message: "Not now" });
  assert.deepEqual(asked, [["vessels.self", "anchor.radius", number(30)]]);
});

test("providers are asked through the world, and what they refuse with is told", async (t) => {
  const asked: unknown[][] = [];
  const answering =
    (answer: unknown) =>
    (...args: unknown[]) => {
      asked.push(args);
      if (answer instanceof Error) throw answer;
      return answer;
    };
  const { call, server } = boat(t, {
    "resource-provider": {
      listResources: answering('{"one":{"name":"One"}}'),
      getResource: answering(new ComponentError("no such place")),
      setResource: answering(undefined),
    },
    "weather-provider": {
      getForecasts: answering("[1]"),
      getWarnings: answering(new ComponentError("no model")),
    },
    "radar-provider": { ask: answering('["r1"]') },
  });
  call("providers", "provideResources", "places");
  call("providers", "provideWeather", "Wind");
  call("providers", "provideRadar", "Radar");
  assert.deepEqual(await server.resources.list("places", { limit: "2" }), { one: { name: "One" } });
  assert.equal(await server.resources.get("places", "two"), undefined, "somebody else may have it");
  const here = { latitude: 1, longitude: 2 };
  assert.deepEqual(await server.weather.all()[0]?.forecasts(here, "daily", {}), [1]);
  await assert.rejects(
    server.weather.all()[0]?.warnings(here) ?? Promise.resolve(),
    (error) => isRemoraError(error) && error.code === "signalk/guest-refused",
  );
  assert.deepEqual(await server.radars.all()[0]?.ask("get_radars", {}), ["r1"]);
  assert.deepEqual(asked, [
    ["places", '{"limit":"2"}'],
    ["places", "two", undefined],
    [here, "daily", "{}"],
    [here],
    ["get_radars", "{}"],
  ]);
});

test("settings, status and log are the plugin's own", (t) => {
  const { call, statuses, lines } = boat(t, {});
  assert.equal(call("settings", "read"), "{}");
  assert.equal(call("settings", "save", "{}"), true);
  assert.equal(call("settings", "save", " ".repeat(300_000)), false);
  call("status", "setStatus", "Fine");
  call("status", "setError", "x".repeat(100_000));
  call("status", "debug", "hello");
  assert.equal(statuses[0], "status: Fine");
  assert.ok((statuses[1]?.length ?? 0) < 10_000);
  assert.deepEqual(lines, ["hello"]);
});

test("a component without a lifecycle is no plugin", () => {
  const inbox = {} as Inbox; // never looked at
  const instance = { exports: {} } as ComponentInstance; // as much as is looked at
  assert.throws(
    () => componentGuest("p", new InlineComponent(instance), inbox),
    (error) => isRemoraError(error) && error.code === "signalk/not-a-plugin",
  );
});
