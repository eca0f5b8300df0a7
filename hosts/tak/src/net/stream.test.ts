import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { isRemoraError } from "remora/base";
import { readMessage } from "../cot/event-decoder.ts";
import { BARE, eventOfSize, framed, UNIT } from "../cot/events.fixture.ts";
import { readNegotiation, writeOffer, writeRequest, writeResponse } from "../cot/negotiation.ts";
import { StreamReader } from "../cot/stream-reader.ts";
import { FakeClock, Log, makeCertificates } from "./peers.fixture.ts";
import { StreamClient, type StreamClientOptions } from "./stream-client.ts";
import { StreamServer, type StreamServerOptions } from "./stream-server.ts";

const HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';
const withUid = (uid: string) => BARE.replace("BARE-1", uid);
const message = (uid: string) => readMessage(Buffer.from(withUid(uid)));
const certificates = makeCertificates();

async function listen(t: TestContext, options: Partial<StreamServerOptions> = {}) {
  const log = new Log();
  const server = await StreamServer.listen({ port: 0, protocol: "xml", ...options }, log);
  t.after(async () => {
    // First those who would not notice that the server closes, since they do not read.
    for (const peer of rawPeers.get(t) ?? []) peer.destroy();
    await server.close();
  });
  return { server, log };
}

const rawPeers = new WeakMap<TestContext, Socket[]>();

/** A peer that is nothing but a socket. */
async function rawPeer(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  rawPeers.set(t, [...(rawPeers.get(t) ?? []), socket]);
  await once(socket, "connect");
  return socket;
}

function start(t: TestContext, options: Partial<StreamClientOptions> & { port: number }) {
  const log = new Log();
  const client = StreamClient.start({ host: "127.0.0.1", protocol: "xml", ...options }, log);
  t.after(() => client.close());
  return { client, log };
}

/** What a raw peer gets, cut into messages. */
function readAll(socket: Socket): Log {
  const log = new Log();
  const handlers = {
    onMessage: (event: (typeof log.messages)[0]) => log.onMessage(event, log.opened[0] as never),
    onBadEvent: assert.fail,
  };
  const reader = new StreamReader(handlers);
  socket.on("data", (chunk: Buffer) => reader.push(chunk));
  return log;
}

describe("bad input costs its event or its connection, and nothing else", () => {
  const dropped: Readonly<Record<string, readonly [string | Uint8Array, string]>> = {
    "half an event": [UNIT.slice(0, 200), "tak/xml-nested-event"],
    "a billion laughs": [
      `<!DOCTYPE a [<!ENTITY b "&c;&c;">]>${UNIT.replace("HERON", "&b;")}`,
      "tak/xml-doctype",
    ],
    "an event of 10 MB": [eventOfSize(10 << 20), "tak/event-too-large"],
    "a message of 10 MB": [framed(Buffer.alloc(10 << 20)), "tak/event-too-large"],
    "a message that is no TakMessage": [framed(Buffer.from("ff")), "tak/protobuf-malformed"],
  };
  for (const [name, [bytes, code]] of Object.entries(dropped)) {
    test(name, async (t) => {
      const { server, log } = await listen(t, { protocol: "negotiate" });
      const peer = await rawPeer(t, server.port);
      peer.write(
        Buffer.concat([Buffer.from(withUid("1")), Buffer.from(bytes as string), Buffer.from(withUid("2"))]),
      );
      await log.until(() => log.messages.length === 2);
      assert.deepEqual([log.uids, log.badCodes, log.closed], [["1", "2"], [code], []]);
      assert.equal(log.opened[0]?.stats.badEventsIn, 1);
    });
  }

  const closed: Readonly<Record<string, readonly [string | Uint8Array, string]>> = {
    "a wrong varint": [Buffer.from(`bf${"ff".repeat(11)}`, "hex"), "tak/frame-length"],
    "bytes that are no TAK at all": ["GET / HTTP/1.1\r\n\r\n", "tak/frame-start"],
  };
  for (const [name, [bytes, code]] of Object.entries(closed)) {
    test(name, async (t) => {
      const { server, log } = await listen(t, { protocol: "negotiate" });
      const bystander = await rawPeer(t, server.port);
      const peer = await rawPeer(t, server.port);
      peer.write(withUid("1"));
      peer.write(bytes);
      await log.until(() => log.closed.length === 1);
      assert.deepEqual([log.uids, log.closed.map((error) => error?.code)], [["1"], [code]]);
      bystander.write(withUid("2"));
      await log.until(() => log.messages.length === 2);
    });
  }

  test("half an event and no more", async (t) => {
    const { server, log } = await listen(t);
    const peer = await rawPeer(t, server.port);
    peer.end(UNIT + UNIT.slice(0, 100));
    await log.until(() => log.closed.length === 1);
    assert.deepEqual([log.uids, log.badCodes, log.closed], [["UNIT-7"], ["tak/stream-cut"], [undefined]]);
  });
});

test("a client that never reads loses the oldest messages, is counted, and is closed after a while", async (t) => {
  const clock = new FakeClock();
  const queuedBytesMax = 1 << 20;
  const { server, log } = await listen(t, { clock, queuedBytesMax, stalledMsMax: 30_000 });
  const reads = await rawPeer(t, server.port);
  const received = readAll(reads);
  const never = await rawPeer(t, server.port);
  never.pause();
  await log.until(() => log.opened.length === 2);
  const byPort = (socket: Socket) => log.opened.find(({ name }) => name.endsWith(`:${socket.localPort}`));
  const [good, bad] = [byPort(reads), byPort(never)];
  assert.ok(good !== undefined && bad !== undefined);

  const large = readMessage(Buffer.from(eventOfSize(100_000)));
  for (let k = 0; k < 400; k++) {
    bad.send(large);
    good.send(message(String(k)));
    // Lets what can be written be written.
    if (k % 20 === 0) await received.until(() => received.messages.length > k);
  }
  await received.until(() => received.messages.length === 400);
  assert.ok(bad.stats.queuedBytes <= queuedBytesMax);
  assert.ok(bad.stats.messagesDropped > 100, `${bad.stats.messagesDropped} dropped`);
  assert.equal(good.stats.messagesDropped, 0);
  clock.pass(29_000);
  assert.ok(bad.isOpen);
  clock.pass(31_000);
  await log.until(() => log.closed.length === 1);
  assert.equal(log.closed[0]?.code, "tak/peer-stalled");
  assert.equal(bad.send(large), false);
  assert.ok(good.isOpen);
});

test("the queue's other policies keep what is older, or close at once", async (t) => {
  const large = readMessage(Buffer.from(eventOfSize(100_000)));
  for (const whenFull of ["drop-newest", "disconnect"] as const) {
    const { server, log } = await listen(t, { queuedBytesMax: 150_000, whenFull });
    await rawPeer(t, server.port);
    await log.until(() => log.opened.length === 1);
    const connection = log.opened[0];
    assert.ok(connection?.send(large));
    assert.equal(connection?.send(large), false);
    assert.equal(connection?.stats.messagesDropped, 1);
    assert.equal(connection?.isOpen, whenFull === "drop-newest");
    if (whenFull === "disconnect") {
      await log.until(() => log.closed.length === 1);
      assert.equal(log.closed[0]?.code, "tak/queue-full");
    }
  }
});

test("XML is sent as TAK software cuts it: header, line end, event, and nothing behind it", async (t) => {
  const { server, log } = await listen(t);
  const peer = await rawPeer(t, server.port);
  const chunks: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => chunks.push(chunk));
  await log.until(() => log.opened.length === 1);
  log.opened[0]?.send(message("1"));
  log.opened[0]?.send(readMessage(message("2").bytes("protobuf")));
  log.opened[0]?.close();
  await once(peer, "end");
  const text = Buffer.concat(chunks).toString();
  const events = text.split("</event>").map((event) => event.slice(0, HEADER.length));
  assert.deepEqual(events, [HEADER, HEADER, ""]);
});

describe("negotiation", () => {
  test("two of us agree on version 1, and what waits for the answer is sent in it", async (t) => {
    const { server, log } = await listen(t, { protocol: "negotiate" });
    const peer = start(t, { port: server.port, protocol: "negotiate" });
    await peer.log.until(() => peer.log.opened.length === 1);
    await log.until(() => log.opened.length === 1);
    const [ours] = log.opened;
    const [theirs] = peer.log.opened;
    for (let k = 0; theirs?.stats.format === "xml"; k++) {
      theirs.send(message(String(k)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    peer.client.connection?.send(message("last"));
    await log.until(() => log.uids.at(-1) === "last");
    assert.deepEqual(
      log.uids.slice(0, -1),
      Array.from({ length: log.uids.length - 1 }, (_, k) => String(k)),
    );
    assert.equal(log.messages.at(-1)?.format, "protobuf");
    assert.equal(ours?.stats.format, "protobuf");
    ours?.send(message("back"));
    await peer.log.until(() => peer.log.messages.length === 1);
    assert.equal(peer.log.messages[0]?.format, "protobuf");
    assert.deepEqual([log.badCodes, peer.log.badCodes], [[], []]);
  });

  test("a client that only knows XML is not disturbed by the offer", async (t) => {
    const { server, log } = await listen(t, { protocol: "negotiate" });
    const peer = start(t, { port: server.port, protocol: "xml" });
    await peer.log.until(() => peer.log.opened.length === 1);
    peer.client.connection?.send(message("1"));
    await log.until(() => log.messages.length === 1);
    log.opened[0]?.send(message("2"));
    await peer.log.until(() => peer.log.messages.length === 1);
    assert.deepEqual([log.uids, peer.log.uids], [["1"], ["2"]]);
    assert.deepEqual([log.messages[0]?.format, peer.log.messages[0]?.format], ["xml", "xml"]);
  });

  test("a request comes with the offer's uid, messages in version 1 right behind it, and the answer is the last XML", async (t) => {
    const { server, log } = await listen(t, { protocol: "negotiate" });
    const peer = await rawPeer(t, server.port);
    const received = readAll(peer);
    await received.until(() => received.messages.length === 1);
    const offer = received.messages[0];
    assert.deepEqual(offer && readNegotiation(offer), { kind: "offer", versions: [1] });
    const uid = offer?.uid ?? "";
    // Together, as a client may do once it has the answer; the reader has to switch in the middle of a chunk.
    peer.write(
      Buffer.concat([Buffer.from(writeRequest(uid, 0).bytes("xml")), framed(message("1").bytes("protobuf"))]),
    );
    await log.until(() => log.messages.length === 1);
    log.opened[0]?.send(message("2"));
    await received.until(() => received.messages.length === 3);
    const [, response, event] = received.messages;
    assert.deepEqual(response && readNegotiation(response), { kind: "response", isAccepted: true });
    assert.deepEqual([response?.uid, event?.uid, event?.format], [uid, "2", "protobuf"]);
    // From now on XML is no TAK.
    peer.write(UNIT);
    await log.until(() => log.closed.length === 1);
    assert.equal(log.closed[0]?.code, "tak/frame-start");
  });

  test("a version that we do not speak is denied, and XML goes on", async (t) => {
    const { server, log } = await listen(t, { protocol: "negotiate" });
    const peer = await rawPeer(t, server.port);
    const received = readAll(peer);
    await received.until(() => received.messages.length === 1);
    const uid = received.messages[0]?.uid ?? "";
    peer.write(
      writeRequest(uid, 0).xml().replace('TakRequest version="1"', 'TakRequest version="2"') + withUid("1"),
    );
    await received.until(() => received.messages.length === 2);
    const response = received.messages[1];
    assert.deepEqual(response && readNegotiation(response), { kind: "response", isAccepted: false });
    await log.until(() => log.messages.length === 1);
    assert.equal(log.opened[0]?.stats.format, "xml");
  });

  /** A server of the test's own, which a client of ours negotiates with. */
  async function foreignServer(t: TestContext, options: Partial<StreamClientOptions> = {}) {
    const listening = createServer();
    listening.listen(0, "127.0.0.1");
    await once(listening, "listening");
    t.after(() => listening.close());
    const accepted = once(listening, "connection") as Promise<[Socket]>;
    const { port } = listening.address() as { port: number };
    const { client, log } = start(t, { port, protocol: "negotiate", ...options });
    const [socket] = await accepted;
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    const received = readAll(socket);
    socket.write(writeOffer("protouid-1", 0).bytes("xml"));
    await received.until(() => received.messages.length === 1);
    assert.equal(received.messages[0]?.uid, "protouid-1");
    assert.deepEqual(received.messages[0] && readNegotiation(received.messages[0]), {
      kind: "request",
      version: 1,
    });
    return { client, log, socket, received };
  }

  test("a client that is denied goes on in XML, with what it held back", async (t) => {
    const { client, log, socket, received } = await foreignServer(t);
    client.connection?.send(message("1"));
    socket.write(withUid("2"));
    await log.until(() => log.messages.length === 1);
    assert.equal(received.messages.length, 1, "nothing is sent between request and response");
    socket.write(writeResponse("protouid-1", 0, false).bytes("xml"));
    await received.until(() => received.messages.length === 2);
    assert.deepEqual([received.messages[1]?.uid, received.messages[1]?.format], ["1", "xml"]);
  });

  test("a client that gets no answer leaves after a minute", async (t) => {
    const clock = new FakeClock();
    const { log } = await foreignServer(t, { clock });
    clock.pass(59_000);
    assert.equal(log.closed.length, 0);
    clock.pass(2000);
    await log.until(() => log.closed.length === 1);
    assert.equal(log.closed[0]?.code, "tak/negotiation-timeout");
  });

  test("what a client holds back is bounded", async (t) => {
    const size = message("1").bytes("xml").length;
    const { client } = await foreignServer(t, { queuedBytesMax: 10 * size });
    for (let k = 0; k < 100; k++) client.connection?.send(message(String(k % 10)));
    assert.deepEqual(client.connection?.stats.messagesDropped, 90);
    assert.deepEqual(client.connection?.stats.queuedBytes, 10 * size);
  });

  test("both sides may be told to speak version 1 from the first byte", async (t) => {
    const { server, log } = await listen(t, { protocol: "protobuf" });
    const peer = start(t, { port: server.port, protocol: "protobuf" });
    await peer.log.until(() => peer.log.opened.length === 1);
    peer.client.connection?.send(message("1"));
    await log.until(() => log.messages.length === 1);
    assert.equal(log.messages[0]?.format, "protobuf");
  });
});

test("a client's test of the connection is answered and not passed on", async (t) => {
  const { server, log } = await listen(t);
  const peer = await rawPeer(t, server.port);
  const received = readAll(peer);
  peer.write(BARE.replace("a-h-A-M-F", "t-x-c-t") + UNIT);
  await received.until(() => received.messages.length === 1);
  assert.equal(received.messages[0]?.type, "t-x-c-t-r");
  await log.until(() => log.messages.length === 1);
  assert.deepEqual(log.uids, ["UNIT-7"]);
});

test("a peer that neither sends nor reads is closed after a while", async (t) => {
  const clock = new FakeClock();
  const { server, log } = await listen(t, { clock, idleMsMax: 60_000 });
  const peer = await rawPeer(t, server.port);
  await log.until(() => log.opened.length === 1);
  clock.pass(50_000);
  peer.write(UNIT);
  await log.until(() => log.messages.length === 1);
  clock.pass(59_000);
  assert.equal(log.closed.length, 0);
  clock.pass(2000);
  await log.until(() => log.closed.length === 1);
  assert.equal(log.closed[0]?.code, "tak/connection-idle");
});

test("connections beyond the limit are refused, and those that are open stay", async (t) => {
  const { server, log } = await listen(t, { connectionsMax: 1 });
  const first = await rawPeer(t, server.port);
  await log.until(() => log.opened.length === 1);
  const second = connect(server.port, "127.0.0.1");
  t.after(() => second.destroy());
  second.on("error", () => {});
  await log.until(() => log.refused.length === 1);
  assert.equal(log.refused[0]?.code, "tak/connections-max");
  first.write(UNIT);
  await log.until(() => log.messages.length === 1);
  assert.equal(server.connections.size, 1);
});

test("an address that is taken is a coded error", async (t) => {
  const { server } = await listen(t);
  await assert.rejects(StreamServer.listen({ port: server.port }, new Log()), (error) =>
    isRemoraError(error, "tak/listen-failed"),
  );
});

test("closing a server sends what is queued, closes its peers and leaves no timer", async () => {
  const clock = new FakeClock();
  const log = new Log();
  const server = await StreamServer.listen({ port: 0, protocol: "xml", clock }, log);
  const socket = connect(server.port, "127.0.0.1");
  const received = readAll(socket);
  await log.until(() => log.opened.length === 1);
  log.opened[0]?.send(message("1"));
  await server.close();
  await received.until(() => received.messages.length === 1);
  assert.deepEqual([log.closed, clock.timers], [[undefined], 0]);
});

describe("a client keeps its connection", () => {
  test("it tries again, ever later, until the server is there, and again when it is lost", async (t) => {
    const clock = new FakeClock();
    const spare = await StreamServer.listen({ port: 0 }, new Log());
    const { port } = spare;
    await spare.close();

    const { client, log } = start(t, { port, clock, random: () => 1, backOff: { firstMs: 100, maxMs: 250 } });
    for (const [attempt, waitMs] of [100, 200, 250].entries()) {
      await log.until(() => log.failed.length === attempt + 1);
      const error = log.failed[attempt];
      assert.equal(error?.code, "tak/connect-failed");
      const details = { name: client.name, attempt: attempt + 1, nextInMs: waitMs, reason: "ECONNREFUSED" };
      assert.deepEqual(error?.details, details);
      clock.pass(waitMs - 1);
      assert.equal(log.failed.length, attempt + 1);
      if (attempt < 2) clock.pass(1);
    }
    const first = await StreamServer.listen({ port, protocol: "xml" }, new Log());
    clock.pass(1);
    await log.until(() => log.opened.length === 1);
    clock.pass(11_000);
    await first.close();
    await log.until(() => log.closed.length === 1);
    assert.deepEqual([client.connection], [undefined]);

    const serverLog = new Log();
    const second = await StreamServer.listen({ port, protocol: "xml" }, serverLog);
    t.after(() => second.close());
    // It had lasted, so the waits start over.
    clock.pass(100);
    await log.until(() => log.opened.length === 2);
    client.connection?.send(message("again"));
    await serverLog.until(() => serverLog.messages.length === 1);
    assert.notEqual(log.opened[0]?.id, log.opened[1]?.id);
  });

  test("it gives up where that was asked for, and says so", async (t) => {
    const clock = new FakeClock();
    const spare = await StreamServer.listen({ port: 0 }, new Log());
    await spare.close();
    const backOff = { firstMs: 100, maxMs: 100, triesMax: 1 };
    const { log } = start(t, { port: spare.port, clock, random: () => 1, backOff });
    await log.until(() => log.failed.length === 1);
    clock.pass(100);
    await log.until(() => log.failed.length === 2);
    assert.match(log.failed[1]?.message ?? "", /was the last/);
    assert.equal(clock.timers, 0);
  });

  test("a try that gets no answer ends", async (t) => {
    const clock = new FakeClock();
    // It speaks TCP where TLS is spoken, so that nothing comes.
    const silent = createServer();
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const { log } = start(t, {
      port,
      clock,
      tls: {},
      connectMsMax: 3000,
      backOff: { firstMs: 1, maxMs: 1, triesMax: 0 },
    });
    await once(silent, "connection");
    clock.pass(3000);
    await log.until(() => log.failed.length === 1);
    assert.equal(log.failed[0]?.code, "tak/connect-failed");
  });

  test("one that is closed while it waits or connects does not try again", async () => {
    const clock = new FakeClock();
    const log = new Log();
    const spare = await StreamServer.listen({ port: 0 }, new Log());
    await spare.close();
    const client = StreamClient.start({ host: "127.0.0.1", port: spare.port, clock }, log);
    await log.until(() => log.failed.length === 1);
    await client.close();
    assert.equal(clock.timers, 0);
    clock.pass(100_000);
    assert.equal(log.failed.length, 1);
  });
});

describe("TLS", { skip: certificates === undefined && "no openssl here to make certificates" }, () => {
  // The suite is skipped without them.
  const {
    ca,
    server: serverTls,
    client: clientTls,
  } = certificates ?? ({} as NonNullable<typeof certificates>);

  test("messages go both ways, and both sides agree on version 1", async (t) => {
    const { server, log } = await listen(t, { tls: serverTls, protocol: "negotiate" });
    const peer = start(t, { port: server.port, tls: { ca }, protocol: "negotiate" });
    await peer.log.until(() => peer.log.opened.length === 1);
    peer.client.connection?.send(message("1"));
    await log.until(() => log.messages.length === 1);
    log.opened[0]?.send(message("2"));
    await peer.log.until(() => peer.log.messages.length === 1);
    assert.deepEqual([log.uids, peer.log.uids], [["1"], ["2"]]);
    assert.match(log.opened[0]?.name ?? "", /^tls 127\.0\.0\.1:\d+$/);
  });

  test("a server that asks for certificates lets in those that its root has signed, and no others", async (t) => {
    const { server, log } = await listen(t, { tls: { ...serverTls, ca } });
    const good = start(t, { port: server.port, tls: { ca, ...clientTls } });
    await log.until(() => log.opened.length === 1);
    good.client.connection?.send(message("1"));
    await log.until(() => log.messages.length === 1);
    start(t, { port: server.port, tls: { ca } });
    await log.until(() => log.refused.length === 1);
    assert.equal(log.refused[0]?.code, "tak/tls-failed");
    assert.equal(log.opened.length, 1);
  });

  test("a certificate may be asked for and not required, and a server not verified, where both were asked for", async (t) => {
    const { server, log } = await listen(t, { tls: { ...serverTls, ca, isClientRequired: false } });
    const { client } = start(t, { port: server.port, tls: { isServerVerified: false } });
    await log.until(() => log.opened.length === 1);
    client.connection?.send(message("1"));
    await log.until(() => log.messages.length === 1);
  });

  test("a client does not talk to a server whose certificate it cannot trust", async (t) => {
    const { server, log } = await listen(t, { tls: serverTls });
    const peer = start(t, { port: server.port, tls: {} });
    await peer.log.until(() => peer.log.failed.length === 1);
    assert.equal(peer.log.opened.length + log.messages.length, 0);
  });

  test("bytes that are no TLS are refused, and a key that is none is a coded error", async (t) => {
    const { server, log } = await listen(t, { tls: serverTls });
    const peer = await rawPeer(t, server.port);
    peer.write(UNIT);
    await log.until(() => log.refused.length === 1);
    assert.equal(log.refused[0]?.code, "tak/tls-failed");
    await assert.rejects(
      StreamServer.listen({ port: 0, tls: { key: "no key", cert: "no certificate" } }, new Log()),
      (error) => isRemoraError(error, "tak/listen-failed"),
    );
  });
});
