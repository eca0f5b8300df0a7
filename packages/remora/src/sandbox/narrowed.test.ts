/** What is taken from a plugin while it runs: whatever its guests opened by it before is closed, or refused from then on. */

import assert from "node:assert/strict";
import * as dgram from "node:dgram";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { WebSocketServer } from "ws";
import { ComponentError } from "../component/index.ts";
import type { Grant } from "../policy/index.ts";
import { diskVolume } from "./fs/disk-volume.ts";
import { FsError } from "./fs/errno.ts";
import { FileHandle } from "./fs/file-handle.ts";
import { FolderHandle } from "./fs/folder-handle.ts";
import { MountGate } from "./fs/mount-gate.ts";
import { Quota } from "./fs/quota.ts";
import { HttpFailure } from "./http/failure.ts";
import { SocketError } from "./net/sockets.ts";
import type { httpTypes, outgoingHandler } from "./preview2/http.ts";
import type { Bucket } from "./preview2/keyvalue.ts";
import { Network } from "./preview2/socket-terms.ts";
import type { socketInterfaces } from "./preview2/sockets.ts";
import type { SandboxOptions } from "./sandbox-imports.ts";
import { stubResolver, testServer } from "./testing/http-servers.ts";
import { interfaceOf, testSandbox } from "./testing/sandboxes.ts";

function opened(t: TestContext, grants: readonly Grant[], options: Partial<SandboxOptions> = {}) {
  const tested = testSandbox({ grants, ...options });
  t.after(() => tested.sandbox.close());
  return tested;
}

const socket = (...sockets: string[]): Grant => ({ capability: "net.socket", sockets });
const http = (...origins: string[]): Grant => ({ capability: "net.http", origins });

async function tcpServer(t: TestContext): Promise<{ port: number; peers: net.Socket[] }> {
  const peers: net.Socket[] = [];
  const server = net.createServer((peer) => void peers.push(peer.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const peer of peers) peer.destroy();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, peers }; // it listens on TCP
}

const isDenied = (error: unknown) => error instanceof SocketError && error.problem === "access-denied";

test("a sandbox that is closed opens nothing any more, for a host function that comes late either", async (t) => {
  const { port, peers } = await tcpServer(t);
  const grants = [
    socket("tcp connect 127.0.0.1 *", "udp connect 127.0.0.1 *"),
    http(`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`),
  ];
  const { sandbox, audit } = opened(t, [...grants, { capability: "proc.exec", commands: ["/bin/true"] }]);
  sandbox.close();
  sandbox.narrow(grants); // of a version whose last calls had just come to their end
  assert.throws(() => sandbox.sockets.connectTcp({ address: "127.0.0.1", port }), isDenied);
  assert.throws(
    () => sandbox.sockets.openUdp("ipv4").send(Uint8Array.of(1), { address: "127.0.0.1", port }),
    isDenied,
  );
  assert.throws(() => sandbox.webSockets.open({ url: `ws://127.0.0.1:${port}` }), HttpFailure);
  const request = { method: "GET", url: `http://127.0.0.1:${port}/`, headers: [] };
  await assert.rejects(sandbox.request(request), HttpFailure);
  const outcome = await sandbox.programs.run({ program: "/bin/true", arguments: [] });
  assert.deepEqual(outcome, { kind: "refused", why: "denied" });
  assert.ok(audit.entries().every(({ answer }) => answer === "denied"));
  assert.equal(peers.length, 0);
});

test("a connection is cut when its target is taken, and one to another target goes on", async (t) => {
  const [lost, kept] = [await tcpServer(t), await tcpServer(t)];
  const toKept = socket(`tcp connect 127.0.0.1 ${kept.port}`);
  const { sandbox } = opened(t, [socket(`tcp connect 127.0.0.1 ${lost.port}`), toKept]);
  const connect = (port: number) => sandbox.sockets.connectTcp({ address: "127.0.0.1", port });
  const [gone, stays] = [connect(lost.port), connect(kept.port)];
  while (!gone.isConnected || !stays.isConnected)
    await Promise.race([gone.change.next(), stays.change.next()]);
  while (lost.peers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const isCut = new Promise((resolve) => lost.peers[0]?.once("close", resolve));
  sandbox.narrow([toKept]);
  await isCut;
  assert.equal(sandbox.sockets.openCount, 1);
  assert.throws(() => connect(lost.port), isDenied);
  stays.write(Uint8Array.of(1));
});

test("what was let pass because it was named is cut when nothing names it any more, though all else is given", async (t) => {
  const { port, peers } = await tcpServer(t);
  const rest = [socket("tcp connect * *"), http("*")];
  const named = [
    socket(`tcp connect 127.0.0.1 ${port}`),
    http(`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`),
  ];
  const { sandbox } = opened(t, [...rest, ...named]);
  sandbox.sockets.connectTcp({ address: "127.0.0.1", port });
  const request = sandbox.request({ method: "GET", url: `http://127.0.0.1:${port}/`, headers: [] });
  const isCut = assert.rejects(request, (error) => error instanceof HttpFailure);
  const connection = sandbox.webSockets.open({ url: `ws://127.0.0.1:${port}` });
  while (peers.length < 3) await new Promise((resolve) => setImmediate(resolve));
  sandbox.narrow([...rest, ...named]);
  assert.deepEqual([sandbox.sockets.openCount, sandbox.webSockets.openCount], [1, 1]);
  sandbox.narrow(rest);
  await isCut;
  assert.equal(sandbox.sockets.openCount, 0);
  assert.equal(connection.state, "closed");
});

test("a port that is listened to is free again, with the connections that came over it", async (t) => {
  const { sandbox } = opened(t, [socket("tcp listen 127.0.0.1 0-65535", "udp listen 127.0.0.1 0-65535")]);
  const listener = sandbox.sockets.listenTcp({ address: "127.0.0.1", port: 0 });
  while (listener.local === undefined) await listener.change.next();
  const { port } = listener.local;
  const udp = sandbox.sockets.openUdp("ipv4");
  udp.bind({ address: "127.0.0.1", port: 0 });
  while (udp.local === undefined) await udp.change.next();
  const udpPort = udp.local.port;
  const peer = net.connect(port, "127.0.0.1").on("error", () => {});
  while (listener.waitingCount === 0) await listener.change.next();
  listener.accept();
  const isCut = new Promise((resolve) => peer.once("close", resolve));
  sandbox.narrow([]);
  await isCut;
  assert.equal(sandbox.sockets.openCount, 0);
  const own = net.createServer();
  await new Promise<void>((resolve) => own.listen(port, "127.0.0.1", resolve));
  own.close();
  const ownUdp = dgram.createSocket("udp4");
  await new Promise<void>((resolve) => ownUdp.bind(udpPort, "127.0.0.1", resolve));
  ownUdp.close();
});

test("a port that has sent to more peers than are remembered still ends with what it listens to", (t) => {
  const listen = socket("udp listen 127.0.0.1 0");
  const { sandbox } = opened(t, [listen, socket("udp connect 127.0.0.1 *")]);
  const udp = sandbox.sockets.openUdp("ipv4");
  udp.bind({ address: "127.0.0.1", port: 0 });
  for (let port = 1; port < 3_000; port++) {
    try {
      udp.send(Uint8Array.of(1), { address: "127.0.0.1", port });
    } catch (error) {
      assert.ok(error instanceof SocketError && error.problem === "would-block"); // it has passed the gate
    }
  }
  sandbox.narrow([socket("udp connect 127.0.0.1 *")]);
  assert.equal(sandbox.sockets.openCount, 0);
});

test("a name that is taken is not looked up any more", async (t) => {
  const { resolve, asked } = stubResolver({ "a.example": [["8.8.8.8"]] });
  const { sandbox } = opened(t, [socket("tcp connect a.example 443")], { network: { resolve } });
  await sandbox.sockets.lookUp("a.example");
  sandbox.narrow([]);
  await assert.rejects(sandbox.sockets.lookUp("a.example"), isDenied);
  assert.deepEqual(asked, ["a.example"]);
});

test("a request and a WebSocket are cut when their origin is taken, the body in the middle", async (t) => {
  const server = await testServer((_request, response) => void response.write("the first half"));
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close());
  t.after(() => sockets.close());
  await new Promise((resolve) => sockets.once("listening", resolve));
  const origin = `http://127.0.0.1:${server.port}`;
  const { port } = sockets.address() as net.AddressInfo; // it listens on TCP
  const { sandbox } = opened(t, [http(origin, `ws://127.0.0.1:${port}`)]);
  const whole = sandbox.request({ method: "GET", url: `${origin}/`, headers: [] });
  const cut = assert.rejects(whole, (error) => error instanceof HttpFailure);
  const connection = sandbox.webSockets.open({ url: `ws://127.0.0.1:${port}/` });
  while (connection.state !== "open") await connection.change.next();
  while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  sandbox.narrow([http("https://other.example")]);
  await cut;
  assert.equal(connection.state, "closed");
  const again = sandbox.request({ method: "GET", url: `${origin}/`, headers: [] });
  await assert.rejects(again, (error) => error instanceof HttpFailure);
  assert.equal(server.seen.length, 1);
});

test("a program that was started is killed", async (t) => {
  const forever = "setInterval(() => {}, 1000)";
  const command = `${process.execPath} -e ${forever.replaceAll("%", "%25").replaceAll(" ", "%20")}`;
  const { sandbox } = opened(t, [{ capability: "proc.exec", commands: [command] }]);
  const outcome = sandbox.programs.run({ program: process.execPath, arguments: ["-e", forever] });
  assert.equal(sandbox.programs.runningCount, 1);
  sandbox.narrow([]);
  assert.deepEqual(await outcome, { kind: "stopped", why: "closed" });
});

test("an open file is neither read nor written any more; where writing alone was taken, it can be read anew", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-narrowed-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "f"), "kept");
  const read: Grant = { capability: "fs.read", paths: ["/maps"] };
  const write: Grant = { capability: "fs.write", paths: ["/maps"] };
  const { sandbox, audit } = opened(t, [read, write], { folders: { "/maps": folder } });
  const { gate, limits } = sandbox;
  const volume = diskVolume({ folder, quota: new Quota(limits) });
  t.after(() => volume.close());
  const options = { guestPath: "/maps", volume, isPrivate: false, inner: [] };
  const mount = new FolderHandle({
    gate: new MountGate(options, gate),
    bounds: limits,
    folder: volume.root,
  });
  const how = {
    path: "f",
    follow: true,
    folder: false,
    append: false,
    create: false,
    exclusive: false,
    truncate: false,
  };
  const file = mount.openAt({ ...how, read: true, write: true });
  assert.ok(file instanceof FileHandle);
  assert.equal(file.write(new TextEncoder().encode("K"), 0), 1);
  sandbox.narrow([read]);
  const isRefused = (errno: string) => (error: unknown) => error instanceof FsError && error.errno === errno;
  for (const act of [
    () => file.write(Uint8Array.of(1), 0),
    () => file.setSize(0),
    () => file.read(new Uint8Array(4), 0),
  ]) {
    assert.throws(act, isRefused("rofs"));
    assert.throws(act, isRefused("rofs"), "and not only once");
  }
  const again = mount.openAt({ ...how, read: true, write: false });
  assert.ok(again instanceof FileHandle);
  assert.equal(again.read(new Uint8Array(4), 0), 4);
  sandbox.narrow([]);
  assert.throws(() => again.read(new Uint8Array(4), 0), isRefused("acces"));
  assert.throws(() => mount.openAt({ ...how, read: true, write: false }), isRefused("acces"));
  assert.throws(() => mount.entries(), isRefused("acces"));
  assert.equal(audit.entries().at(-1)?.answer, "denied");
  assert.equal(readFileSync(join(folder, "f"), "utf8"), "Kept");
});

test("a store of keys that is open, and the clock are refused like all else", (t) => {
  const grants: Grant[] = ["kv.store", "clock.read", "random.read", "wasi.base"].map((capability) => ({
    capability: capability as Grant["capability"],
  }));
  const { sandbox, instance } = opened(t, grants);
  const { open } = interfaceOf<{ open(name: string): Bucket }>(instance, "wasi:keyvalue/store@0.2.0-draft2");
  const bucket = open("");
  bucket.set("a", Uint8Array.of(1));
  const { now } = interfaceOf<{ now(): { seconds: bigint } }>(instance, "wasi:clocks/wall-clock@0.2.0");
  assert.notEqual(now().seconds, 0n);
  sandbox.narrow(grants.slice(3));
  for (const act of [
    () => bucket.get("a"),
    () => bucket.set("a", Uint8Array.of(2)),
    () => bucket.listKeys(undefined),
  ]) {
    assert.throws(act, (error) => error instanceof ComponentError);
  }
  assert.equal(now().seconds, 0n);
  sandbox.narrow(grants);
  assert.deepEqual(bucket.get("a"), Uint8Array.of(1));
  assert.notEqual(now().seconds, 0n);
});

test("what has come already over a connection that is taken is told no more", async (t) => {
  const tcp = await tcpServer(t);
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  sockets.on("connection", (socket) => socket.send("secret"));
  t.after(() => sockets.close());
  await new Promise((resolve) => sockets.once("listening", resolve));
  const { port } = sockets.address() as net.AddressInfo; // it listens on TCP
  const { sandbox } = opened(t, [socket("tcp connect 127.0.0.1 *"), http(`ws://127.0.0.1:${port}`)]);
  const connection = sandbox.sockets.connectTcp({ address: "127.0.0.1", port: tcp.port });
  const messages = sandbox.webSockets.open({ url: `ws://127.0.0.1:${port}/` });
  while (tcp.peers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  tcp.peers[0]?.write("secret");
  while (connection.readableBytes === 0) await connection.change.next();
  while (messages.pendingCount === 0) await messages.change.next();
  sandbox.narrow([]);
  assert.throws(() => connection.read(100), isDenied, "and not as if the peer had said all");
  assert.equal(connection.readableBytes, 0);
  assert.equal(messages.receive(), undefined);
});

test("a response that is there when its origin is taken is not given to a component", async (t) => {
  const server = await testServer((_request, response) => void response.writeHead(200).write("half"));
  t.after(() => server.close());
  const origin = http(`http://127.0.0.1:${server.port}`);
  const { sandbox, instance } = opened(t, [origin]);
  const types = interfaceOf<ReturnType<typeof httpTypes>>(instance, "wasi:http/types@0.2.0");
  const { handle } = interfaceOf<ReturnType<typeof outgoingHandler>>(
    instance,
    "wasi:http/outgoing-handler@0.2.0",
  );
  const request = new types.OutgoingRequest(new types.Fields());
  request.setScheme({ tag: "HTTP" });
  request.setAuthority(`127.0.0.1:${server.port}`);
  const future = handle(request, undefined);
  while (!future.subscribe().ready()) await new Promise((resolve) => setImmediate(resolve));
  sandbox.narrow([]);
  assert.deepEqual(future.get(), {
    tag: "ok",
    val: { tag: "err", val: { tag: "connection-terminated" } },
  });
});

test("addresses that a name leads to are told only as long as it may be asked for", async (t) => {
  let answer: (addresses: readonly string[]) => void = () => {};
  const resolve = () =>
    new Promise<readonly string[]>((settle) => {
      answer = settle;
    });
  const name = socket("tcp connect a.example 443");
  const { sandbox, instance } = opened(t, [name], { network: { resolve } });
  const late = sandbox.sockets.lookUp("a.example");
  sandbox.narrow([]);
  answer(["8.8.8.8"]);
  await assert.rejects(late, isDenied);
  sandbox.narrow([name]);
  const { resolveAddresses } = interfaceOf<ReturnType<typeof socketInterfaces.ipNameLookup>>(
    instance,
    "wasi:sockets/ip-name-lookup@0.2.0",
  );
  const found = resolveAddresses(new Network(), "a.example");
  answer(["8.8.8.8", "1.1.1.1"]);
  while (!found.subscribe().ready()) await new Promise((settle) => setImmediate(settle));
  assert.deepEqual(found.resolveNextAddress(), { tag: "ipv4", val: [8, 8, 8, 8] });
  sandbox.narrow([]);
  assert.throws(
    () => found.resolveNextAddress(),
    (error) => error instanceof ComponentError && error.payload === "access-denied",
  );
});

test("a datagram is decided on by what is granted when it is sent, whatever was decided before", (t) => {
  const named = socket("udp connect 127.0.0.1 9", "udp connect * *");
  const { sandbox } = opened(t, [named]);
  const send = () =>
    sandbox.sockets.openUdp("ipv4").send(Uint8Array.of(1), { address: "127.0.0.1", port: 9 });
  send();
  sandbox.narrow([socket("udp connect * *")]);
  assert.equal(sandbox.sockets.openCount, 0);
  assert.throws(send, isDenied);
  sandbox.narrow([named]);
  send();
});
