/** What OmniTAK's clients need beside the plugin endpoints: a login, keys, figures, events over sockets. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { before, type TestContext, test } from "node:test";
import { createUser, removeUser, usersFile } from "@remora/admin";
import { readTrail } from "remora/manager";
import { WebSocket } from "ws";
import { buildExamples } from "../../../examples/build.ts";
import { type Answer, jwt, type OmnitakRig, omnitakRig as rig, until } from "./testing/omnitak-rig.ts";

before(() => buildExamples());

const event = (uid: string, { type = "a-f-G", lat = 52.1, lon = 4.3, time = "2026-11-28T12:00:00Z" } = {}) =>
  `<event version="2.0" uid="${uid}" type="${type}" how="m-g" time="${time}" start="${time}" stale="2026-11-28T12:05:00Z"><point lat="${lat}" lon="${lon}" hae="0" ce="1" le="1"/><detail/></event>`;

interface Listener {
  readonly socket: WebSocket;
  /** The next message of this type. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks at is what it expects to be there
  next(type: string): Promise<any>;
  say(message: unknown): void;
}

async function listen(
  t: TestContext,
  { address }: OmnitakRig,
  path: string,
  token: string,
): Promise<Listener> {
  const url = `${address.replace("http", "ws")}${path}`;
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  t.after(() => socket.terminate());
  const heard: { readonly type: string }[] = [];
  let wake = () => {};
  socket.on("message", (data) => {
    heard.push(JSON.parse(String(data)));
    wake();
  });
  await once(socket, "open");
  return {
    socket,
    say: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    async next(type) {
      for (;;) {
        const index = heard.findIndex((message) => message.type === type);
        if (index >= 0) return heard.splice(index, 1)[0];
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

test("a user logs in for a token that is good until it ends or the user is removed", async (t) => {
  const { with: withHeaders, tak } = await rig(t);
  const users = usersFile(tak.host.manager.folder);
  await createUser(users, { name: "ada", role: "operator", password: "correct horse", nowMs: Date.now() });
  const nobody = withHeaders({});
  const logIn = (username: unknown, password: unknown) =>
    nobody("POST", "/api/v1/auth/login", { username, password });
  const { status, body } = await logIn("ada", "correct horse");
  assert.deepEqual(
    [status, Object.keys(body), body.role],
    [200, ["access_token", "expires_at", "role"], "operator"],
  );
  assert.ok(Date.parse(body.expires_at) > Date.now());
  const ask = withHeaders({ authorization: `Bearer ${body.access_token}` });
  assert.equal((await ask("POST", "/api/v1/plugins/geofence/toggle", { enabled: true })).status, 200);
  assert.equal((await ask("DELETE", "/api/v1/plugins/geofence")).status, 403);
  for (const [name, password] of [
    ["ada", "a wrong password"],
    ["bob", "correct horse"],
  ]) {
    const refused = await logIn(name, password);
    assert.deepEqual([refused.status, refused.body.error], [401, "unauthorized"]);
    assert.deepEqual(refused.body.message, "Invalid credentials");
  }
  for (const [name, password] of [
    ["ada", "short"],
    ["", "correct horse"],
    ["ada", undefined],
    ["x".repeat(101), "correct horse"],
    [{ $gt: "" }, "correct horse"],
  ]) {
    assert.deepEqual((await logIn(name, password)).body.error, "validation_error");
  }
  removeUser(users, "ada");
  assert.equal((await ask("GET", "/api/v1/plugins")).status, 401);
});

test("an admin makes a key, which says once what it is, works, and ends when it should", async (t) => {
  const { as, with: withHeaders, tak } = await rig(t);
  const make = (body: unknown) => as("admin")("POST", "/api/v1/auth/api-keys", body);
  const { status, body } = await make({ name: "map", role: "readonly", expires_at: null });
  assert.deepEqual([status, Object.keys(body)], [201, ["api_key", "id", "name", "created_at"]]);
  assert.match(body.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const ask = withHeaders({ "x-api-key": body.api_key });
  assert.equal((await ask("GET", "/api/v1/plugins")).status, 200);
  assert.equal((await ask("POST", "/api/v1/plugins/reload-all")).status, 403);
  for (const wrong of [
    { name: "", role: "admin" },
    { name: "x", role: "root" },
    { name: "x", role: "constructor" },
    { name: "x", role: "admin", expires_at: "yesterday" },
    { name: "x", role: "admin", expires_at: "2020-01-01T00:00:00Z" },
    { name: "user:ada", role: "admin" },
    { name: "local", role: "admin" },
    { name: "\u001b[31mred\n", role: "admin" },
  ]) {
    assert.equal((await make(wrong)).body.error, "validation_error", JSON.stringify(wrong));
  }
  const lines = await readTrail(tak.host.manager.trail?.folder ?? "", {
    recordsMax: 100,
    isWanted: ({ event }) => event.kind === "admin.token",
  });
  assert.deepEqual(
    lines.map(({ event: { token, tokenRole, expiresAt, by } }) => [token, tokenRole, expiresAt, by]),
    [["map", "reader", null, "admin"]],
  );
  assert.equal(
    (await as("operator")("POST", "/api/v1/auth/api-keys", { name: "x", role: "admin" })).status,
    403,
  );
});

test("health says how many plugins are well, and is for everybody; all else is for those who are in", async (t) => {
  const { as, with: withHeaders, tak } = await rig(t);
  const nobody = withHeaders({});
  const { body } = await nobody("GET", "/api/v1/health");
  assert.equal(body.status, "healthy");
  assert.deepEqual(body.plugins, { total: 1, healthy: 1, degraded: 0, unhealthy: 0, disabled: 0 });
  await tak.host.manager.disable("geofence");
  assert.equal((await nobody("GET", "/api/v1/health")).body.plugins.disabled, 1);
  const table = [
    ["GET", "/api/v1/status", "reader"],
    ["GET", "/api/v1/connections", "reader"],
    ["GET", "/api/v1/metrics", "reader"],
    ["POST", "/api/v1/cot/send", "operator"],
    ["GET", "/api/v1/audit", "admin"],
    ["POST", "/api/v1/auth/api-keys", "admin"],
  ] as const;
  const roles = ["reader", "operator", "admin"] as const;
  for (const [method, path, role] of table) {
    assert.equal((await nobody(method, path)).status, 401, path);
    for (const one of roles.slice(0, roles.indexOf(role))) {
      assert.equal((await as(one)(method, path)).status, 403, `${one} ${path}`);
    }
    assert.ok([200, 400].includes((await as(role)(method, path)).status), `${role} ${path}`);
  }
});

test("status, connections and metrics have the figures of the host", async (t) => {
  const { as, play, tak } = await rig(t);
  const reader = as("reader");
  const [listening] = tak.connections.listening;
  const client = connect(listening?.port ?? 0, "127.0.0.1");
  t.after(() => client.destroy());
  client.write(event("a"));
  play(50);
  const { body } = await reader("GET", "/api/v1/connections");
  assert.equal(body.total, 1);
  const [connection] = body.connections;
  assert.deepEqual([connection.name, connection.connection_type], ["clients", "tcpserver"]);
  assert.deepEqual((await reader("GET", `/api/v1/connections/${connection.id}`)).body.name, "clients");
  assert.equal((await reader("GET", "/api/v1/connections/nobody")).body.error, "not_found");
  assert.equal((await reader("GET", "/api/v1/connections?limit=x")).body.error, "validation_error");
  assert.equal((await reader("GET", "/api/v1/connections?offset=1")).body.connections.length, 0);
  const status = (await reader("GET", "/api/v1/status")).body;
  assert.ok(status.messages_processed >= 50 && status.memory_usage_bytes > 0);
  const metrics: string = (await reader("GET", "/api/v1/metrics")).body;
  assert.match(metrics, /^omnitak_plugin_executions_total\{plugin_id="geofence"\} \d+$/m);
  assert.match(metrics, /^omnitak_plugin_errors_total\{plugin_id="geofence",error_type="timeout"\} 0$/m);
  const bucket = /_bucket\{plugin_id="geofence",le="\+Inf"\} (\d+)/.exec(metrics)?.[1];
  assert.equal(bucket, /_count\{plugin_id="geofence"\} (\d+)/.exec(metrics)?.[1]);
  for (const line of metrics.trimEnd().split("\n"))
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]+\})? [\d.e+-]+)$/);
});

test("an event that is sent goes through the chain to who is connected, and says what became of it", async (t) => {
  const { as, tak } = await rig(t);
  const [listening] = tak.connections.listening;
  const client = connect(listening?.port ?? 0, "127.0.0.1");
  t.after(() => client.destroy());
  let received = "";
  client.on("data", (data) => {
    received += data;
  });
  const send = (body: unknown) => as("operator")("POST", "/api/v1/cot/send", body);
  await until(() => tak.connections.openCount > 0);
  const { id } = (await as("reader")("GET", "/api/v1/connections")).body.connections[0];

  const sent = (await send({ message: event("in") })).body;
  assert.deepEqual([sent.sent_to_count, sent.sent_to_connections, sent.warnings], [1, [id], []]);
  const again = (await send({ message: event("in") })).body;
  assert.deepEqual(
    [again.sent_to_count, again.warnings],
    [0, ["it was received before, and is not sent twice"]],
  );
  const outside = { message: event("out", { lat: 10, lon: 10 }) };
  const blocked = (await send(outside)).body;
  assert.deepEqual([blocked.sent_to_count, blocked.warnings], [0, ["a filter or plugin blocked it"]]);
  const past = {
    message: event("past", { lat: 10, lon: 10 }),
    apply_filters: false,
    target_connections: [id],
  };
  assert.equal((await send(past)).body.sent_to_count, 1);
  while (!received.includes('uid="past"')) await once(client, "data");
  assert.ok(received.includes('uid="in"') && !received.includes('uid="out"'));

  for (const wrong of [
    { message: "hello" },
    { message: "<event/>" },
    { message: event("a") + event("b") },
    { message: event("a").slice(0, -3) },
    { message: "" },
    { message: event("x"), apply_filters: "yes" },
    { message: event("x"), target_connections: ["nobody"] },
    { message: event("x"), priority: 11 },
    {},
  ]) {
    assert.equal((await send(wrong)).body.error, "validation_error", JSON.stringify(wrong));
  }
});

test("the OpenAPI document says of each path what it takes and answers, and what its sockets are", async (t) => {
  const { address } = await rig(t);
  const { paths, tags } = (await (await fetch(`${address}/openapi.json`)).json()) as Answer["body"];
  const names = new Map<string, string>();
  for (const [path, methods] of Object.entries<Record<string, Answer["body"]>>(paths)) {
    if (!path.startsWith("/api/v1/")) continue;
    for (const [method, { requestBody, parameters = [], responses }] of Object.entries(methods)) {
      const [status, ...problems] = Object.keys(responses);
      assert.deepEqual(problems, ["4XX", "5XX"], `${method} ${path}`);
      const body = Object.keys(requestBody?.content["application/json"].schema.properties ?? {});
      const query = parameters.flatMap((one: Answer["body"]) => (one.in === "query" ? [one.name] : []));
      names.set(`${method} ${path}`, `${status} ${[...body, ...query].join(" ")}`.trim());
    }
  }
  assert.equal(names.size, 28);
  for (const [operation, expected] of [
    ["post /api/v1/auth/login", "200 username password"],
    ["post /api/v1/auth/api-keys", "201 name role expires_at"],
    ["post /api/v1/plugins", "201 id path enabled pluginType config"],
    ["delete /api/v1/plugins/{id}", "204"],
    ["get /api/v1/audit", "200 limit"],
    ["post /api/v1/cot/send", "200 message target_connections apply_filters priority"],
    ["put /api/v1/plugins/{id}/config", "200 config"],
  ] as const) {
    assert.equal(names.get(operation), expected, operation);
  }
  const { description } = tags.find(({ name }: { name: string }) => name === "OmniTAK");
  assert.match(description, /`\/api\/v1\/stream` \(reader\)/);
});

test("what people did is in the audit, with who and from where", async (t) => {
  const { as, with: withHeaders } = await rig(t);
  await as("operator")("DELETE", "/api/v1/connections/geofence");
  await as("operator")("POST", "/api/v1/plugins/geofence/toggle", { enabled: true });
  await withHeaders({})("POST", "/api/v1/auth/login", { username: "ada", password: "a wrong guess" });
  const { body } = await as("admin")("GET", "/api/v1/audit?limit=10");
  const [login, toggle, removal] = body;
  assert.deepEqual([login.user, login.action, login.success], ["user:ada", "log in, refused", false]);
  assert.deepEqual(
    [toggle.user, toggle.role, toggle.action, toggle.resource, toggle.success, toggle.source_ip],
    ["operator", "operator", "toggle", "/api/v1/plugins/geofence", true, "127.0.0.1"],
  );
  // A connection with the id of a plugin is not that plugin.
  assert.deepEqual(
    [removal.action, removal.resource, removal.success],
    ["delete connection", "/api/v1/connections/geofence", false],
  );
});

test("the stream gives events of the types, names and places that a client subscribes to", async (t) => {
  const omnitak = await rig(t);
  const stream = await listen(t, omnitak, "/api/v1/stream", omnitak.tokens.get("reader") ?? "");
  const send = (uid: string, more = {}) =>
    omnitak.as("operator")("POST", "/api/v1/cot/send", { message: event(uid, more), apply_filters: false });
  await send("before");
  stream.say({
    type: "subscribe",
    event_types: ["^a-h-"],
    uids: ["ship-\\d+"],
    geo_bounds: { min_lat: 50, max_lat: 55, min_lon: 3, max_lon: 8 },
    binary: false,
  });
  assert.deepEqual(await stream.next("ack"), { type: "ack", message_type: "subscribe" });
  await send("ship-1", { type: "a-f-S" });
  await send("car-1", { type: "a-h-G" });
  await send("ship-2", { type: "a-h-S", lat: 10 });
  await send("ship-3", { type: "a-h-S" });
  const heard = await stream.next("cot_message");
  assert.deepEqual([heard.uid, heard.event_type], ["ship-3", "a-h-S"]);
  assert.equal(heard.source_connection, "00000000-0000-0000-0000-000000000000");
  assert.match(heard.data, /^<event .*uid="ship-3"/);
  stream.say({ type: "unsubscribe" });
  assert.equal((await stream.next("ack")).message_type, "unsubscribe");
  await send("ship-4", { type: "a-h-S" });
  stream.say({ type: "ping" });
  await stream.next("pong");
  for (const [said, code] of [
    ["not json", "parse_error"],
    ["[]", "parse_error"],
    [{ type: "dance" }, "parse_error"],
    [{ type: "subscribe_events" }, "invalid_endpoint"],
    [{ type: "subscribe", uids: ["("] }, "invalid_subscription"],
    [{ type: "subscribe", uids: ["((a{1,50}){1,50}){1,9}"] }, "invalid_subscription"],
    [{ type: "subscribe", uids: Array(17).fill("a") }, "invalid_subscription"],
    [{ type: "subscribe", events: ["everything"] }, "invalid_subscription"],
    [{ type: "subscribe", geo_bounds: { min_lat: 91 } }, "invalid_subscription"],
    [{ type: "subscribe", binary: true }, "invalid_subscription"],
  ] as const) {
    stream.say(said);
    assert.equal((await stream.next("error")).code, code, JSON.stringify(said));
  }
});

test("plugins tell how they are and what calls of them take, to who subscribes; and all that becomes of them", async (t) => {
  const omnitak = await rig(t);
  const token = omnitak.tokens.get("reader") ?? "";
  const stream = await listen(t, omnitak, "/api/v1/stream", token);
  const events = await listen(t, omnitak, "/api/v1/events", token);
  stream.say({ type: "subscribe", events: ["plugin_status", "plugin_metric"] });
  await stream.next("ack");
  omnitak.play(32);
  const metric = await stream.next("plugin_metric");
  assert.equal(metric.plugin_id, "geofence");
  assert.ok(metric.execution_count >= 32 && metric.execution_time_ms > 0 && metric.error_count === 0);
  await omnitak.tak.host.manager.disable("geofence");
  let status = await stream.next("plugin_status");
  while (status.status !== "disabled") status = await stream.next("plugin_status");
  assert.equal(status.plugin_id, "geofence");
  const happened = await events.next("system_event");
  assert.deepEqual([happened.event, happened.details.plugin], ["plugin_state", "geofence"]);
  events.say({ type: "subscribe" });
  assert.equal((await events.next("error")).code, "invalid_endpoint");
});

test("a socket asks who comes: a token in a header or as a page sends it, and nobody else", async (t) => {
  const omnitak = await rig(t);
  const url = `${omnitak.address.replace("http", "ws")}/api/v1/events`;
  const token = omnitak.tokens.get("reader") ?? "";
  const outcome = async (socket: WebSocket) => {
    t.after(() => socket.terminate());
    const [what] = await Promise.race([
      once(socket, "open").then(() => [`open ${socket.protocol}`.trim()]),
      once(socket, "unexpected-response").then(([, response]) => [response.statusCode]),
    ]);
    return what;
  };
  assert.equal(await outcome(new WebSocket(url, { headers: { "x-api-key": token } })), "open");
  assert.equal(await outcome(new WebSocket(url, ["bearer", token])), "open bearer");
  const claims = { sub: "ada", role: "ReadOnly", exp: Math.floor(Date.now() / 1_000) + 600 };
  assert.equal(await outcome(new WebSocket(url, ["bearer", jwt(claims)])), "open bearer");
  assert.equal(await outcome(new WebSocket(url)), 401);
  assert.equal(await outcome(new WebSocket(`${url}?token=${token}`)), 401);
  assert.equal(await outcome(new WebSocket(url, ["bearer", "wrong"])), 401);
  assert.equal(await outcome(new WebSocket(url, ["bearer", token], { origin: "https://evil.example" })), 403);
  const rebound = { headers: { host: "evil.example", authorization: `Bearer ${token}` } };
  assert.equal(await outcome(new WebSocket(url, rebound)), 403);
  assert.equal(await outcome(new WebSocket(url.replace("events", "nothing"), ["bearer", token])), 404);
});

test("a client that does not read misses events and is told how many; one that says too much is put out", async (t) => {
  const omnitak = await rig(t);
  const stream = await listen(t, omnitak, "/api/v1/stream", omnitak.tokens.get("reader") ?? "");
  stream.say({ type: "subscribe" });
  await stream.next("ack");
  stream.socket.pause();
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 40; round++) {
    omnitak.play(1_000, round * 1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(process.memoryUsage.rss() - before < 100 * 1024 * 1024);
  stream.socket.resume();
  const missed = stream.next("error");
  let isHeard = false;
  void missed.then(() => {
    isHeard = true;
  });
  let ship = 100_000;
  await until(() => {
    omnitak.play(1, ship++);
    return isHeard;
  });
  assert.match((await missed).message, /^\d+ messages were left out/);
  const closed = once(stream.socket, "close");
  stream.say("x".repeat(70_000));
  assert.equal((await closed)[0], 1009);
});
