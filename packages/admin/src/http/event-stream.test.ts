import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { EventFeed } from "../event-feed.ts";
import type { Happening } from "../operations.ts";
import { readEvents } from "../read-events.ts";
import { writeEvents } from "./event-stream.ts";

/** A server whose only answer is this stream; how its writing ended. */
async function streaming(t: TestContext, happenings: AsyncIterable<Happening>, unreadMsMax = 5_000) {
  const written = Promise.withResolvers<ServerResponse>();
  const server = createServer(async (_request, response) => {
    await writeEvents(response, happenings, { beatMs: 60_000, unreadMsMax });
    written.resolve(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  return { port: (server.address() as AddressInfo).port, written: written.promise };
}

test("events arrive as they were, whatever a guest wrote into them", async (t) => {
  const text = "a\n\nevent: forged\ndata: {}\r\n\u2028\u0000";
  const events: Happening[] = [
    { kind: "log", atMs: 1, plugin: "a", text },
    { kind: "enabled", atMs: 2, plugin: "b" },
  ];
  const { port } = await streaming(
    t,
    (async function* () {
      yield* events;
    })(),
  );
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assert.ok(response.body !== null);
  const read: Happening[] = [];
  for await (const event of readEvents(response.body)) read.push(event);
  assert.deepEqual(read, events);
});

test("a reader that does not read is disconnected, and what happens meanwhile is not kept for it", async (t) => {
  let made = 0;
  const endless = (async function* (): AsyncGenerator<Happening> {
    for (;;) {
      made++;
      yield { kind: "log", atMs: 1, plugin: "a", text: "x".repeat(65_536) };
    }
  })();
  const { port, written } = await streaming(t, endless, 200);
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const response = await written;
  assert.equal(response.destroyed, true);
  // What the operating system's buffers take, and no more.
  assert.ok(made < 1_000, `${made} events`);
});

test("a feed that is read too slowly leaves out what does not fit, and says how much it was", async () => {
  const feed = new EventFeed<Happening & { readonly atMs: number }>(2);
  for (let n = 1; n <= 5; n++) feed.push({ kind: "trap", atMs: n, plugin: "a" });
  feed.end();
  const read = [];
  for await (const event of feed) read.push(event);
  assert.deepEqual(
    read.map((event) => [event.kind, event.atMs]),
    [
      ["trap", 1],
      ["trap", 2],
      ["omitted", 5],
    ],
  );
});
