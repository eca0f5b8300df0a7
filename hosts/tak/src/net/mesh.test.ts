import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { type TestContext, test } from "node:test";
import { isRemoraError } from "remora/base";
import { readMessage } from "../cot/event-decoder.ts";
import { BARE, eventOfSize, UNIT } from "../cot/events.fixture.ts";
import { Mesh, type MeshOptions } from "./mesh.ts";
import { FakeClock, Log } from "./peers.fixture.ts";

const message = (uid: string) => readMessage(Buffer.from(BARE.replace("BARE-1", uid)));

async function open(t: TestContext, options: Partial<MeshOptions> = {}) {
  const log = new Log();
  const mesh = await Mesh.open({ port: 0, ...options }, log);
  t.after(() => mesh.closed());
  return { mesh, log };
}

/** A peer that is nothing but a socket. */
async function rawPeer(t: TestContext, address = "127.0.0.1") {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  t.after(() => socket.close());
  const received: Buffer[] = [];
  let wake = () => {};
  socket.on("message", (bytes) => {
    received.push(bytes);
    wake();
  });
  const until = async (count: number) => {
    while (received.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { socket, received, until, port: socket.address().port };
}

test("datagrams of both versions come in from anyone, and go out to each destination", async (t) => {
  const a = await open(t);
  const b = await open(t, { destinations: [{ host: "127.0.0.1", port: a.mesh.port }], protocol: "xml" });
  const c = await open(t, { destinations: [{ host: "127.0.0.1", port: a.mesh.port }] });
  assert.ok(b.mesh.send(message("1")));
  await a.log.until(() => a.log.messages.length === 1);
  assert.ok(c.mesh.send(message("2")));
  await a.log.until(() => a.log.messages.length === 2);
  assert.deepEqual(
    a.log.messages.map(({ uid, format }) => [uid, format]),
    [
      ["1", "xml"],
      ["2", "protobuf"],
    ],
  );
  assert.equal(a.mesh.stats.messagesIn, 2);
  assert.equal(c.mesh.stats.messagesOut, 1);
});

test("as soon as one contact sends XML, XML is sent", async (t) => {
  const peer = await rawPeer(t);
  const { mesh, log } = await open(t, { destinations: [{ host: "127.0.0.1", port: peer.port }] });
  await peer.until(1);
  assert.equal(mesh.stats.format, "protobuf");
  peer.socket.send(UNIT, mesh.port, "127.0.0.1");
  await log.until(() => log.messages.length === 1);
  assert.equal(mesh.stats.format, "xml");
  mesh.send(message("1"));
  await peer.until(2);
  assert.ok(peer.received[1]?.toString().startsWith("<event"));
});

test("what a destination answers comes in, where it came from, and nothing that others send there", async (t) => {
  const [peer, stranger] = [await rawPeer(t), await rawPeer(t)];
  const { mesh, log } = await open(t, { destinations: [{ host: "127.0.0.1", port: peer.port }] });
  peer.socket.once("message", (_, from) => {
    assert.equal(from.port, mesh.port);
    stranger.socket.send(BARE.replace("BARE-1", "stranger"), from.port, "127.0.0.1", () => {
      peer.socket.send(BARE.replace("BARE-1", "peer"), from.port, "127.0.0.1");
    });
  });
  await log.until(() => log.messages.length > 0);
  assert.deepEqual(log.uids, ["peer"]);
});

/** Whether this machine's network can do that. */
async function works(socket: Socket, use: (socket: Socket) => Promise<unknown>): Promise<boolean> {
  try {
    await use(socket);
    return true;
  } catch {
    // No such address or interface, no route, or nothing came: what this asks.
    return false;
  } finally {
    socket.close();
  }
}

const hasIpv6 = () =>
  works(createSocket("udp6"), (socket) => {
    socket.bind(0, "::1");
    return once(socket, "listening");
  });

test("a destination of IPv6 is heard however its address was written", async (t) => {
  if (!(await hasIpv6())) {
    t.skip("no IPv6 on this machine");
    return;
  }
  const peer = await rawPeer(t, "::1");
  const { log } = await open(t, { destinations: [{ host: "0:0:0:0:0:0:0:1", port: peer.port }] });
  peer.socket.once("message", (_, from) => peer.socket.send(BARE, from.port, "::1"));
  await log.until(() => log.messages.length > 0);
  assert.deepEqual(log.uids, ["BARE-1"]);
});

/** An address of nobody (RFC 5737), on no network of this machine. */
const ELSEWHERE = { host: "192.0.2.1", port: 9 };

/** Whether this machine has a way out of itself, which not every container has. */
const hasRoute = () =>
  works(
    createSocket("udp4"),
    (socket) =>
      new Promise<void>((resolve, reject) => {
        socket.send("?", ELSEWHERE.port, ELSEWHERE.host, (error) => (error ? reject(error) : resolve()));
      }),
  );

test("a destination may be on another machine", async (t) => {
  if (!(await hasRoute())) {
    t.skip("no network on this machine");
    return;
  }
  const { mesh } = await open(t, { destinations: [ELSEWHERE] });
  assert.ok(mesh.send(message("1")));
  await mesh.closed();
  assert.equal(mesh.stats.messagesDropped, 0);
});

test("it says which versions it reads when it opens and then each minute", async (t) => {
  const clock = new FakeClock();
  const peer = await rawPeer(t);
  const destinations = [{ host: "127.0.0.1", port: peer.port }];
  await open(t, { destinations, clock, contactUid: "C" });
  await peer.until(1);
  clock.pass(59_000);
  clock.pass(1000);
  await peer.until(2);
  for (const datagram of peer.received) assert.equal(datagram.toString("hex"), "bf01bf0a07080110011a0143");
});

test("a bad datagram costs itself", async (t) => {
  const peer = await rawPeer(t);
  const { mesh, log } = await open(t);
  const bad = [
    "no TAK at all",
    UNIT.slice(0, 99),
    Buffer.from("bf02bf00", "hex"),
    Buffer.from("bf01bf12ff", "hex"),
    "<!DOCTYPE a><a/>",
  ];
  for (const bytes of bad) peer.socket.send(bytes, mesh.port, "127.0.0.1");
  peer.socket.send(UNIT, mesh.port, "127.0.0.1");
  await log.until(() => log.messages.length === 1);
  assert.deepEqual(log.badCodes, [
    "tak/datagram-header",
    "tak/stream-cut",
    "tak/version-unsupported",
    "tak/protobuf-malformed",
    "tak/xml-doctype",
  ]);
  assert.equal(mesh.stats.badEventsIn, 5);
});

test("an event that no datagram can take is dropped with an error", async (t) => {
  const { mesh, log } = await open(t, { destinations: [{ host: "127.0.0.1", port: 9 }] });
  assert.equal(mesh.send(readMessage(Buffer.from(eventOfSize(70_000)))), false);
  assert.deepEqual(log.badCodes, ["tak/datagram-too-large"]);
  assert.equal(mesh.stats.messagesDropped, 1);
});

const GROUP = { address: "239.2.3.1", interface: "127.0.0.1" };

/** Whether a group works on this machine's loopback, which not every container has. */
const hasMulticast = () =>
  works(createSocket({ type: "udp4", reuseAddr: true }), async (socket) => {
    socket.bind(0);
    await once(socket, "listening");
    socket.addMembership(GROUP.address, GROUP.interface);
    socket.setMulticastInterface(GROUP.interface);
    socket.send("?", socket.address().port, GROUP.address);
    await once(socket, "message", { signal: AbortSignal.timeout(1000) });
  });

test("members of a group hear each other and not themselves", async (t) => {
  if (!(await hasMulticast())) {
    t.skip("no multicast on this machine's loopback");
    return;
  }
  const a = await open(t, { group: GROUP, port: 0 });
  const b = await open(t, { group: GROUP, port: a.mesh.port });
  assert.ok(a.mesh.send(message("from a")));
  await b.log.until(() => b.log.messages.length === 1);
  assert.ok(b.mesh.send(message("from b")));
  await a.log.until(() => a.log.messages.length === 1);
  assert.deepEqual([a.log.uids, b.log.uids], [["from b"], ["from a"]]);
});

test("an address that is not ours is a coded error, and a closed mesh sends nothing", async (t) => {
  await assert.rejects(Mesh.open({ port: 0, host: "192.0.2.1" }, new Log()), (error) =>
    isRemoraError(error, "tak/listen-failed"),
  );
  const clock = new FakeClock();
  const { mesh, log } = await open(t, { clock });
  await mesh.closed();
  assert.equal(mesh.send(message("1")), false);
  assert.deepEqual([log.closed, clock.timers], [[undefined], 0]);
});
