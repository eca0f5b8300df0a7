/** Sockets whose grants are taken: what is still covered by what is left goes on, and what is not is cut. */

import assert from "node:assert/strict";
import * as dgram from "node:dgram";
import * as net from "node:net";
import { type TestContext, test } from "node:test";
import { ComponentError } from "../../component/index.ts";
import type { Grant } from "../../policy/index.ts";
import { Network } from "../preview2/socket-terms.ts";
import type { socketInterfaces } from "../preview2/sockets.ts";
import type { TcpSocket } from "../preview2/tcp-socket.ts";
import type { UdpSocket } from "../preview2/udp-socket.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { stubResolver } from "../testing/http-servers.ts";
import { interfaceOf, testSandbox } from "../testing/sandboxes.ts";
import { SocketError } from "./sockets.ts";
import type { TcpConnection } from "./tcp.ts";

const socket = (...sockets: string[]): Grant => ({ capability: "net.socket", sockets });
const isDenied = (error: unknown) => error instanceof SocketError && error.problem === "access-denied";

function opened(t: TestContext, targets: readonly string[], options: Partial<SandboxOptions> = {}) {
  const names = ["a.example", "b.example"].map((name) => [name, [["127.0.0.1"]]] as const);
  const { resolve } = stubResolver({ ...Object.fromEntries(names), "public.example": [["9.9.9.9"]] });
  const network = { resolve, addresses: ["127.0.0.0/8"] };
  const { sandbox } = testSandbox({ grants: [socket(...targets)], network, ...options });
  t.after(() => sandbox.close());
  return sandbox;
}

/** A server that says so much to everybody. */
async function talker(t: TestContext): Promise<number> {
  const server = net.createServer((peer) => void peer.on("error", () => {}).write("said"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as net.AddressInfo).port; // it listens on TCP
}

async function hears(connection: TcpConnection): Promise<void> {
  while (connection.readableBytes === 0) await connection.change.next();
}

const said = new Uint8Array(Buffer.from("said"));

/** The port stands for "P". Each was connected by the name "a.example", which led to 127.0.0.1, as "b.example" did. */
const left: Readonly<Record<string, [left: readonly string[], goesOn: boolean]>> = {
  "the address": [["tcp connect 127.0.0.1 P"], true],
  "a network around the address": [["tcp connect 127.0.0.0/8 *"], true],
  "another name that led there": [["tcp connect b.example P"], true],
  "the name, for more ports": [["tcp connect a.example *"], true],
  nothing: [[], false],
  "any public address": [["tcp connect * *"], false],
  "all addresses of IPv4": [["tcp connect 0.0.0.0/0 *"], false],
  "the name, for another port": [["tcp connect a.example 1"], false],
  "another protocol": [["udp connect 127.0.0.1 P"], false],
  "listening there": [["tcp listen 127.0.0.1 P"], false],
  "a name that was not looked up": [["tcp connect c.example P"], false],
};

for (const [what, [templates, goesOn]] of Object.entries(left)) {
  test(`a connection by a name that is taken ${goesOn ? "goes on" : "is cut"} when what is left is: ${what}`, async (t) => {
    const port = await talker(t);
    const rest = templates.map((target) => target.replace(" P", ` ${port}`));
    const sandbox = opened(t, [`tcp connect a.example ${port}`, ...rest]);
    const { sockets } = sandbox;
    await sockets.lookUp("a.example");
    if (rest.some((target) => target.includes(" b."))) await sockets.lookUp("b.example");
    const connection = sockets.connectTcp({ address: "127.0.0.1", port });
    await hears(connection);
    sandbox.narrow([socket(...rest)]);
    assert.equal(sockets.openCount, goesOn ? 1 : 0);
    if (goesOn) assert.deepEqual(connection.read(100), said);
    else {
      assert.throws(() => connection.read(100), isDenied, "which is no end");
      assert.throws(() => sockets.connectTcp({ address: "127.0.0.1", port }), isDenied);
    }
    sandbox.narrow([]);
    assert.equal(sockets.openCount, 0);
    assert.throws(() => connection.read(100), isDenied);
  });
}

test("a connection by a public name goes on by a grant for all public addresses, and by none for names", async (t) => {
  const targets = ["tcp listen 127.0.0.1 0", "tcp connect * 443"];
  const sandbox = opened(t, [...targets, "tcp connect public.example 443"]);
  await sandbox.sockets.lookUp("public.example");
  // From the loopback nothing leaves the machine.
  sandbox.sockets.connectTcp({ address: "9.9.9.9", port: 443 }, { address: "127.0.0.1", port: 0 });
  sandbox.narrow([socket(...targets)]);
  assert.equal(sandbox.sockets.openCount, 1);
  sandbox.narrow([socket("tcp listen 127.0.0.1 0", "tcp connect other.example 443")]);
  assert.equal(sandbox.sockets.openCount, 0);
});

test("a connection goes on by the name that it was made by, though more names have been looked up since than are remembered", async (t) => {
  const port = await talker(t);
  const byName = `tcp connect a.example ${port}`;
  const network = { resolve: async () => ["127.0.0.1"], addresses: ["127.0.0.0/8"] };
  const sandbox = opened(t, [byName, `tcp connect 127.0.0.1 ${port}`, "tcp connect * 1"], { network });
  const { sockets } = sandbox;
  await sockets.lookUp("a.example");
  const connection = sockets.connectTcp({ address: "127.0.0.1", port });
  for (let at = 0; at < 2_000; at++) await sockets.lookUp(`${at}.example`);
  sandbox.narrow([socket(byName)]);
  assert.equal(connection.problem, undefined);
  assert.equal(sockets.openCount, 1);
  // A new one is no longer told from any other to that address.
  assert.throws(() => sockets.connectTcp({ address: "127.0.0.1", port }), isDenied);
});

async function udpEcho(t: TestContext): Promise<number> {
  const echo = dgram.createSocket("udp4");
  echo.on("message", (data, from) => echo.send(data, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, "127.0.0.1", resolve));
  t.after(() => echo.close());
  return echo.address().port;
}

test("a port for datagrams goes on with the peers that are left, and tells nothing more of the one that was taken", async (t) => {
  const [lost, kept] = [await udpEcho(t), await udpEcho(t)];
  const toKept = socket(`udp connect 127.0.0.1 ${kept}`);
  const sandbox = opened(t, [`udp connect 127.0.0.1 ${lost}`, `udp connect 127.0.0.1 ${kept}`]);
  const udp = sandbox.sockets.openUdp("ipv4");
  const send = (port: number) =>
    udp.send(Uint8Array.of(port === lost ? 1 : 2), { address: "127.0.0.1", port });
  const pending = async (count: number) => {
    while (udp.pendingCount < count) await udp.change.next();
  };
  for (const port of [lost, kept]) send(port);
  await pending(2);
  sandbox.narrow([toKept]);
  assert.equal(udp.pendingCount, 1);
  assert.deepEqual(udp.receive()?.data, Uint8Array.of(2));
  assert.throws(() => send(lost), isDenied);
  send(kept);
  await pending(1);
  assert.deepEqual(udp.receive()?.remote.port, kept);
  sandbox.narrow([]);
  assert.equal(udp.state, "closed");
});

test("whoever waits for a socket that is taken is told so, and neither waits on nor asks again and again", async (t) => {
  const port = await talker(t);
  const grants = [
    { capability: "wasi.base" } as const,
    socket(`tcp connect 127.0.0.1 ${port}`, "tcp listen 127.0.0.1 0", "udp listen 127.0.0.1 0"),
  ];
  const { sandbox, instance } = testSandbox({ grants });
  t.after(() => sandbox.close());
  const tcp = interfaceOf<ReturnType<typeof socketInterfaces.tcpCreateSocket>>(
    instance,
    "wasi:sockets/tcp-create-socket@0.2.0",
  );
  const udp = interfaceOf<ReturnType<typeof socketInterfaces.udpCreateSocket>>(
    instance,
    "wasi:sockets/udp-create-socket@0.2.0",
  );
  const network = new Network();
  const at = (port: number) => ({ tag: "ipv4", val: { port, address: [127, 0, 0, 1] } }) as const;
  const bound = async <Socket extends TcpSocket | UdpSocket>(socket: Socket): Promise<Socket> => {
    socket.startBind(network, at(0));
    while (!socket.subscribe().ready()) await new Promise((resolve) => setImmediate(resolve));
    socket.finishBind();
    return socket;
  };
  const create = () => tcp.createTcpSocket("ipv4");
  const [connecting, binding] = [create(), create()];
  const listening = await bound(create());
  listening.startListen();
  listening.finishListen();
  const [incoming, outgoing] = (await bound(udp.createUdpSocket("ipv4"))).stream(undefined);
  binding.startBind(network, at(0));
  connecting.startConnect(network, at(port));
  for (const waiting of [connecting, binding, listening, incoming])
    assert.equal(waiting.subscribe().ready(), false);
  sandbox.narrow([{ capability: "wasi.base" }]);
  for (const waiting of [connecting, binding, listening, incoming, outgoing])
    assert.equal(waiting.subscribe().ready(), true);
  const isTold = (error: unknown) => error instanceof ComponentError && error.payload === "access-denied";
  const asked: readonly (() => unknown)[] = [
    () => connecting.finishConnect(),
    () => binding.finishBind(),
    () => listening.accept(),
    () => incoming.receive(1n),
    () => outgoing.checkSend(),
  ];
  for (const ask of asked) assert.throws(ask, isTold, String(ask));
});

test("a name that is looked up passes the gate once, whatever is taken before all its addresses are told", async (t) => {
  let answer: (addresses: readonly string[]) => void = () => {};
  const resolve = () =>
    new Promise<readonly string[]>((settle) => {
      answer = settle;
    });
  const name = socket("tcp connect a.example 443");
  const clock: Grant = { capability: "clock.read" };
  const { sandbox, instance } = testSandbox({ grants: [name, clock], network: { resolve } });
  t.after(() => sandbox.close());
  const { resolveAddresses } = interfaceOf<ReturnType<typeof socketInterfaces.ipNameLookup>>(
    instance,
    "wasi:sockets/ip-name-lookup@0.2.0",
  );
  const found = resolveAddresses(new Network(), "a.example");
  sandbox.narrow([name]);
  answer(["8.8.8.8", "1.1.1.1"]);
  while (!found.subscribe().ready()) await new Promise((done) => setImmediate(done));
  assert.deepEqual(found.resolveNextAddress()?.val, [8, 8, 8, 8]);
  assert.deepEqual(found.resolveNextAddress()?.val, [1, 1, 1, 1]);
  assert.deepEqual(sandbox.gate.counts()["net.socket"], { allowed: 1, refused: 0 });
});
