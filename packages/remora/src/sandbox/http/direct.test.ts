/** Requests go where they were checked for, and end when they are to, whatever the host does for itself and a peer does not. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { testServer } from "../testing/http-servers.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import { HttpFailure } from "./failure.ts";

function opened(t: TestContext, origins: readonly string[], options: Partial<SandboxOptions> = {}) {
  const grants: Grant[] = [{ capability: "net.http", origins }];
  const { sandbox } = testSandbox({ grants, ...options });
  t.after(() => sandbox.close());
  return sandbox;
}

/** Takes connections and says nothing. */
async function silentServer(t: TestContext) {
  const peers: net.Socket[] = [];
  const server = net.createServer((peer) => void peers.push(peer.on("error", () => {}).resume()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const peer of peers) peer.destroy();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, peers }; // it listens on TCP
}

const get = (url: string) => ({ method: "GET", url, headers: [] });

test("a proxy that an application has made its global agent gets nothing of a guest's", async (t) => {
  const [proxy, server] = [await silentServer(t), await testServer()];
  t.after(() => server.close());
  const toProxy = () => net.connect(proxy.port, "127.0.0.1");
  class HttpProxy extends http.Agent {
    override createConnection = toProxy;
  }
  class HttpsProxy extends https.Agent {
    override createConnection = toProxy;
  }
  const before = [http.globalAgent, https.globalAgent] as const;
  [http.globalAgent, https.globalAgent] = [new HttpProxy(), new HttpsProxy()];
  t.after(() => {
    [http.globalAgent, https.globalAgent] = before;
  });
  const origins = ["http", "ws", "https", "wss"].map((scheme) => `${scheme}://a.example:${server.port}`);
  const sandbox = opened(t, origins, {
    network: { resolve: async () => ["127.0.0.1"], addresses: ["127.0.0.0/8"] },
  });
  const [plain = "", socket = "", secure = "", secureSocket = ""] = origins;
  assert.equal((await sandbox.request(get(`${plain}/`))).status, 200);
  await assert.rejects(sandbox.request(get(`${secure}/`)), HttpFailure); // it speaks no TLS
  for (const url of [socket, secureSocket]) {
    const connection = sandbox.webSockets.open({ url });
    while (connection.state !== "closed") await connection.change.next();
  }
  assert.equal(proxy.peers.length, 0);
});

test("who cannot show who it is gets nothing, also where the operator lets the application talk to anybody", async (t) => {
  const identity = madeIdentity(t);
  if (identity === undefined) return t.skip("no openssl here to make a certificate");
  let asked = 0;
  const server = https.createServer(identity, (_request, response) => void response.end(`${++asked}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo; // it listens on TCP
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  t.after(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
  const origins = [`https://127.0.0.1:${port}`, `wss://127.0.0.1:${port}`] as const;
  const careful = opened(t, origins);
  await assert.rejects(careful.request(get(origins[0])), (error) => {
    return error instanceof HttpFailure && error.reason.tag === "TLS-certificate-error";
  });
  const connection = careful.webSockets.open({ url: origins[1] });
  while (connection.state !== "closed") await connection.change.next();
  assert.equal(asked, 0);
  const trusting = opened(t, origins, { network: { certificates: identity.cert } });
  assert.equal((await trusting.request(get(origins[0]))).status, 200);
});

/** A key and, signed by itself, a certificate for 127.0.0.1; undefined without `openssl`. */
function madeIdentity(t: TestContext): { readonly key: string; readonly cert: string } | undefined {
  const cwd = mkdtempSync(join(tmpdir(), "remora-tls-"));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  const made = [
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    "key.pem",
    "-out",
    "cert.pem",
  ];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const { status } = spawnSync("openssl", ["req", ...made, ...subject], { cwd, stdio: "ignore" });
  if (status !== 0) return undefined;
  return {
    key: readFileSync(join(cwd, "key.pem"), "utf8"),
    cert: readFileSync(join(cwd, "cert.pem"), "utf8"),
  };
}

test("a request or a WebSocket whose origin is taken is cut in the middle of the TLS handshake", async (t) => {
  const { port, peers } = await silentServer(t);
  const sandbox = opened(t, [`https://127.0.0.1:${port}`, `wss://127.0.0.1:${port}`]);
  const request = assert.rejects(sandbox.request(get(`https://127.0.0.1:${port}/`)), HttpFailure);
  const connection = sandbox.webSockets.open({ url: `wss://127.0.0.1:${port}` });
  while (peers.filter(({ bytesRead }) => bytesRead > 0).length < 2)
    await new Promise((resolve) => setImmediate(resolve));
  const areCut = peers.map((peer) => new Promise((resolve) => peer.once("close", resolve)));
  sandbox.narrow([]);
  await Promise.all([request, ...areCut]);
  assert.equal(connection.state, "closed");
});

test("a request that is redirected has no more time than any other", async (t) => {
  const server = await testServer((request, response) => {
    if (request.url !== "/") return; // never answered
    setTimeout(() => response.writeHead(302, { location: "/next" }).end(), 800);
  });
  t.after(() => server.close());
  const origin = `http://127.0.0.1:${server.port}`;
  const sandbox = opened(t, [origin], { limits: { httpTimeMsMax: 1_000 } });
  const startedMs = performance.now();
  const isTooLate = (error: unknown) =>
    error instanceof HttpFailure && error.reason.tag === "HTTP-response-timeout";
  await assert.rejects(sandbox.request(get(`${origin}/`)), isTooLate);
  assert.deepEqual(server.seen, ["GET /", "GET /next"]);
  assert.ok(performance.now() - startedMs < 1_600);
});
