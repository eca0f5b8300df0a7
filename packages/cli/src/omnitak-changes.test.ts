/** Connections and filters that come, change and go over OmniTAK's API while events pass, over real sockets. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { buildExamples } from "../../../examples/build.ts";
import { freePort } from "./testing/free-port.ts";
import { type Answer, type OmnitakRig, omnitakRig as rig, shipsIn, until } from "./testing/omnitak-rig.ts";

before(() => buildExamples());

const connections = "/api/v1/connections";
const filters = "/api/v1/filters";

/** A TAK server that a host connects to, and what it was sent. */
interface TakServer {
  readonly port: number;
  readonly sockets: readonly Socket[];
  /** The numbers of the ships that it heard of, in their order. */
  heard(): number[];
}

async function takServer(t: TestContext): Promise<TakServer> {
  const sockets: Socket[] = [];
  let text = "";
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server's is no path
  return { port, sockets, heard: () => shipsIn(text) };
}

const range = (count: number, first = 0) => Array.from({ length: count }, (_, at) => first + at);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const client = (port: number, more: Readonly<Record<string, unknown>> = {}) => ({
  name: "upstream",
  connection_type: "tcpclient",
  address: "127.0.0.1",
  port,
  ...more,
});

const listener = (port: number) => client(port, { name: "field", connection_type: "tcpserver" });

const statusOf = async ({ as }: OmnitakRig, id: string): Promise<string> =>
  (await as("reader")("GET", `${connections}/${id}`)).body.status;

function expectRefused({ status, body }: Answer, expected: number, error: string): void {
  assert.deepEqual([status, body.error], [expected, error], JSON.stringify(body));
}

/** A client of the host, and the ships that it heard of. */
function peerAt(t: TestContext, port: number) {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  return { socket, heard: () => shipsIn(text) };
}

function position(ship: number): string {
  const time = new Date(Date.UTC(2026, 10, 28, 13, 0, 0, ship)).toISOString();
  return `<event version="2.0" uid="sent-${ship}" type="a-f-S" how="m-g" time="${time}" start="${time}" stale="2027-11-28T12:05:00Z"><point lat="52.1" lon="4.3" hae="0" ce="1" le="1"/><detail/></event>`;
}

test("a connection that is made gets every event, is there after a restart, and is gone when it is removed", async (t) => {
  const route = "routes:\n  - { id: none, filter: { type: uid, uids: [nobody] }, destinations: [clients] }\n";
  const omnitak = await rig(t, { routing: route });
  const server = await takServer(t);
  const made = await omnitak.as("operator")("POST", connections, client(server.port));
  assert.deepEqual([made.status, made.body.message], [201, "Connection created successfully"]);
  const { id } = made.body;
  await until(async () => (await statusOf(omnitak, id)) === "connected");
  omnitak.play(10);
  await until(() => server.heard().length === 10);

  const next = await omnitak.restart();
  assert.equal((await next.as("reader")("GET", `${connections}/${id}`)).body.name, "upstream");
  await until(async () => (await statusOf(next, id)) === "connected");
  next.play(10, 10);
  await until(() => server.heard().length === 20);
  assert.deepEqual(server.heard(), range(20));

  const removed = await next.as("operator")("DELETE", `${connections}/${id}`);
  assert.deepEqual([removed.status, removed.body.message], [200, "Connection deleted successfully"]);
  expectRefused(await next.as("reader")("GET", `${connections}/${id}`), 404, "not_found");
  const last = await next.restart();
  assert.equal((await last.as("reader")("GET", connections)).body.total, 1);
});

test("what went out is counted for good, also when its connection is removed", async (t) => {
  const omnitak = await rig(t);
  const sentNow = async (): Promise<number> => {
    const text: string = (await omnitak.as("reader")("GET", "/api/v1/metrics")).body;
    return Number(/^omnitak_messages_sent_total (\d+)$/m.exec(text)?.[1]);
  };
  const server = await takServer(t);
  const { id } = (await omnitak.as("operator")("POST", connections, client(server.port))).body;
  await until(async () => (await statusOf(omnitak, id)) === "connected");
  omnitak.play(10);
  await until(() => server.heard().length === 10);
  assert.equal(await sentNow(), 10);
  await omnitak.as("operator")("DELETE", `${connections}/${id}`);
  assert.equal(await sentNow(), 10);
});

test("while a server is changed again and again, every event reaches the one or the other, once and in order", async (t) => {
  const omnitak = await rig(t);
  const servers = [await takServer(t), await takServer(t)] as const;
  const { id } = (await omnitak.as("operator")("POST", connections, client(servers[0].port))).body;
  await until(async () => (await statusOf(omnitak, id)) === "connected");
  let played = 0;
  let isChanging = true;
  const playing = (async () => {
    for (; isChanging || played < 2_000; played += 5) {
      omnitak.play(5, played);
      await turn();
    }
  })();
  for (let round = 1; round <= 6; round++) {
    const target = servers[round % 2] ?? assert.fail();
    const change = client(target.port, { auto_reconnect: round % 3 !== 0 });
    const changed = await omnitak.as("operator")("PUT", `${connections}/${id}`, change);
    assert.deepEqual([changed.status, changed.body.id], [200, id]);
    await until(() => target.sockets.length >= Math.ceil(round / 2));
  }
  isChanging = false;
  await playing;
  await until(() => servers[0].heard().length + servers[1].heard().length >= played);
  const all = [...servers[0].heard(), ...servers[1].heard()];
  assert.deepEqual(
    all.toSorted((one, other) => one - other),
    range(played),
  );
  for (const server of servers) {
    const inOrder = server.heard().toSorted((one, other) => one - other);
    assert.deepEqual(server.heard(), inOrder);
  }
});

test("a server that cannot be reached is not changed to before it can: the one before goes on", async (t) => {
  const omnitak = await rig(t);
  const server = await takServer(t);
  const { id } = (await omnitak.as("operator")("POST", connections, client(server.port))).body;
  await until(async () => (await statusOf(omnitak, id)) === "connected");
  const nowhere = await freePort();
  assert.equal((await omnitak.as("operator")("PUT", `${connections}/${id}`, client(nowhere))).status, 200);
  omnitak.play(50);
  await until(() => server.heard().length === 50);
});

test("who is connected to a listener stays while it moves, on its port or to another one, and what they send is taken", async (t) => {
  const omnitak = await rig(t);
  const operator = omnitak.as("operator");
  const ports = [await freePort(), await freePort()] as const;
  const { id } = (await operator("POST", connections, listener(ports[0]))).body;
  const peer = peerAt(t, ports[0]);
  await until(async () => (await statusOf(omnitak, id)) === "connected");
  const before = omnitak.tak.stats().messages;
  let sent = 0;
  for (const port of [ports[1], ports[1], ports[0]]) {
    const changed = operator("PUT", `${connections}/${id}`, listener(port));
    for (let more = 0; more < 100; more++) {
      peer.socket.write(position(++sent));
      omnitak.play(1, sent);
      await turn();
    }
    assert.equal((await changed).status, 200);
    const newcomer = connect(port, "127.0.0.1");
    await once(newcomer, "connect");
    newcomer.destroy();
  }
  await until(() => peer.heard().length === sent && omnitak.tak.stats().messages === before + 2 * sent);
  assert.deepEqual(peer.heard(), range(sent, 1));
});

test("what a peer had sent when its listener is removed is taken, and what waits for it is written", async (t) => {
  const omnitak = await rig(t);
  const operator = omnitak.as("operator");
  const port = await freePort();
  const { id } = (await operator("POST", connections, listener(port))).body;
  const peer = peerAt(t, port);
  const ended = once(peer.socket, "close");
  await until(async () => (await statusOf(omnitak, id)) === "connected");
  const before = omnitak.tak.stats().messages;
  omnitak.play(500);
  for (let at = 0; at < 500; at++) peer.socket.write(position(at));
  assert.equal((await operator("DELETE", `${connections}/${id}`)).status, 200);
  await ended;
  assert.equal(peer.heard().length, 500);
  assert.equal(omnitak.tak.stats().messages, before + 1_000);
  await assert.rejects(once(connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
});

test("connections that are wrong, taken or the configuration's are refused by name, and nothing changes", async (t) => {
  const omnitak = await rig(t);
  const operator = omnitak.as("operator");
  const server = await takServer(t);
  const [clients] = (await omnitak.as("reader")("GET", connections)).body.connections;
  for (const wrong of [
    {},
    [],
    client(0),
    client(65_536),
    client(1.5),
    client(server.port, { name: "" }),
    client(server.port, { name: "x".repeat(101) }),
    client(server.port, { name: "a\nb" }),
    client(server.port, { connection_type: "carrier-pigeon" }),
    client(server.port, { address: "127.0.0.1/x" }),
    client(server.port, { connection_type: "multicast" }),
    client(server.port, { connection_type: "udp", address: "239.2.3.1" }),
    client(server.port, { auto_reconnect: "yes" }),
    client(server.port, { tls_cert_path: "a.pem" }),
    client(server.port, { connection_type: "tlsserver" }),
    client(server.port, { protocol: "tcp" }),
  ]) {
    expectRefused(await operator("POST", connections, wrong), 400, "validation_error");
  }
  const tls = { connection_type: "tlsserver", tls_cert_path: "no.pem", tls_key_path: "no.pem" };
  expectRefused(await operator("POST", connections, client(await freePort(), tls)), 400, "bad_request");
  const taken = client(server.port, { connection_type: "tcpserver" });
  expectRefused(await operator("POST", connections, taken), 400, "bad_request");
  expectRefused(await operator("POST", connections, client(1, { name: "clients" })), 409, "conflict");
  expectRefused(await operator("DELETE", `${connections}/${clients.id}`), 409, "conflict");
  const ofFile = await operator("PUT", `${connections}/${clients.id}`, client(1));
  expectRefused(ofFile, 409, "conflict");
  assert.match(ofFile.body.message, /change it there and start the host again, or make another connection/);
  expectRefused(await operator("DELETE", `${connections}/nobody`), 404, "not_found");
  expectRefused(await omnitak.as("reader")("POST", connections, client(1)), 403, "insufficient_permissions");
  const { id } = (await operator("POST", connections, client(server.port))).body;
  const change = (more: Readonly<Record<string, unknown>>) =>
    operator("PUT", `${connections}/${id}`, client(server.port, more));
  expectRefused(await change({ name: "other" }), 400, "validation_error");
  expectRefused(await change({ connection_type: "tcpserver" }), 400, "validation_error");
  assert.equal((await omnitak.as("reader")("GET", connections)).body.total, 2);
});

test("a listener whose port is taken at a restart does not keep the host from starting, and says why", async (t) => {
  const omnitak = await rig(t);
  const port = await freePort();
  const { id } = (await omnitak.as("operator")("POST", connections, listener(port))).body;
  await omnitak.tak.connections.close();
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  const next = await omnitak.restart();
  const { body } = await next.as("reader")("GET", `${connections}/${id}`);
  assert.equal(body.status, "error");
  assert.match(body.error, /^tak\/listen-failed: /);
  other.close();
  await once(other, "close");
  assert.equal((await next.as("operator")("PUT", `${connections}/${id}`, listener(port))).status, 200);
  assert.equal(await statusOf(next, id), "disconnected");
});

test("the first filter that matches decides, by priority, from one event to the next and over a restart", async (t) => {
  let omnitak = await rig(t);
  const passed = (first: number, count = 10) => {
    const before = omnitak.tak.stats();
    omnitak.play(count, first);
    const after = omnitak.tak.stats();
    assert.equal(after.passed + after.blocked - before.passed - before.blocked, count);
    return after.passed - before.passed;
  };
  const make = async (body: unknown): Promise<string> =>
    (await omnitak.as("operator")("POST", filters, body)).body.id;
  assert.equal(passed(0), 10);
  const deny = await make({ name: "no ships", priority: 1, action: "deny", event_type: "^a-f-S" });
  assert.equal(passed(100), 0);
  const allow = await make({
    name: "but these",
    priority: 2,
    action: "allow",
    uid_pattern: "^ship-20[0-4]$",
  });
  assert.equal(passed(200), 5);
  const { body } = await omnitak.as("reader")("GET", filters);
  assert.deepEqual(
    body.filters.map((rule: Answer["body"]) => [rule.id, rule.match_count, rule.enabled]),
    [
      [allow, 5, true],
      [deny, 15, true],
    ],
  );
  const one = await omnitak.as("reader")("GET", `${filters}/${deny}`);
  assert.deepEqual([one.status, one.body.uid_pattern, one.body.event_type], [200, null, "^a-f-S"]);
  assert.equal((await omnitak.as("reader")("GET", "/api/v1/status")).body.active_filters, 3);
  const operator = omnitak.as("operator");
  assert.equal((await operator("PATCH", `${filters}/${allow}`, { enabled: false })).status, 200);
  assert.equal(passed(300), 0);
  omnitak = await omnitak.restart();
  assert.equal(passed(400), 0);
  const again = omnitak.as("operator");
  const place = { min_lat: 10, max_lat: 20, min_lon: 0, max_lon: 10 };
  await again("PUT", `${filters}/${deny}`, {
    name: "none there",
    priority: 0,
    action: "deny",
    geo_bounds: place,
  });
  assert.equal(passed(500), 10);
  assert.equal((await again("DELETE", `${filters}/${deny}`)).body.message, "Filter deleted successfully");
  assert.deepEqual((await omnitak.as("reader")("GET", filters)).body.total, 1);
  expectRefused(await again("DELETE", `${filters}/${deny}`), 404, "not_found");
});

test("filters that are wrong, or that this host has elsewhere, are refused by name", async (t) => {
  const omnitak = await rig(t);
  const operator = omnitak.as("operator");
  const filter = { name: "f", priority: 1, action: "deny" };
  for (const wrong of [
    {},
    { ...filter, name: "" },
    { ...filter, name: "x".repeat(201) },
    { ...filter, priority: "high" },
    { ...filter, priority: 2 ** 31 },
    { ...filter, action: "modify" },
    { ...filter, event_type: "(" },
    { ...filter, event_type: "((a{1,50}){1,50}){1,9}" },
    { ...filter, uid_pattern: "x".repeat(501) },
    { ...filter, callsign_pattern: 7 },
    { ...filter, geo_bounds: { min_lat: 1 } },
    { ...filter, source_address: "127.0.0.1" },
    { ...filter, destination_address: "127.0.0.1" },
    { ...filter, enabled: 1 },
    { ...filter, type: "affiliation" },
  ]) {
    expectRefused(await operator("POST", filters, wrong), 400, "validation_error");
  }
  const upside = { ...filter, geo_bounds: { min_lat: 9, max_lat: 1, min_lon: 0, max_lon: 1 } };
  expectRefused(await operator("POST", filters, upside), 400, "bad_request");
  expectRefused(await omnitak.as("reader")("POST", filters, filter), 403, "insufficient_permissions");
  assert.equal((await omnitak.as("reader")("GET", filters)).body.total, 0);
});

test("a change that cannot be kept is not made, and a file that somebody broke is told by name", async (t) => {
  const omnitak = await rig(t);
  const { path } = omnitak.tak.kept;
  const operator = omnitak.as("operator");
  const filter = { name: "none", priority: 1, action: "deny" };
  await operator("POST", filters, { ...filter, enabled: false });
  const text = readFileSync(path, "utf8");
  const server = await takServer(t);
  // A folder in the file's place: a rename over it fails, whoever runs this.
  rmSync(path);
  mkdirSync(join(path, "x"), { recursive: true });
  expectRefused(await operator("POST", filters, filter), 400, "bad_request");
  expectRefused(await operator("POST", connections, client(server.port)), 400, "bad_request");
  assert.equal((await omnitak.as("reader")("GET", connections)).body.total, 1);
  omnitak.play(5);
  assert.equal(omnitak.tak.stats().blocked, 0);
  rmSync(path, { recursive: true });
  for (const broken of ["{", '{"connections":[],"filters":[3]}', text.replace('"deny"', '"dance"')]) {
    writeFileSync(path, broken);
    await assert.rejects(omnitak.restart(), { code: "tak/kept-changes" });
  }
});
