import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import { after, before, test } from "node:test";
import { type WebSocket as ServerSocket, WebSocketServer } from "ws";
import type { Grant } from "../../policy/index.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { stubResolver, testServer } from "../testing/http-servers.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import { HttpFailure } from "./failure.ts";
import type { WebSocketConnection, WebSocketRequest } from "./websocket.ts";

let server: WebSocketServer;
let origin = "";
/** What the server does with the next connection. */
let serve: (socket: ServerSocket) => void = () => {};
let seen: { readonly url: string | undefined; readonly headers: NodeJS.Dict<string | string[]> }[] = [];

before(async () => {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 10_000_000 });
  server.on("connection", (socket, request) => {
    seen.push({ url: request.url, headers: request.headers });
    serve(socket);
  });
  await new Promise((resolve) => server.once("listening", resolve));
  origin = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
});
after(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

function opened(origins: readonly string[], options: Partial<SandboxOptions> = {}) {
  seen = [];
  const grants: Grant[] = [{ capability: "net.http", origins }];
  return testSandbox({ grants, ...options });
}

async function until(connection: WebSocketConnection, isSo: () => boolean): Promise<void> {
  while (!isSo()) await connection.change.next();
}

function expectFailure(tag: string, call: () => unknown, what = ""): void {
  assert.throws(call, (error) => error instanceof HttpFailure && error.reason.tag === tag, what);
}

async function failureOf(connection: WebSocketConnection): Promise<string | undefined> {
  await until(connection, () => connection.state === "closed");
  return connection.failure?.reason.tag;
}

const bytes = (content: string) => new TextEncoder().encode(content);

test("text and bytes go both ways, and a close is answered", async () => {
  serve = (socket) => void socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  const { sandbox } = opened([origin]);
  const connection = sandbox.webSockets.open({
    url: `${origin}/stream?subscribe=all`,
    headers: [["X-Note", bytes("kept")]],
  });
  expectFailure("connection-terminated", () => connection.send("too early"));
  await until(connection, () => connection.state === "open");
  connection.send("text ü");
  connection.send(Uint8Array.of(1, 2, 3));
  await until(connection, () => connection.pendingCount === 2);
  assert.deepEqual(connection.receive(), "text ü");
  assert.deepEqual(connection.receive(), Uint8Array.of(1, 2, 3));
  assert.equal(connection.receive(), undefined);
  const head = `${origin}/stream?subscribe=all`.length + "X-Notekept".length;
  assert.deepEqual(sandbox.traffic, { sentBytes: head + 7 + 3, receivedBytes: 7 + 3 });
  assert.deepEqual([seen[0]?.url, seen[0]?.headers["x-note"]], ["/stream?subscribe=all", "kept"]);
  connection.close();
  await until(connection, () => connection.state === "closed");
  assert.deepEqual([connection.failure, sandbox.webSockets.openCount], [undefined, 0]);
});

test("an origin takes its own grant: one for https, another port or another name is none", async () => {
  const { port } = new URL(origin);
  for (const granted of [
    `http://127.0.0.1:${port}`,
    "wss://127.0.0.1",
    "ws://127.0.0.1:1",
    "ws://other.example",
  ]) {
    const { sandbox, audit } = opened([granted]);
    expectFailure("HTTP-request-denied", () => sandbox.webSockets.open({ url: origin }), granted);
    assert.equal(audit.entries()[0]?.answer, "denied");
  }
  assert.equal(seen.length, 0);
});

test("no name and no spelling leads to an address that is not public", async () => {
  const { port } = new URL(origin);
  const { resolve } = stubResolver({
    "inner.example": [["127.0.0.1"]],
    "mixed.example": [["8.8.8.8", "169.254.169.254"]],
  });
  const { sandbox } = opened(["*"], { network: { resolve } });
  const hosts =
    "127.0.0.1 127.1 0x7f.1 2130706433 0177.0.0.1 [::1] [::ffff:127.0.0.1] 0.0.0.0 ①②⑦.0.0.1 169.254.169.254";
  for (const host of [...hosts.split(" "), "inner.example", "mixed.example"]) {
    const connection = sandbox.webSockets.open({ url: `ws://${host}:${port}/` });
    assert.equal(await failureOf(connection), "destination-IP-prohibited", host);
  }
  assert.equal(seen.length, 0);
});

test("a name is resolved once, and the address that was checked is connected to", async () => {
  const { port } = new URL(origin);
  const { resolve, asked } = stubResolver({ "rebound.example": [["127.0.0.1"], ["169.254.169.254"]] });
  const { sandbox } = opened([`ws://rebound.example:${port}`], {
    network: { resolve, addresses: ["127.0.0.0/8"] },
  });
  serve = () => {};
  const connection = sandbox.webSockets.open({ url: `ws://rebound.example:${port}/` });
  await until(connection, () => connection.state === "open");
  assert.deepEqual([asked, seen[0]?.headers.host], [["rebound.example"], `rebound.example:${port}`]);
  connection.cut();
});

test("what is malformed is refused before anything is connected", () => {
  const { sandbox } = opened(["*"]);
  const header = (name: string, value = "x"): WebSocketRequest => ({
    url: origin,
    headers: [[name, bytes(value)]],
  });
  for (const [tag, request] of [
    ["HTTP-request-URI-invalid", { url: "http://127.0.0.1/" }],
    ["HTTP-request-URI-invalid", { url: "ws+unix:///run/socket:/path" }],
    ["HTTP-request-URI-invalid", { url: "ws://user:secret@name.example/" }],
    ["HTTP-request-URI-invalid", { url: "ws://name.example/#part" }],
    ["HTTP-request-URI-invalid", { url: "ws://name.example\n/" }],
    ["HTTP-request-URI-too-long", { url: `ws://name.example/${"x".repeat(9_000)}` }],
    ["HTTP-protocol-error", header("Sec-WebSocket-Key")],
    ["HTTP-protocol-error", header("sec-websocket-extensions", "permessage-deflate")],
    ["HTTP-protocol-error", header("Host")],
    ["HTTP-protocol-error", header("Upgrade")],
    ["HTTP-protocol-error", header("X-Note", "a\r\nb: c")],
    ["HTTP-protocol-error", { url: origin, protocols: ["a", "a"] }],
    ["HTTP-protocol-error", { url: origin, protocols: ["a b"] }],
    [
      "HTTP-protocol-error",
      { url: origin, protocols: Array.from({ length: 17 }, (_, index) => `p${index}`) },
    ],
    [
      "HTTP-request-header-section-size",
      { url: origin, headers: Array.from({ length: 101 }, () => ["X-Note", bytes("x")] as const) },
    ],
  ] as const) {
    expectFailure(tag, () => sandbox.webSockets.open(request), JSON.stringify(request).slice(0, 200));
  }
  assert.equal(sandbox.webSockets.openCount, 0);
});

test("a redirect, another answer or none at all is a failure, never a connection elsewhere", async () => {
  const redirecting = await testServer((request, response) => {
    if (request.url === "/redirect") response.writeHead(302, { location: `${origin}/` });
    response.end("not a WebSocket");
  });
  const silent = net.createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo; // it listens on TCP
  const other = `ws://127.0.0.1:${redirecting.port}`;
  const { sandbox } = opened([origin, other, `ws://127.0.0.1:${port}`], { limits: { connectTimeMsMax: 50 } });
  assert.equal(await failureOf(sandbox.webSockets.open({ url: `${other}/redirect` })), "HTTP-upgrade-failed");
  assert.equal(await failureOf(sandbox.webSockets.open({ url: `${other}/plain` })), "HTTP-upgrade-failed");
  assert.equal(
    await failureOf(sandbox.webSockets.open({ url: `ws://127.0.0.1:${port}/` })),
    "connection-timeout",
  );
  assert.equal(seen.length, 0);
  silent.close();
  await redirecting.close();
});

test("connections, the size of a message and what waits are bounded", async () => {
  const limits = { webSocketsMax: 1, webSocketMessageBytesMax: 1_000, webSocketMessagesMax: 4 };
  const { sandbox } = opened([origin], { limits });
  let flooded = 0;
  let flooding = 0;
  serve = (socket) => {
    socket.on("message", () => {
      const flood = setInterval(() => {
        // Until the peer's and our own buffers in the system are full.
        if (socket.bufferedAmount > 0 || flooded > 50_000) return clearInterval(flood);
        for (let index = 0; index < 1_000; index++) socket.send("x".repeat(900), () => flooded++);
        flooding++;
      });
    });
  };
  const connection = sandbox.webSockets.open({ url: origin });
  expectFailure("connection-limit-reached", () => sandbox.webSockets.open({ url: origin }));
  await until(connection, () => connection.state === "open");
  expectFailure("HTTP-request-body-size", () => connection.send("ü".repeat(501)));
  connection.send("go");
  await until(connection, () => connection.pendingCount > 0);
  while (flooding < 3) await new Promise((resolve) => setImmediate(resolve)); // turns of the loop, in which it comes
  // The messages of one read of 64 KiB at most, however many the peer sends.
  assert.ok(connection.pendingCount < 80, String(connection.pendingCount));
  const first = connection.pendingCount;
  for (let index = 0; index < first; index++) assert.equal(connection.receive(), "x".repeat(900));
  await until(connection, () => connection.pendingCount > 0); // the next ones had stayed with the peer
  connection.cut();
  serve = (socket) => socket.send("x".repeat(1_001));
  assert.equal(await failureOf(sandbox.webSockets.open({ url: origin })), "HTTP-response-body-size");
});

test("a connection that the host keeps to some address of a name is none of the guest's", async (t) => {
  const keeping = await testServer((_request, response) => response.end("kept"));
  t.after(() => keeping.close());
  const lookup: net.LookupFunction = (_name, { all }, done) =>
    all === true ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  await new Promise<void>((resolve) => {
    const request = http.get({ host: "pooled.example", port: keeping.port, lookup, agent: http.globalAgent });
    request.on("response", (response) => response.resume().on("close", resolve));
  });
  const url = `ws://pooled.example:${keeping.port}`;
  const { resolve } = stubResolver({ "pooled.example": [["127.0.0.2"]] });
  const { sandbox } = opened([url], { network: { resolve, addresses: ["127.0.0.2"] } });
  assert.equal(await failureOf(sandbox.webSockets.open({ url })), "connection-refused");
  assert.equal(keeping.seen.length, 1);
  sandbox.close();
});

test("a peer that asks for answers and does not read them is left before they fill the memory", async (t) => {
  const flood = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => {
      const key = /sec-websocket-key: (\S+)/i.exec(head.toString())?.[1] ?? "";
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.pause();
      const pings = Buffer.alloc(127 * 500, Buffer.concat([Buffer.of(0x89, 125), Buffer.alloc(125, 0x78)]));
      const more = (): void => {
        while (!socket.destroyed && socket.write(pings));
        socket.once("drain", more);
      };
      more();
    });
  });
  t.after(() => flood.close());
  await new Promise<void>((resolve) => flood.listen(0, "127.0.0.1", resolve));
  const url = `ws://127.0.0.1:${(flood.address() as AddressInfo).port}`;
  const { sandbox } = opened([url]);
  const before = process.memoryUsage().rss;
  const connection = sandbox.webSockets.open({ url });
  await until(connection, () => connection.state === "closed");
  assert.ok(process.memoryUsage().rss - before < 200_000_000);
});

test("a sender waits for a peer that does not read", async () => {
  serve = (socket) => socket.pause();
  const { sandbox } = opened([origin]);
  const connection = sandbox.webSockets.open({ url: origin });
  await until(connection, () => connection.state === "open");
  let sent = 0;
  while (connection.canSend && sent < 500) {
    connection.send(new Uint8Array(1_000_000));
    sent++;
  }
  assert.ok(sent < 100, String(sent));
  expectFailure("connection-terminated", () => connection.send("one more"));
  sandbox.close();
  assert.equal(connection.state, "closed");
});
