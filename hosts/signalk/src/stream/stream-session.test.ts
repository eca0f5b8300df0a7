import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../clock.fixture.ts";
import { SignalkServer } from "../server.ts";
import { StreamSession, unreadBytesMax } from "./stream-session.ts";

function session(subscribe?: string) {
  const clock = new FakeClock();
  const server = new SignalkServer({ self: "urn:mrn:signalk:uuid:1", clock });
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  const sent: any[] = [];
  const wire = {
    bufferedAmount: 0,
    closed: 0,
    send: (text: string) => void sent.push(JSON.parse(text)),
    close(code: number) {
      this.closed = code;
    },
  };
  const open = () => new StreamSession(server, wire, subscribe);
  const say = (path: string, value: unknown, context?: string) =>
    server.input(
      { ...(context !== undefined && { context }), updates: [{ values: [{ path, value }] }] },
      "gps",
    );
  const values = () =>
    sent
      .splice(0)
      .flatMap((message) =>
        (message.updates ?? []).flatMap((update: { values?: { path: string; value: unknown }[] }) =>
          (update.values ?? []).map(({ path, value }) => `${path}=${value}`),
        ),
      );
  return { clock, server, sent, wire, open, say, values };
}

test("a stream begins with who the server is, and the last values", () => {
  const { open, sent, say, values } = session();
  say("depth", 4);
  open();
  const { name, self, roles, timestamp } = sent.shift();
  assert.deepEqual(
    { name, self, roles, timestamp },
    {
      name: "remora-signalk",
      self: "vessels.urn:mrn:signalk:uuid:1",
      roles: ["master", "main"],
      timestamp: "2026-01-01T00:00:00.000Z",
    },
  );
  assert.deepEqual(values(), ["depth=4"]);
  say("depth", 5);
  assert.deepEqual(values(), ["depth=5"]);
  say("depth", 6, "vessels.other");
  assert.deepEqual(values(), []);
});

test("all is every vessel, none is nothing until it is asked for", () => {
  const all = session("all");
  all.open();
  all.say("depth", 6, "vessels.other");
  assert.deepEqual(all.values(), ["depth=6"]);
  const none = session("none");
  const opened = none.open();
  none.say("a.b", 1);
  none.say("c.d", 2);
  assert.deepEqual(none.values(), []);
  opened.receive('{"context":"vessels.self","subscribe":[{"path":"a.*","policy":"instant"}]}');
  assert.deepEqual(none.values(), ["a.b=1"], "the last value comes with the subscription");
  none.say("a.b", 3);
  none.say("c.d", 4);
  assert.deepEqual(none.values(), ["a.b=3"]);
  opened.receive('{"context":"*","unsubscribe":[{"path":"*"}]}');
  none.say("a.b", 5);
  assert.deepEqual(none.values(), []);
});

test("a command gets its answer by its own id", async () => {
  const { open, sent, server } = session("none");
  server.port.registerPut({
    plugin: "p",
    context: "vessels.self",
    path: "switch",
    handle: async (value) => ({ state: "COMPLETED", statusCode: 200, message: `is ${value}` }),
  });
  const opened = open();
  sent.length = 0;
  opened.receive('{"requestId":"7","context":"vessels.self","put":{"path":"switch","value":1}}');
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assert.deepEqual(sent, [
    { state: "COMPLETED", requestId: "7", statusCode: 200, message: "is 1", href: "/signalk/v1/requests/7" },
  ]);
});

test("a client that is an instrument is heard, and one that sends what is no delta is told so", () => {
  const { open, sent, server, values } = session();
  const client = open();
  client.receive(
    '{"updates":[{"values":[{"path":"a","value":1}]},{"$source":"gps.GP","values":[{"path":"b","value":2}]}]}',
  );
  assert.deepEqual(values(), ["a=1", "b=2"]);
  assert.equal(server.model.leaf("vessels.self", "a")?.$source, "ws");
  assert.equal(server.model.leaf("vessels.self", "b")?.$source, "gps.GP");
  client.receive('{"updates":[{"values":[{"path":"a b","value":1}]}]}');
  assert.equal(typeof sent[0]?.error, "string");
});

test("what is no message is said to be none, and the stream goes on", () => {
  const { open, sent, say, values } = session("none");
  const opened = open();
  sent.length = 0;
  for (const text of ["", "[", "7", '{"subscribe":7}', '{"put":1}', '{"unsubscribe":1}'])
    opened.receive(text);
  assert.equal(sent.length, 6);
  assert.ok(sent.every((message) => typeof message.error === "string"));
  sent.length = 0;
  opened.receive('{"subscribe":[{"path":"*","policy":"instant"}]}');
  say("a", 1);
  assert.deepEqual(values(), ["a=1"]);
});

test("a client that reads nothing is disconnected", () => {
  const { open, wire, say, sent } = session();
  open();
  wire.bufferedAmount = unreadBytesMax + 1;
  say("a", 1);
  assert.equal(wire.closed, 1013);
  const before = sent.length;
  say("a", 2);
  assert.equal(sent.length, before);
});
