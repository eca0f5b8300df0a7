/** Events of the server, as plugins hear them and emit their own. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { boatWith } from "../testing/boats.ts";
import { call, type GuestText } from "../testing/guest-text.ts";
import { EventInbox, eventLengthMax, eventsMax } from "./event-inbox.ts";
import { type GuestHost, Holdings } from "./host.ts";
import type { SignalkGuest } from "./signalk-guest.ts";

const two = "(param i32 i32)";

/** Subscribes, and writes what it hears to the log. */
function listener(types: string): GuestText {
  return {
    imports: { sk_subscribe_events: `${two} (result i32)`, sk_debug: two },
    texts: { types },
    start: `(i32.eqz ${call("sk_subscribe_events", "types")})`,
    functions: `(func (export "event_handler") ${two} (call $sk_debug (local.get 0) (local.get 1)))`,
  };
}

/** Emits one event when it starts, and hears those of the same type. */
function speaker(type: string, data: string): GuestText {
  const { imports, texts, functions } = listener('["PLUGIN_word"]');
  return {
    imports: { ...imports, sk_emit_event: "(param i32 i32 i32 i32) (result i32)" },
    texts: { ...texts, type, data },
    start: `(drop ${call("sk_subscribe_events", "types")}) (i32.eqz ${call("sk_emit_event", "type", "data")})`,
    functions: functions ?? "",
  };
}

const capabilities = { serverEvents: true };

async function boat(
  t: TestContext,
  guests: Readonly<Record<string, GuestText>>,
  given: object = capabilities,
) {
  const packages = Object.entries(guests).map(([name, guest]) => ({
    name,
    guest,
    capabilities: { ...given },
  }));
  const running = await boatWith(t, packages);
  /** What plugins heard, after everything that waited had its turn. */
  const heard = async () => {
    await running.fetch("/signalk");
    return running.lines.filter((line) => line.includes('{"type"'));
  };
  return { ...running, heard };
}

const event = (type: string, data: unknown) => ({ type, data, timestamp: 7 });

test("a plugin hears what it subscribed to, in the form that signalk-server's #2295 gives it", async (t) => {
  const { server, heard } = await boat(t, { hears: listener('["nmea0183","SERVERMESSAGE"]') });
  server.events.emit(event("nmea0183", "$GPRMC"));
  server.events.emit(event("nmea0183out", "$other"));
  server.events.emit(event("SERVERMESSAGE", { a: 1 }));
  assert.deepEqual(await heard(), [
    'hears: {"type":"nmea0183","data":"$GPRMC","timestamp":7}',
    'hears: {"type":"SERVERMESSAGE","data":{"a":1},"timestamp":7}',
  ]);
});

test("an empty list is all that there are, and a plugin that is stopped hears nothing", async (t) => {
  const { server, heard, fetch } = await boat(t, { hears: listener("[]") });
  server.events.emit(event("canboatjs:warning", 1));
  assert.equal((await heard()).length, 1);
  await fetch("/plugins/hears/config", { method: "POST", body: { enabled: false } });
  server.events.emit(event("canboatjs:warning", 2));
  assert.equal((await heard()).length, 1);
});

test("a plugin's own event has a prefix and its name, and is heard by others alone", async (t) => {
  const { heard, fetch } = await boat(t, {
    hears: listener('["PLUGIN_word"]'),
    says: speaker("word", '{"a":1}'),
  });
  await fetch("/plugins/says/config", { method: "POST", body: { enabled: true, enableDebug: true } });
  const lines = await heard();
  assert.match(
    lines[0] ?? "",
    /^hears: \{"type":"PLUGIN_word","from":"says","data":\{"a":1\},"timestamp":\d+\}$/,
  );
  assert.ok(lines.every((line) => line.startsWith("hears")));
});

test("an event between instruments keeps its name, and none speaks as the server", async (t) => {
  for (const [name, type] of [
    ["nmea2000JsonOut", "nmea2000JsonOut"],
    ["SERVERMESSAGE", "PLUGIN_SERVERMESSAGE"],
  ] as const) {
    const { server, plugins } = await boat(t, { says: speaker(name, '{"pgn":129025}') });
    await plugins.get("says")?.stop();
    const emitted: unknown[] = [];
    server.events.on(type, ({ data }) => emitted.push(data));
    await plugins.get("says")?.start();
    assert.deepEqual(emitted, [{ pgn: 129025 }], name);
  }
});

test("plugins that answer each other's words run one after another, and others are answered meanwhile", async (t) => {
  const answers = (hears: string, says: string): GuestText => ({
    imports: {
      sk_subscribe_events: `${two} (result i32)`,
      sk_emit_event: "(param i32 i32 i32 i32) (result i32)",
    },
    texts: { types: `["nmea0183","PLUGIN_${hears}"]`, word: says, data: "1" },
    start: `(i32.eqz ${call("sk_subscribe_events", "types")})`,
    functions: `(func (export "event_handler") ${two} (drop ${call("sk_emit_event", "word", "data")}))`,
  });
  const { server, plugins, fetch } = await boat(t, {
    ping: answers("pong", "ping"),
    pong: answers("ping", "pong"),
  });
  let words = 0;
  server.events.on("PLUGIN_ping", () => words++);
  server.events.emit(event("nmea0183", "begin"));
  for (let looks = 0; looks < 5; looks++) assert.equal((await fetch("/signalk")).status, 200);
  assert.ok(words > 10, "they are still at it");
  for (const { state, account } of plugins.all())
    assert.deepEqual([state, account.counts.traps], ["running", 0]);
});

test("a plugin that loops at another's word spends its own time alone", async (t) => {
  const loops = {
    ...listener('["PLUGIN_word"]'),
    functions: `(func (export "event_handler") ${two} (loop $ever (br $ever)))`,
  };
  const { plugins, heard } = await boat(t, { loops, says: speaker("word", "1") });
  await heard();
  assert.equal(plugins.get("says")?.state, "running");
  assert.equal(plugins.get("loops")?.state, "crashed");
});

test("without the capability nothing is heard or said, and the audit says so", async (t) => {
  const { plugins, lines, server } = await boat(
    t,
    { hears: listener("[]"), says: speaker("word", "1") },
    { serverEvents: false },
  );
  const emitted: unknown[] = [];
  server.events.on("PLUGIN_word", (told) => emitted.push(told));
  assert.equal(plugins.get("hears")?.state, "error");
  assert.equal(plugins.get("says")?.state, "error");
  assert.deepEqual(emitted, []);
  for (const capability of ["bus.subscribe", "bus.publish"])
    assert.ok(lines.some((line) => line.includes(capability) && line.includes("denied")));
});

for (const types of [
  ...["nmea0183", "{}", '["serverevent"]', '["PLUGIN_"]', "[7]", '["PLUGIN_a b"]'],
  JSON.stringify(Array.from({ length: 65 }, (_, index) => `PLUGIN_${index}`)),
]) {
  test(`${types.slice(0, 30)} is nothing to subscribe to`, async (t) => {
    assert.equal((await boat(t, { hears: listener(types) })).plugins.get("hears")?.state, "error");
  });
}

/** An inbox whose guest takes an event when it is let. */
function inbox() {
  const listeners: ((told: unknown) => void)[] = [];
  const heard: string[] = [];
  let pending: (() => void) | undefined;
  const host = {
    plugin: "p",
    holdings: new Holdings(),
    gate: { act: (_capability: string, _target: string, granted: () => unknown) => granted() },
    server: {
      onEvent: (_type: string, listen: (told: unknown) => void) => {
        listeners.push(listen);
        return () => listeners.splice(0);
      },
    },
    ask: (use: (guest: SignalkGuest) => unknown) =>
      new Promise((resolve) => {
        pending = () =>
          resolve(use({ takeEvent: (json: string) => heard.push(json) } as unknown as SignalkGuest));
      }),
  };
  const events = new EventInbox(host as unknown as GuestHost); // as much of one as it looks at
  assert.equal(events.subscribe(["nmea0183"]), undefined);
  const tell = (data: unknown) => listeners[0]?.(event("nmea0183", data));
  const turn = async () => {
    pending?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { events, heard, tell, turn, close: () => host.holdings.close() };
}

test("a guest that is slower than its events loses the oldest", async () => {
  const { events, heard, tell, turn } = inbox();
  for (let index = 0; index < eventsMax + 10; index++) tell(index);
  assert.equal(events.lostCount, 10);
  await turn();
  assert.match(heard[0] ?? "", /"data":10,/);
  await turn();
  assert.match(heard[1] ?? "", /"data":11,/);
});

test("what is too large, or is nothing that JSON has, is left out", async () => {
  const { heard, tell, turn } = inbox();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  for (const data of ["x".repeat(eventLengthMax), circle, 10n, "small"]) tell(data);
  for (let turns = 0; turns < 4; turns++) await turn();
  assert.equal(heard.length, 1);
});

test("nothing is kept for a guest that is gone", async () => {
  const { heard, tell, turn, close } = inbox();
  tell(1);
  close();
  tell(2);
  await turn();
  assert.deepEqual(heard, []);
});
