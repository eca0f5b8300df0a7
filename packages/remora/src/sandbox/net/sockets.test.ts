import assert from "node:assert/strict";
import * as dgram from "node:dgram";
import * as net from "node:net";
import { after, before, test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { stubResolver } from "../testing/http-servers.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import type { Change } from "./change.ts";
import { SocketError, type SocketProblem } from "./sockets.ts";

let tcp: net.Server;
let udp: dgram.Socket;
let tcpConnections = 0;
let tcpPort = 0;
let udpPort = 0;

before(async () => {
  tcp = net.createServer({ allowHalfOpen: true }, (socket) => {
    tcpConnections++;
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  tcpPort = (tcp.address() as net.AddressInfo).port; // it listens on TCP
  udp = dgram.createSocket("udp4");
  udp.on("message", (data, from) => udp.send(data, from.port, from.address));
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  udpPort = udp.address().port;
});
after(() => {
  tcp.close();
  udp.close();
});

const bytes = (content: string) => new TextEncoder().encode(content);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

function sockets(targets: readonly string[], options: Partial<SandboxOptions> = {}) {
  const grants: Grant[] = [{ capability: "net.socket", sockets: targets }];
  const tested = testSandbox({ grants, ...options });
  return { ...tested, sockets: tested.sandbox.sockets };
}

function expectProblem(problem: SocketProblem, call: () => unknown, what = ""): void {
  assert.throws(call, (error) => error instanceof SocketError && error.problem === problem, what);
}

async function until(socket: { readonly change: Change }, isSo: () => boolean): Promise<void> {
  while (!isSo()) await socket.change.next();
}

test("a granted address and port are reached, written to and read from", async () => {
  const { sockets: granted, sandbox, audit } = sockets([`tcp connect 127.0.0.1 ${tcpPort}`]);
  const connection = granted.connectTcp({ address: "127.0.0.1", port: tcpPort });
  assert.ok(connection.isConnecting);
  await until(connection, () => connection.isConnected);
  connection.write(bytes("hello"));
  await until(connection, () => connection.isReadable);
  assert.equal(text(connection.read(3) as Uint8Array), "hel");
  assert.deepEqual(sandbox.traffic, { sentBytes: 5, receivedBytes: 3 });
  assert.equal(text(connection.read(100) as Uint8Array), "lo");
  connection.end();
  await until(connection, () => connection.isReadable);
  assert.equal(connection.read(100), "end");
  assert.equal(audit.entries()[0]?.target, `tcp connect 127.0.0.1 ${tcpPort}-${tcpPort}`);
  connection.close();
  assert.equal(granted.openCount, 0);
  sandbox.close();
});

test("what no grant covers is refused before anything is connected", () => {
  const before = tcpConnections;
  const rows: [string, { address: string; port: number }][] = [
    ["tcp connect 127.0.0.1 1-1024", { address: "127.0.0.1", port: tcpPort }],
    ["tcp connect 127.0.0.2 *", { address: "127.0.0.1", port: tcpPort }],
    ["udp connect 127.0.0.1 *", { address: "127.0.0.1", port: tcpPort }],
    ["tcp listen 127.0.0.1 *", { address: "127.0.0.1", port: tcpPort }],
    ["tcp connect localhost *", { address: "127.0.0.1", port: tcpPort }],
    // "*" stands for public addresses.
    ["tcp connect * *", { address: "127.0.0.1", port: tcpPort }],
    ["tcp connect * *", { address: "169.254.169.254", port: 80 }],
    ["tcp connect * *", { address: "10.0.0.1", port: 22 }],
    ["tcp connect * *", { address: "::1", port: tcpPort }],
    ["tcp connect * *", { address: "::ffff:127.0.0.1", port: tcpPort }],
    ["tcp connect * *", { address: "0.0.0.0", port: tcpPort }],
    // So do the networks of all addresses, however they are written.
    ["tcp connect 0.0.0.0/0 *", { address: "127.0.0.1", port: tcpPort }],
    ["tcp connect ::/0 *", { address: "::1", port: tcpPort }],
    // What IPv6 maps is an address of IPv4.
    ["tcp connect ::ffff:0:0/96 *", { address: "::ffff:127.0.0.1", port: tcpPort }],
  ];
  for (const [target, remote] of rows) {
    const { sockets: granted, audit } = sockets([target]);
    expectProblem("access-denied", () => granted.connectTcp(remote), target);
    assert.equal(audit.entries()[0]?.answer, "denied");
  }
  assert.equal(tcpConnections, before);
});

test("what is no address in numbers, or no port, is refused as such", () => {
  const { sockets: granted } = sockets(["tcp connect * *"]);
  for (const address of ["localhost", "127.1", "0x7f.1", "2130706433", "fe80::1%lo", "1.2.3.4/8", ""]) {
    expectProblem("invalid-argument", () => granted.connectTcp({ address, port: 80 }), address);
  }
  for (const port of [0, -1, 65_536, 1.5, Number.NaN]) {
    expectProblem("invalid-argument", () => granted.connectTcp({ address: "8.8.8.8", port }));
  }
});

test("a name leads to its addresses when a grant mentions it, and only to public ones unless named", async () => {
  const { resolve } = stubResolver({
    "nmea.example": [["127.0.0.1"]],
    "rebound.example": [["169.254.169.254"]],
  });
  const targets = [`tcp connect nmea.example ${tcpPort}`, "tcp connect rebound.example *"];
  const { sockets: granted, sandbox } = sockets(targets, {
    network: { resolve, addresses: ["127.0.0.0/8"] },
  });
  assert.deepEqual(await granted.lookUp("NMEA.example."), ["127.0.0.1"]);
  const connection = granted.connectTcp({ address: "127.0.0.1", port: tcpPort });
  await until(connection, () => connection.isConnected);
  // The name is granted for its port alone, and its address to nobody else.
  expectProblem("access-denied", () => granted.connectTcp({ address: "127.0.0.1", port: tcpPort + 1 }));
  const problem = (promise: Promise<unknown>) =>
    promise.then(
      () => "none",
      (error: unknown) => (error instanceof SocketError ? error.problem : "other"),
    );
  assert.equal(await problem(granted.lookUp("rebound.example")), "name-unresolvable");
  assert.equal(await problem(granted.lookUp("other.example")), "access-denied");
  sandbox.close();
  const strict = sockets(targets, { network: { resolve } });
  assert.equal(await problem(strict.sockets.lookUp("nmea.example")), "name-unresolvable");
});

test("datagrams go where it is granted, and answers come back from there alone", async () => {
  const { sockets: granted, sandbox } = sockets([`udp connect 127.0.0.1 ${udpPort}`]);
  const port = granted.openUdp("ipv4");
  port.send(bytes("ping"), { address: "127.0.0.1", port: udpPort });
  await until(port, () => port.pendingCount > 0);
  const answer = port.receive();
  assert.deepEqual(
    [text(answer?.data ?? bytes("")), answer?.remote],
    ["ping", { address: "127.0.0.1", port: udpPort }],
  );
  expectProblem("access-denied", () => port.send(bytes("x"), { address: "127.0.0.1", port: udpPort + 1 }));
  expectProblem("access-denied", () => port.send(bytes("x"), { address: "255.255.255.255", port: udpPort }));
  expectProblem("invalid-argument", () => port.send(bytes("x"), { address: "::1", port: udpPort }));
  expectProblem("datagram-too-large", () =>
    port.send(new Uint8Array(70_000), { address: "127.0.0.1", port: udpPort }),
  );
  // A stranger's datagram does not arrive: the port was not granted for listening.
  const stranger = dgram.createSocket("udp4");
  const own = port.local?.port ?? 0;
  await new Promise((resolve) => stranger.send("intruder", own, "127.0.0.1", resolve));
  port.send(bytes("again"), { address: "127.0.0.1", port: udpPort });
  await until(port, () => port.pendingCount > 0);
  assert.equal(text(port.receive()?.data ?? bytes("")), "again");
  assert.equal(port.pendingCount, 0);
  assert.deepEqual(
    sandbox.traffic,
    { sentBytes: 9, receivedBytes: 9 },
    "neither what was refused nor strangers'",
  );
  stranger.close();
  sandbox.close();
});

test("listening takes a grant for the port, and what nobody receives is bounded", async () => {
  const limits = { datagramsMax: 3, datagramsBytesMax: 1_000 };
  const { sockets: granted, sandbox } = sockets(["udp listen 127.0.0.1 0"], { limits });
  const port = granted.openUdp("ipv4");
  expectProblem("access-denied", () => port.bind({ address: "0.0.0.0", port: 0 }));
  expectProblem("access-denied", () => port.bind({ address: "127.0.0.1", port: 5_353 }));
  port.bind({ address: "127.0.0.1", port: 0 });
  expectProblem("invalid-state", () => port.bind({ address: "127.0.0.1", port: 0 }));
  await until(port, () => port.state === "bound");
  expectProblem("access-denied", () => port.joinGroup("239.2.1.1"));
  const sender = dgram.createSocket("udp4");
  const local = port.local;
  assert.ok(local);
  const send = (data: Uint8Array | string) =>
    new Promise((resolve) => sender.send(data, local.port, local.address, resolve));
  for (let i = 0; i < 10; i++) await send(`${i}`);
  await send(new Uint8Array(2_000));
  while (port.lostCount < 8) await new Promise((resolve) => setImmediate(resolve)); // a turn of the loop, to receive
  assert.equal(port.pendingCount, 3);
  assert.equal(text(port.receive()?.data ?? bytes("")), "0");
  sender.close();
  sandbox.close();
});

test("a granted port takes connections, and no other address or port does", async () => {
  const { sockets: granted, sandbox, audit } = sockets(["tcp listen 127.0.0.1 0"]);
  expectProblem("access-denied", () => granted.listenTcp({ address: "0.0.0.0", port: 0 }));
  expectProblem("access-denied", () => granted.listenTcp({ address: "127.0.0.1", port: 8_080 }));
  expectProblem("access-denied", () => granted.listenTcp({ address: "::1", port: 0 }));
  assert.ok(audit.entries().every((entry) => entry.answer === "denied"));
  const listener = granted.listenTcp({ address: "127.0.0.1", port: 0 });
  await until(listener, () => listener.state === "bound");
  expectProblem("would-block", () => listener.accept());
  const peer = net.connect(listener.local?.port ?? 0, "127.0.0.1");
  peer.write("hello");
  await until(listener, () => listener.waitingCount > 0);
  const connection = listener.accept();
  assert.equal(connection.remote?.port, peer.localPort);
  await until(connection, () => connection.readableBytes === 5);
  assert.equal(text(connection.read(10) as Uint8Array), "hello"); // five bytes are there
  connection.write(bytes("back"));
  assert.equal(String(await new Promise((resolve) => peer.once("data", resolve))), "back");
  connection.endReading();
  assert.equal(connection.read(10), "end");
  sandbox.close();
  assert.equal(granted.openCount, 0);
  await new Promise((resolve) => peer.once("close", resolve));
});

test("a range of ports is granted as a range, for listening and for where a connection comes from", async () => {
  const targets = ["tcp listen 127.0.0.1 20000-20999", `tcp connect 127.0.0.1 ${tcpPort}`];
  const { sockets: granted, sandbox } = sockets(targets);
  for (const port of [0, 19_999, 21_000]) {
    expectProblem("access-denied", () => granted.listenTcp({ address: "127.0.0.1", port }), String(port));
    const local = { address: "127.0.0.1", port };
    expectProblem("access-denied", () => granted.connectTcp({ address: "127.0.0.1", port: tcpPort }, local));
  }
  const local = { address: "127.0.0.1", port: 20_000 + (process.pid % 1_000) };
  const connection = granted.connectTcp({ address: "127.0.0.1", port: tcpPort }, local);
  await until(connection, () => !connection.isConnecting);
  assert.deepEqual([connection.problem, connection.local?.port], [undefined, local.port]);
  sandbox.close();
});

test("peers beyond the queue are turned away, and those accepted count as sockets", async () => {
  const limits = { connectionsWaitingMax: 2, socketsMax: 2 };
  const { sockets: granted, sandbox } = sockets(["tcp listen 127.0.0.1 0"], { limits });
  const listener = granted.listenTcp({ address: "127.0.0.1", port: 0 });
  await until(listener, () => listener.state === "bound");
  const peers = Array.from({ length: 5 }, () => {
    const peer = net.connect(listener.local?.port ?? 0, "127.0.0.1");
    return peer.on("error", () => {});
  });
  while (listener.waitingCount + listener.turnedAwayCount < 5) {
    await new Promise((resolve) => setImmediate(resolve)); // a turn of the loop, to take connections
  }
  assert.equal(listener.waitingCount, 2);
  const first = listener.accept();
  expectProblem("new-socket-limit", () => listener.accept());
  first.close();
  listener.accept();
  sandbox.close();
  for (const peer of peers) peer.destroy();
});

test("a denial holds for an address in every form, and for whatever name leads there", async () => {
  const { resolve } = stubResolver({ "good.example": [["203.0.114.7"]], "evil.example": [["198.51.101.7"]] });
  const denials: Grant[] = [
    { capability: "net.socket", sockets: ["tcp connect 203.0.114.0/24 *", "tcp connect evil.example 443"] },
  ];
  const targets = ["tcp connect good.example *", "tcp connect * *"];
  const { sockets: granted, audit } = sockets(targets, { denials, network: { resolve } });
  await granted.lookUp("good.example");
  await granted.lookUp("evil.example");
  for (const address of [
    "203.0.114.7", // by the name, and by the star
    "::ffff:203.0.114.7",
    "::ffff:cb00:7207",
    "64:ff9b::cb00:7207",
    "2002:cb00:7207::1",
    "198.51.101.7",
  ]) {
    expectProblem("access-denied", () => granted.connectTcp({ address, port: 443 }), address);
    const last = audit.entries().findLast(({ answer }) => answer === "denied");
    assert.match(last?.rule ?? "", /denials\[0\]|a denial speaks of/, address);
  }
});

test("asking for a name is an act: it takes a grant to connect there, and the audit has it", async () => {
  const { resolve, asked } = stubResolver({ "a.example": [["8.8.8.8"]] });
  const network = { network: { resolve } };
  const lookUp = async (targets: readonly string[], denied: readonly string[] = []) => {
    const denials: Grant[] = [{ capability: "net.socket", sockets: denied }];
    const { sockets: granted, audit } = sockets(targets, { ...network, denials });
    const outcome = await granted.lookUp("a.example").catch((error: SocketError) => error.problem);
    return [outcome, audit.entries().at(-1)] as const;
  };
  const [found, line] = await lookUp(["tcp connect a.example 443"]);
  assert.deepEqual(found, ["8.8.8.8"]);
  assert.deepEqual([line?.answer, line?.target], ["allowed", "tcp connect a.example 443-443"]);
  assert.deepEqual((await lookUp(["tcp connect * 443"]))[0], ["8.8.8.8"]);
  assert.equal(asked.length, 2);
  assert.equal((await lookUp(["tcp listen * *", "udp listen a.example *"]))[0], "access-denied");
  assert.equal((await lookUp(["tcp connect * *"], ["tcp connect a.example *"]))[0], "access-denied");
  assert.equal(asked.length, 2);
});

test("an address of IPv6 is the same for grants, names and answers, however it is spelt", async (t) => {
  const peer = dgram.createSocket("udp6");
  peer.on("message", (data, from) => peer.send(data, from.port, from.address));
  const isThere = await new Promise<boolean>((resolve) => {
    peer.once("error", () => resolve(false)).bind(0, "::1", () => resolve(true));
  });
  if (!isThere) return t.skip("there is no IPv6 here");
  const { port } = peer.address();
  const { resolve } = stubResolver({ "six.example": [["::1"]] });
  const network = { resolve, addresses: ["::1"] };
  const { sockets: granted, sandbox } = sockets([`udp connect six.example ${port}`], { network });
  await granted.lookUp("six.example");
  const socket = granted.openUdp("ipv6");
  socket.send(bytes("hello"), { address: "0:0:0:0:0:0:0:1", port });
  await until(socket, () => socket.pendingCount > 0);
  assert.equal(text(socket.receive()?.data ?? bytes("")), "hello");
  sandbox.close();
  peer.close();
});

test("names that are looked up at a time are bounded, and each that is found makes room", async () => {
  let found: () => void = () => {};
  const resolve = (): Promise<readonly string[]> =>
    new Promise((done) => {
      found = () => done(["8.8.8.8"]);
    });
  const options = { network: { resolve }, limits: { lookupsPendingMax: 2 } };
  const { sockets: granted, sandbox } = sockets(["tcp connect * *"], options);
  const pending = [granted.lookUp("a.example"), granted.lookUp("b.example")];
  await assert.rejects(
    granted.lookUp("c.example"),
    (error) => error instanceof SocketError && error.problem === "temporary-resolver-failure",
  );
  found();
  await pending[1];
  const third = granted.lookUp("c.example");
  found();
  assert.deepEqual(await third, ["8.8.8.8"]);
  sandbox.close();
});

test("sockets are bounded in number, and closing one makes room", () => {
  const { sockets: granted, sandbox } = sockets(["udp connect 127.0.0.1 *"], { limits: { socketsMax: 2 } });
  const first = granted.openUdp("ipv4");
  granted.openUdp("ipv6");
  expectProblem("new-socket-limit", () => granted.openUdp("ipv4"));
  first.close();
  granted.openUdp("ipv4");
  sandbox.close();
  assert.equal(granted.openCount, 0);
});

test("a writer waits for a reader that does not read, and takes no memory meanwhile", async () => {
  const deaf = net.createServer((socket) => void socket.on("error", () => {}).pause());
  await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  const { port } = deaf.address() as net.AddressInfo; // it listens on TCP
  const { sockets: granted, sandbox } = sockets([`tcp connect 127.0.0.1 ${port}`]);
  const connection = granted.connectTcp({ address: "127.0.0.1", port });
  await until(connection, () => connection.isConnected);
  let sent = 0;
  for (
    let room = connection.room;
    room !== 0 && room !== "end" && sent < 100_000_000;
    room = connection.room
  ) {
    connection.write(new Uint8Array(room));
    sent += room;
  }
  assert.equal(connection.room, 0);
  expectProblem("would-block", () => connection.write(bytes("x")));
  sandbox.close();
  deaf.close();
});

test("a connection that is refused, or takes too long, says so", async () => {
  const gone = net.createServer();
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  const { port } = gone.address() as net.AddressInfo; // it listens on TCP
  await new Promise((resolve) => gone.close(resolve));
  const { sockets: granted, sandbox } = sockets([`tcp connect 127.0.0.1 ${port}`]);
  const connection = granted.connectTcp({ address: "127.0.0.1", port });
  await until(connection, () => !connection.isConnecting);
  assert.equal(connection.problem, "connection-refused");
  expectProblem("connection-refused", () => connection.read(1));
  sandbox.close();
});

test("what comes to a connection that takes no more stays with the peer", async (t) => {
  let sentBytes = 0;
  const flood = net.createServer((socket) => {
    socket.on("error", () => {});
    const more = (): void => {
      if (!socket.destroyed) socket.write(new Uint8Array(65_536), more);
      sentBytes += 65_536;
    };
    more();
  });
  t.after(() => flood.close());
  await new Promise<void>((resolve) => flood.listen(0, "127.0.0.1", resolve));
  const { port } = flood.address() as net.AddressInfo; // it listens on TCP
  const { sockets: granted, sandbox } = sockets([`tcp connect 127.0.0.1 ${port}`]);
  const connection = granted.connectTcp({ address: "127.0.0.1", port });
  await until(connection, () => connection.readableBytes > 0);
  connection.endReading();
  for (let turns = 0; turns < 2_000; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(sentBytes < 30_000_000, `${sentBytes}: more than the system keeps for both`);
  sandbox.close();
});
