import assert from "node:assert/strict";
import * as dgram from "node:dgram";
import * as net from "node:net";
import { after, before, test } from "node:test";
import { ComponentError } from "../../component/index.ts";
import type { Grant } from "../../policy/index.ts";
import { suspendedWaiting } from "../machine/waiting.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { stubResolver } from "../testing/http-servers.ts";
import { expectEnded, interfaceOf, testSandbox } from "../testing/sandboxes.ts";
import { endpointOf, type IpSocketAddress, ipAddressOf, socketAddressOf } from "./network-addresses.ts";
import type { Pollable } from "./poll.ts";
import { socketInterfaces } from "./sockets.ts";
import { IoError, StreamFailure } from "./streams.ts";

type Made<Name extends keyof typeof socketInterfaces> = ReturnType<(typeof socketInterfaces)[Name]>;

let tcp: net.Server;
let udp: dgram.Socket;
let tcpAddress: IpSocketAddress;
let udpAddress: IpSocketAddress;

before(async () => {
  tcp = net.createServer({ allowHalfOpen: true }, (socket) => void socket.on("error", () => {}).pipe(socket));
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  tcpAddress = socketAddressOf(tcp.address() as net.AddressInfo); // it listens on TCP
  udp = dgram.createSocket("udp4");
  udp.on("message", (data, from) => udp.send(data, from.port, from.address));
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  udpAddress = socketAddressOf(udp.address());
});
after(() => {
  tcp.close();
  udp.close();
});

function guestOf(options: Partial<SandboxOptions> = {}) {
  const targets = [
    "tcp connect 127.0.0.1 *",
    "udp connect 127.0.0.1 *",
    "udp listen 127.0.0.1 0",
    "tcp listen 127.0.0.1 0",
  ];
  const grants: Grant[] = [{ capability: "wasi.base" }, { capability: "net.socket", sockets: targets }];
  const tested = testSandbox({ grants, waiting: suspendedWaiting, ...options });
  const made = <Name extends keyof typeof socketInterfaces>(_name: Name, interfaceName: string) =>
    interfaceOf<Made<Name>>(tested.instance, `wasi:sockets/${interfaceName}@0.2.0`);
  return {
    ...tested,
    network: made("instanceNetwork", "instance-network").instanceNetwork(),
    createTcp: made("tcpCreateSocket", "tcp-create-socket").createTcpSocket,
    createUdp: made("udpCreateSocket", "udp-create-socket").createUdpSocket,
    resolve: made("ipNameLookup", "ip-name-lookup").resolveAddresses,
  };
}

function payloadOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof ComponentError, String(error));
    return error.payload;
  }
  return assert.fail("expected an error result");
}

async function ready(pollable: Pollable): Promise<void> {
  await pollable.block();
  pollable[Symbol.dispose]();
}

const bytes = (content: string) => new TextEncoder().encode(content);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

test("addresses are the same in WIT's form and as text", () => {
  for (const address of ["127.0.0.1", "255.0.1.2", "2001:db8:0:0:0:0:0:1", "0:0:0:0:0:0:0:1"]) {
    assert.deepEqual(endpointOf(socketAddressOf({ address, port: 80 })), { address, port: 80 });
  }
  assert.deepEqual(ipAddressOf("::ffff:127.0.0.1").val, [0, 0, 0, 0, 0, 0xffff, 0x7f00, 1]);
});

test("a guest connects, writes, reads and sees the end", async () => {
  const { createTcp, network, sandbox } = guestOf();
  const socket = createTcp("ipv4");
  assert.equal(
    payloadOf(() => socket.finishConnect()),
    "not-in-progress",
  );
  socket.startConnect(network, tcpAddress);
  assert.equal(
    payloadOf(() => socket.finishConnect()),
    "would-block",
  );
  await ready(socket.subscribe());
  const [input, output] = socket.finishConnect();
  assert.deepEqual(socket.remoteAddress(), tcpAddress);
  assert.equal(socket.localAddress().tag, "ipv4");
  await output.blockingWriteAndFlush(bytes("hello"));
  assert.equal(text(await input.blockingRead(100n)), "hello");
  socket.shutdown("send");
  await assert.rejects(
    async () => input.blockingRead(100n),
    (error) => error instanceof ComponentError && (error.payload as { tag: string }).tag === "closed",
  );
  assert.deepEqual(
    payloadOf(() => output.checkWrite()),
    { tag: "closed" },
  );
  socket[Symbol.dispose]();
  assert.equal(sandbox.sockets.openCount, 0);
});

test("the failure of a socket's stream has its code, and that of another stream has none", () => {
  const { network } = socketInterfaces;
  const { networkErrorCode } = network();
  const failure = new StreamFailure("connection-reset", "connection-reset");
  assert.equal(networkErrorCode(new IoError("", failure)), "connection-reset");
  assert.equal(networkErrorCode(new IoError("", new StreamFailure("", { tag: "DNS-timeout" }))), undefined);
  assert.equal(networkErrorCode(new IoError("", undefined)), undefined);
});

test("what is refused or not supported says so", () => {
  const { createTcp, network } = guestOf();
  const socket = createTcp("ipv4");
  const metadata = socketAddressOf({ address: "169.254.169.254", port: 80 });
  assert.equal(
    payloadOf(() => socket.startConnect(network, metadata)),
    "access-denied",
  );
  assert.equal(
    payloadOf(() => socket.startConnect(network, socketAddressOf({ address: "::1", port: 1 }))),
    "invalid-argument",
  );
  for (const [code, call] of [
    ["invalid-state", () => socket.startListen()],
    ["not-in-progress", () => socket.finishListen()],
    ["not-in-progress", () => socket.finishBind()],
    ["invalid-state", () => socket.accept()],
    ["access-denied", () => socket.startBind(network, socketAddressOf({ address: "0.0.0.0", port: 80 }))],
  ] as const) {
    assert.equal(payloadOf(call), code);
  }
  for (const name of ["hopLimit", "setKeepAliveCount"] as const) {
    const options = socket as unknown as Record<typeof name, () => unknown>; // what it does not support is not typed
    assert.equal(
      payloadOf(() => options[name]()),
      "not-supported",
    );
  }
});

test("options are what the host makes of them, and zero is none", () => {
  const { createTcp, createUdp, sandbox } = guestOf();
  const [tcpSocket, udpSocket] = [createTcp("ipv4"), createUdp("ipv4")];
  tcpSocket.setListenBacklogSize(1_000_000n);
  tcpSocket.setKeepAliveEnabled(true);
  tcpSocket.setKeepAliveIdleTime(1n);
  assert.deepEqual([tcpSocket.keepAliveEnabled(), tcpSocket.keepAliveIdleTime()], [true, 1_000_000_000n]);
  for (const socket of [tcpSocket, udpSocket]) {
    const before = socket.receiveBufferSize();
    socket.setReceiveBufferSize(2n ** 60n);
    socket.setSendBufferSize(2n ** 60n);
    assert.equal(socket.receiveBufferSize(), before);
  }
  udpSocket.setUnicastHopLimit(3);
  assert.equal(udpSocket.unicastHopLimit(), 3);
  for (const call of [
    () => tcpSocket.setListenBacklogSize(0n),
    () => tcpSocket.setKeepAliveIdleTime(0n),
    () => tcpSocket.setSendBufferSize(0n),
    () => udpSocket.setReceiveBufferSize(0n),
    () => udpSocket.setUnicastHopLimit(0),
  ]) {
    assert.equal(payloadOf(call), "invalid-argument");
  }
  sandbox.close();
});

test("a guest listens, accepts and answers", async () => {
  const { createTcp, network, sandbox } = guestOf();
  const socket = createTcp("ipv4");
  socket.startBind(network, socketAddressOf({ address: "127.0.0.1", port: 0 }));
  assert.equal(
    payloadOf(() => socket.finishBind()),
    "would-block",
  );
  await ready(socket.subscribe());
  socket.finishBind();
  const { port } = socket.localAddress().val;
  socket.startListen();
  socket.finishListen();
  assert.equal(socket.isListening(), true);
  assert.equal(
    payloadOf(() => socket.accept()),
    "would-block",
  );
  const peer = net.connect(port, "127.0.0.1");
  peer.end("question");
  await ready(socket.subscribe());
  const [accepted, input, output] = socket.accept();
  assert.equal(accepted.remoteAddress().val.port, peer.localPort);
  assert.equal(text(await input.blockingRead(100n)), "question");
  await output.blockingWriteAndFlush(bytes("answer"));
  assert.equal(String(await new Promise((resolve) => peer.once("data", resolve))), "answer");
  accepted.shutdown("receive");
  await assert.rejects(async () => input.blockingRead(1n), ComponentError);
  accepted[Symbol.dispose]();
  socket[Symbol.dispose]();
  assert.equal(sandbox.sockets.openCount, 0);
});

test("a connection that finds no handle left ends the instance, and is not kept", async () => {
  const { createTcp, network, instance, sandbox } = guestOf({ limits: { handlesMax: 3 } });
  const socket = createTcp("ipv4");
  socket.startBind(network, socketAddressOf({ address: "127.0.0.1", port: 0 }));
  await ready(socket.subscribe());
  socket.finishBind();
  socket.startListen();
  socket.finishListen();
  const peer = net.connect(socket.localAddress().val.port, "127.0.0.1").on("error", () => {});
  await ready(socket.subscribe());
  expectEnded("sandbox/limit-exceeded", () => socket.accept());
  assert.equal(sandbox.sockets.openCount, 1);
  instance.close();
  assert.equal(sandbox.sockets.openCount, 0);
  peer.destroy();
});

test("datagrams are sent within what was permitted, and received with where they came from", async () => {
  const { createUdp, network, sandbox } = guestOf();
  const socket = createUdp("ipv4");
  socket.startBind(network, socketAddressOf({ address: "127.0.0.1", port: 0 }));
  await ready(socket.subscribe());
  socket.finishBind();
  const [incoming, outgoing] = socket.stream(udpAddress);
  const datagram = { data: bytes("ping"), remoteAddress: undefined };
  expectEnded("sandbox/limit-exceeded", () => outgoing.send([datagram]));
  assert.equal(outgoing.checkSend(), 64n);
  assert.equal(outgoing.send([datagram, { ...datagram, remoteAddress: tcpAddress }]), 1n);
  assert.equal(
    payloadOf(() => outgoing.send([{ ...datagram, remoteAddress: tcpAddress }])),
    "invalid-argument",
  );
  await ready(incoming.subscribe());
  const found = incoming.receive(10n);
  assert.deepEqual(
    found.map(({ data, remoteAddress }) => [text(data), remoteAddress]),
    [["ping", udpAddress]],
  );
  assert.deepEqual(incoming.receive(10n), []);
  sandbox.close();
});

test("names are resolved when they are granted", async () => {
  const { resolve: stub } = stubResolver({ "nmea.example": [["127.0.0.1", "2606:4700::1111"]] });
  const grants: Grant[] = [{ capability: "net.socket", sockets: ["tcp connect nmea.example 10110"] }];
  const { resolve, network } = guestOf({ grants, network: { resolve: stub, addresses: ["127.0.0.1"] } });
  const stream = resolve(network, "nmea.example");
  assert.equal(
    payloadOf(() => stream.resolveNextAddress()),
    "would-block",
  );
  await ready(stream.subscribe());
  assert.deepEqual(stream.resolveNextAddress(), ipAddressOf("127.0.0.1"));
  assert.deepEqual(stream.resolveNextAddress(), ipAddressOf("2606:4700::1111"));
  assert.equal(stream.resolveNextAddress(), undefined);
  const denied = resolve(network, "other.example");
  await ready(denied.subscribe());
  assert.equal(
    payloadOf(() => denied.resolveNextAddress()),
    "access-denied",
  );
  assert.equal(
    payloadOf(() => resolve(network, "a b")),
    "invalid-argument",
  );
});

test("sockets are closed with their instance", () => {
  const { createTcp, createUdp, network, instance, sandbox } = guestOf();
  createUdp("ipv4");
  createTcp("ipv4").startConnect(network, tcpAddress);
  assert.equal(sandbox.sockets.openCount, 2);
  instance.close();
  assert.equal(sandbox.sockets.openCount, 0);
});
