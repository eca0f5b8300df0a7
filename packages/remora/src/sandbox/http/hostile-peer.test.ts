/** A server that works together with the guest, or against it: what it can make the host hold, do or believe. */

import assert from "node:assert/strict";
import * as net from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Grant } from "../../policy/index.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { stubResolver } from "../testing/http-servers.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import { HttpClient } from "./client.ts";
import { HttpFailure } from "./failure.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const openSockets = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === "TCPSocketWrap").length;
const text = (content: string) => new TextEncoder().encode(content);

interface Peer {
  readonly origin: string;
  readonly port: number;
  readonly sockets: net.Socket[];
}

/** A server that answers to the first bytes of each connection. */
async function peer(t: TestContext, answer: (socket: net.Socket, head: string) => void): Promise<Peer> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.once("data", (head) => answer(socket, head.toString("latin1")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo; // it listens on TCP
  return { origin: `http://127.0.0.1:${port}`, port, sockets };
}

function opened(t: TestContext, origins: readonly string[], options: Partial<SandboxOptions> = {}) {
  const grants: Grant[] = [{ capability: "net.http", origins }];
  const tested = testSandbox({ grants, ...options });
  t.after(() => tested.sandbox.close());
  const { gate, limits, traffic } = tested.sandbox;
  const resolve = () => Promise.reject(new Error("no names"));
  return { ...tested, client: new HttpClient({ gate, limits, traffic, resolve, addresses: [] }) };
}

const failedWith = (tag: string) => (error: unknown) =>
  error instanceof HttpFailure && error.reason.tag === tag;

test("a server that has answered before it has read the request gets no more of it, and the host holds none", async (t) => {
  const { origin } = await peer(t, (socket) => {
    socket.pause();
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const { client } = opened(t, [origin]);
  const before = openSockets();
  for (let round = 0; round < 3; round++) {
    const open = client.open({ method: "POST", url: `${origin}/`, headers: [] });
    const { body } = await open.response;
    let isPaused = !open.write(new Uint8Array(4_000_000));
    open.onDrain(() => {
      isPaused = false;
    });
    for await (const part of body) assert.equal(part.toString(), "ok");
    while (client.pendingCount > 0) await turn();
    assert.equal(isPaused, false, "a guest that waits to write goes on");
    assert.equal(open.write(text("more")), true, "what nobody wants is taken and dropped");
    open.end();
  }
  for (let turns = 0; turns < 1_000 && openSockets() > before + 3; turns++) await turn();
  assert.ok(openSockets() <= before + 3, `${openSockets()}: those of the server alone`);
});

test("what has come from a server that has left since is not told either when its origin is taken", async (t) => {
  const { origin, sockets } = await peer(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  const { client, sandbox } = opened(t, [origin]);
  const open = client.open({ method: "GET", url: `${origin}/`, headers: [] });
  open.end();
  const { body, take } = await open.response;
  body.read(0);
  while (body.readableLength === 0) await turn();
  for (const socket of sockets) socket.destroy();
  while (client.pendingCount > 0) await turn();
  assert.equal(open.isClosed, false);
  sandbox.narrow([]);
  assert.equal(open.isClosed, true);
  assert.throws(() => take(text("half")), failedWith("connection-terminated"));
});

test("trailers without end are no way to fill the memory, and none is told to the guest", async (t) => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n";
  const { origin } = await peer(t, (socket) => {
    socket.write(head);
    const more = (): void => {
      while (!socket.destroyed && socket.write("X-Trailer: x\r\n".repeat(1_000)));
      socket.once("drain", more);
    };
    more();
  });
  const polite = await peer(t, (socket) => socket.end(`${head}X-Trailer: secret\r\n\r\n`));
  const { sandbox } = opened(t, [origin, polite.origin]);
  const get = (from: string) => sandbox.request({ method: "GET", url: `${from}/`, headers: [] });
  await assert.rejects(get(origin), failedWith("HTTP-response-incomplete"));
  const { headers, body } = await get(polite.origin);
  assert.equal(new TextDecoder().decode(body), "ok");
  assert.ok(!headers.some(([name]) => name === "X-Trailer"));
});

test("a compressed body is the guest's to unpack: it is counted and given as it came", async (t) => {
  const packed = gzipSync(new Uint8Array(10_000_000));
  const { origin } = await peer(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`);
    socket.end(packed);
  });
  const { sandbox } = opened(t, [origin]);
  const { body } = await sandbox.request({ method: "GET", url: `${origin}/`, headers: [] });
  assert.deepEqual(body, new Uint8Array(packed));
});

test("a server that sends a byte now and then is left at the end of the time, as one that reads so is", async (t) => {
  const limits = { httpTimeMsMax: 60 };
  const slow = await peer(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const drip = setInterval(() => socket.write("x"), 5);
    socket.once("close", () => clearInterval(drip));
  });
  const slowHead = await peer(t, (socket) => {
    const drip = setInterval(() => socket.write("HTTP/1.1 200"[0] ?? ""), 5);
    socket.write("HTTP/1.1 200 OK\r\nX-");
    socket.once("close", () => clearInterval(drip));
  });
  const deaf = await peer(t, (socket) => void socket.pause());
  for (const { origin } of [slow, slowHead, deaf]) {
    const { sandbox } = opened(t, [origin], { limits });
    const request = { method: "POST", url: `${origin}/`, headers: [], body: new Uint8Array(4_000_000) };
    const asked = origin === slow.origin ? { ...request, body: text("x") } : request;
    await assert.rejects(sandbox.request(asked), failedWith("HTTP-response-timeout"));
    const { client } = opened(t, [origin], { limits });
    // The other way round: a guest that never ends its request holds no place for longer either.
    const open = client.open({ method: "POST", url: `${origin}/`, headers: [] });
    await open.response.then(
      () => {},
      () => {},
    );
    while (client.pendingCount > 0) await turn();
  }
});

test("a server hears the name that was decided on, in its one spelling", async (t) => {
  const heads: string[] = [];
  const { port } = await peer(t, (socket, head) => {
    heads.push(head);
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  const { resolve } = stubResolver({ "name.example": [["127.0.0.1"]] });
  const origins = [`http://name.example:${port}`, `http://127.0.0.1:${port}`, `ws://name.example:${port}`];
  const { sandbox } = opened(t, origins, { network: { resolve, addresses: ["127.0.0.1"] } });
  for (const host of ["NAME.example.", "name.example", "[::ffff:127.0.0.1]", "0x7f.1"]) {
    await sandbox.request({ method: "GET", url: `http://${host}:${port}/`, headers: [] });
  }
  const connection = sandbox.webSockets.open({ url: `ws://name.example.:${port}/` });
  while (connection.state !== "closed") await connection.change.next();
  assert.deepEqual(
    heads.map((head) => /^host: (.*)$/im.exec(head)?.[1]),
    ["name.example", "name.example", "127.0.0.1", "127.0.0.1", "name.example"].map(
      (name) => `${name}:${port}`,
    ),
  );
});

test("whatever looks like a credential stays behind when a redirect leads elsewhere", async (t) => {
  const heads: string[] = [];
  const there = await peer(t, (socket, head) => {
    heads.push(head);
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const here = await peer(t, (socket) =>
    socket.end(`HTTP/1.1 307 Moved\r\nLocation: ${there.origin}/\r\nContent-Length: 0\r\n\r\n`),
  );
  const { sandbox } = opened(t, [here.origin, there.origin]);
  const secret = ["Authorization", "Cookie", "X-Api-Key", "apikey", "X-Auth-Token", "X-Amz-Security-Token"];
  const secrets = [...secret, "Private-Token", "X-Session-Id", "X-Signature", "X-Client-Secret", "X-CSRF"];
  const headers = [...secrets, "Accept", "X-Other"].map((name) => [name, text("1")] as const);
  await sandbox.request({ method: "GET", url: `${here.origin}/`, headers });
  const sent = [...(heads[0] ?? "").matchAll(/^([^:\r\n]+): 1\r$/gm)].map(([, name]) => name);
  assert.deepEqual(sent, ["Accept", "X-Other"]);
});

test("a server that says over and over that it will answer is left by a WebSocket too", async (t) => {
  const { port } = await peer(t, (socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n".repeat(100)));
      socket.once("drain", more);
    };
    more();
  });
  const { sandbox } = opened(t, [`ws://127.0.0.1:${port}`]);
  const connection = sandbox.webSockets.open({ url: `ws://127.0.0.1:${port}/` });
  while (connection.state !== "closed") await connection.change.next();
  assert.equal(connection.failure?.reason.tag, "HTTP-protocol-error");
});
