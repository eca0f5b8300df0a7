import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { type TestContext, test } from "node:test";
import { bundleOf } from "../../test-bundle.ts";
import { type Role, roles } from "./access/roles.ts";
import { createToken, readTokens, revokeToken, tokensFile } from "./access/tokens.ts";
import { createUser, usersFile } from "./access/users.ts";
import type { Mount } from "./mount.ts";
import { openAdmin } from "./open-admin.ts";
import { readEvents } from "./read-events.ts";
import { adminRig, clientOf, expectProblem, guests } from "./testing/admin-rig.ts";

/** As a browser or a script sends it: any header, even those that `fetch` does not let one set. */
async function raw(
  port: number,
  options: { path?: string; method?: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; text: string; headers: IncomingMessage["headers"] }> {
  const { path = "/v1/plugins", method = "GET", headers = {}, body } = options;
  const request = httpRequest({ host: "127.0.0.1", port, path, method, headers });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode ?? 0, text, headers: response.headers };
}

test("without a token, with a wrong one and with the wrong kind of one nobody gets in", async (t) => {
  const { as, admin, tokens } = await adminRig(t);
  expectProblem(await as(undefined)("GET", "/v1/plugins"), 401, "admin/unauthorized");
  for (const authorization of [
    "Bearer wrong",
    "Bearer ",
    tokens.admin,
    `Basic ${tokens.admin}`,
    "Bearer a b",
  ]) {
    const answer = await clientOf(admin.address, undefined)("GET", "/v1/plugins", undefined, {
      authorization,
    });
    expectProblem(answer, 401, "admin/unauthorized");
  }
  const [record] = readTokens(tokensFile((await adminRig(t)).folder));
  expectProblem(
    await clientOf(admin.address, record?.sha256)("GET", "/v1/plugins"),
    401,
    "admin/unauthorized",
  );
});

test("every route but health and the documents refuses whoever has no token", async (t) => {
  const { as } = await adminRig(t);
  const { paths } = (await as(undefined)("GET", "/openapi.json")).body;
  for (const [path, methods] of Object.entries<Record<string, unknown>>(paths)) {
    if (path === "/health") continue;
    for (const method of Object.keys(methods)) {
      const answer = await as(undefined)(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, "adder"));
      assert.equal(answer.status, 401, `${method} ${path}`);
    }
  }
});

/** All endpoints, each with the lowest role that may ask it; undefined for everybody. */
const endpoints: Readonly<Record<string, Role | undefined>> = {
  "GET /health": undefined,
  "GET /metrics": "reader",
  "GET /v1/audit": "operator",
  "GET /v1/audit/verify": "operator",
  "POST /v1/bundles": "admin",
  "GET /v1/consents": "reader",
  "POST /v1/consents/adder/accept": "admin",
  "POST /v1/consents/adder/refuse": "admin",
  "GET /v1/events": "reader",
  "GET /v1/plugins": "reader",
  "POST /v1/plugins": "admin",
  "GET /v1/plugins/adder": "reader",
  "DELETE /v1/plugins/adder": "admin",
  "POST /v1/plugins/adder/disable": "operator",
  "POST /v1/plugins/adder/enable": "operator",
  "GET /v1/plugins/adder/grants": "reader",
  "POST /v1/plugins/adder/grants": "admin",
  "POST /v1/plugins/adder/grants/revoke": "admin",
  "POST /v1/plugins/adder/reload": "operator",
  "POST /v1/plugins/adder/rollback": "operator",
  "GET /v1/plugins/adder/settings": "reader",
  "PUT /v1/plugins/adder/settings": "operator",
  "POST /v1/plugins/adder/update": "admin",
};

test("each endpoint refuses every role below its own, and none is missing here", async (t) => {
  const { as } = await adminRig(t);
  const { paths } = (await as(undefined)("GET", "/openapi.json")).body;
  const there = Object.entries<Record<string, unknown>>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, "adder")}`),
  );
  assert.deepEqual(there.toSorted(), Object.keys(endpoints).toSorted());
  for (const [endpoint, needed] of Object.entries(endpoints)) {
    const [method = "", path = ""] = endpoint.split(" ");
    if (endpoint.endsWith("/events")) continue; // what it answers has no end
    for (const role of roles) {
      const { status } = await as(role)(method, path);
      const isBelow = needed !== undefined && roles.indexOf(role) < roles.indexOf(needed);
      assert.equal(status === 403, isBelow, `${role} ${endpoint}: ${status}`);
    }
  }
});

test("each role may do what it may, and nothing of the next one", async (t) => {
  const { as } = await adminRig(t);
  await as("admin")("POST", "/v1/bundles", await bundleOf(guests.adds(1)));
  const table = [
    ["reader", "GET", "/v1/audit"],
    ["reader", "POST", "/v1/plugins/adder/reload"],
    ["reader", "PUT", "/v1/plugins/adder/settings"],
    ["operator", "POST", "/v1/plugins"],
    ["operator", "POST", "/v1/bundles"],
    ["operator", "POST", "/v1/plugins/adder/grants"],
    ["operator", "DELETE", "/v1/plugins/adder"],
    ["operator", "POST", "/v1/plugins/adder/update"],
  ] as const;
  for (const [role, method, path] of table) {
    expectProblem(await as(role)(method, path), 403, "admin/forbidden");
  }
});

test("a token that expired or was revoked is none from the next request on, and its file holds hashes alone", async (t) => {
  let now = Date.UTC(2026, 10, 28);
  const rig = await adminRig(t, { nowMs: () => now });
  const file = tokensFile(rig.folder);
  const token = createToken(file, { name: "ci", role: "reader", nowMs: now, validMs: 60_000 });
  const ask = clientOf(rig.admin.address, token);
  assert.equal((await ask("GET", "/v1/plugins")).status, 200);
  assert.ok(!JSON.stringify(readTokens(file)).includes(token.slice(8)));
  assert.throws(() => createToken(file, { name: "ci", role: "admin", nowMs: now }), {
    code: "admin/token-exists",
  });
  now += 60_001;
  expectProblem(await ask("GET", "/v1/plugins"), 401, "admin/unauthorized");
  now -= 30 * 86_400_000;
  assert.equal((await ask("GET", "/v1/plugins")).status, 200, "a clock that was set back");
  now += 60 * 86_400_000;
  expectProblem(await ask("GET", "/v1/plugins"), 401, "admin/unauthorized");
  revokeToken(file, "reader");
  expectProblem(await rig.as("reader")("GET", "/v1/plugins"), 401, "admin/unauthorized");
  assert.throws(() => revokeToken(file, "reader"), { code: "admin/no-such-token" });
});

test("no token has a name that the audit has for somebody else, or that does not show as it is", async (t) => {
  const { folder } = await adminRig(t);
  const file = tokensFile(folder);
  const wrong = ["", "local", "Local", "nobody", "user:ada", "User:ada", "jwt:ada", " local", "local "];
  for (const name of [...wrong, "\u001b[31mred", "a\nb", "lo\u200bcal", "x".repeat(201)]) {
    const options = { name, role: "reader", nowMs: 0, password: "correct horse" } as const;
    assert.throws(() => createToken(file, options), { code: "admin/bad-name" }, name);
    await assert.rejects(createUser(usersFile(folder), options), { code: "admin/bad-name" }, name);
  }
  createToken(file, { name: "Ada Lovelace's script (\u00e9)", role: "reader", nowMs: 0 });
});

test("tokens that cannot be read stop the interface from opening", async (t) => {
  const { folder, manager } = await adminRig(t);
  for (const text of ["{", "[1]", '[{"name":"a","role":"root"}]']) {
    writeFileSync(tokensFile(folder), text);
    await assert.rejects(openAdmin({ manager, log: () => {}, nowMs: Date.now }), {
      code: "admin/access-file-damaged",
    });
  }
});

test("whoever guesses tokens is not compared any more, and whoever has one goes on", async (t) => {
  const { as, admin } = await adminRig(t, { limits: { refusalsPerMinuteMax: 5 } });
  const guess = clientOf(admin.address, "remora_guess");
  for (let n = 0; n < 5; n++) expectProblem(await guess("GET", "/v1/plugins"), 401, "admin/unauthorized");
  expectProblem(await guess("GET", "/v1/plugins"), 429, "admin/too-many-requests");
  assert.equal((await as(undefined)("GET", "/health")).status, 200);
});

test("a token has so many requests a minute", async (t) => {
  const { as } = await adminRig(t, { limits: { requestsPerMinuteMax: 5 } });
  for (let n = 0; n < 5; n++) assert.equal((await as("reader")("GET", "/v1/plugins")).status, 200);
  expectProblem(await as("reader")("GET", "/v1/plugins"), 429, "admin/too-many-requests");
  assert.equal((await as("admin")("GET", "/v1/plugins")).status, 200);
});

test("a page on the web cannot use a name of its own for loopback, or send requests here", async (t) => {
  const { port, tokens } = await adminRig(t, {
    hosts: ["remora.example.org"],
    origins: ["https://console.example.org"],
  });
  const authorization = `Bearer ${tokens.reader}`;
  const ask = (headers: Record<string, string>) => raw(port, { headers: { authorization, ...headers } });
  const own = `127.0.0.1:${port}`;
  const refused = [
    { host: "evil.example.com" },
    { host: `evil.example.com:${port}` },
    { host: "127.0.0.1.evil.example.com" },
    { host: "localhost@evil.example.com" },
    { host: own, origin: "https://evil.example.com" },
    { host: own, origin: "null" },
    { host: own, origin: `http://127.0.0.1:${port + 1}` },
    { host: own, "sec-fetch-site": "cross-site" },
  ];
  for (const headers of refused) {
    const { status, text } = await ask(headers as Record<string, string>);
    assert.equal(status, 403, JSON.stringify(headers));
    assert.equal(JSON.parse(text).error, "admin/foreign-host");
  }
  const allowed = [
    { host: own },
    { host: `localhost:${port}` },
    { host: `[::1]:${port}` },
    { host: "Remora.Example.org" },
    { host: own, origin: `http://${own}` },
    { host: own, origin: "https://console.example.org" },
  ];
  for (const headers of allowed) {
    assert.equal((await ask(headers as Record<string, string>)).status, 200, JSON.stringify(headers));
  }
});

test("an interface that listens to all addresses is asked at each of them, under that address alone", async (t) => {
  const { admin, port, tokens } = await adminRig(t, { address: "::" });
  assert.equal(admin.address, `http://[::1]:${port}`);
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  // Those of one link have a zone, which a URL cannot name.
  const asked = own.filter(({ address }) => !address.startsWith("fe80:"));
  for (const { address, family } of asked) {
    const host = family === "IPv6" ? `[${address}]` : address;
    const client = clientOf(`http://${host}:${port}`, tokens.reader);
    assert.equal((await client("GET", "/v1/plugins")).status, 200, address);
  }
  for (const host of ["192.0.2.200", "[fd00::dead]", "[::ffff:127.0.0.1]"]) {
    const headers = { authorization: `Bearer ${tokens.reader}`, host };
    assert.equal((await raw(port, { headers })).status, 403, host);
  }
});

test("a page that may call the interface is told so by its browser's rules, and no other one is", async (t) => {
  const origin = "https://console.example.org";
  const { port, tokens } = await adminRig(t, { origins: [origin] });
  const authorization = `Bearer ${tokens.reader}`;
  const preflight = {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, content-type",
  };
  const asked = await raw(port, { method: "OPTIONS", path: "/v1/plugins/adder/reload", headers: preflight });
  assert.equal(asked.status, 204);
  assert.equal(asked.headers["access-control-allow-origin"], origin);
  assert.match(asked.headers["access-control-allow-methods"] ?? "", /\bPOST\b/);
  assert.match(asked.headers["access-control-allow-headers"] ?? "", /authorization.*content-type/);
  assert.match(asked.headers.vary ?? "", /origin/);
  for (const [path, method, headers, status] of [
    ["/v1/plugins", "GET", { authorization }, 200],
    ["/v1/events", "HEAD", { authorization }, 200],
    ["/v1/plugins", "GET", {}, 401],
    ["/v1/nothing", "GET", { authorization }, 404],
  ] as const) {
    const answer = await raw(port, { path, method, headers: { ...headers, origin } });
    assert.equal(answer.status, status);
    assert.equal(answer.headers["access-control-allow-origin"], origin, path);
    assert.match(answer.headers.vary ?? "", /origin/);
  }
  for (const headers of [
    { ...preflight, origin: "https://evil.example" },
    { ...preflight, host: "evil.example" },
  ]) {
    assert.equal((await raw(port, { method: "OPTIONS", headers })).status, 403, JSON.stringify(headers));
  }
  const other = await raw(port, { headers: { authorization } });
  assert.equal(other.headers["access-control-allow-origin"], undefined);
  assert.match(other.headers.vary ?? "", /origin/);
  const closed = await adminRig(t);
  const unasked = await raw(closed.port, { method: "OPTIONS", headers: preflight });
  assert.deepEqual([unasked.status, unasked.headers["access-control-allow-origin"]], [403, undefined]);
});

test("a form of another page cannot install anything, even if it knew the token", async (t) => {
  const { port, tokens } = await adminRig(t);
  for (const [type, refused] of [
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data", 415],
    ["text/plain", 400],
  ] as const) {
    const { status } = await raw(port, {
      path: "/v1/plugins",
      method: "POST",
      headers: { authorization: `Bearer ${tokens.admin}`, "content-type": type },
      body: '{"ref":"adder"}',
    });
    assert.equal(status, refused, type);
  }
});

test("tricks in names do not leave the routes", async (t) => {
  const { port, tokens, manager } = await adminRig(t);
  await manager.install({ bytes: await bundleOf(guests.adds(1)), origin: "a test" });
  const headers = { authorization: `Bearer ${tokens.admin}` };
  for (const name of [
    "..%2f..%2fetc%2fpasswd",
    "../../etc/passwd",
    "%2e%2e",
    "adder%00",
    "Adder",
    "a".repeat(300),
    "__proto__",
    "constructor",
    "%ff",
    "adder%0d%0aX:%201",
  ]) {
    const { status } = await raw(port, { path: `/v1/plugins/${name}`, headers });
    assert.ok(status === 400 || status === 404 || status === 414, `${name}: ${status}`);
  }
  const post = (body: unknown) =>
    raw(port, {
      path: "/v1/plugins",
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  for (const body of [
    { ref: "" },
    { ref: "a\u0000b" },
    { ref: 1 },
    { ref: "x".repeat(5_000) },
    { ref: "a", more: 1 },
    [],
  ]) {
    assert.equal((await post(body)).status, 400, JSON.stringify(body).slice(0, 40));
  }
  const proto = await raw(port, {
    path: "/v1/plugins",
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: '{"ref":"adder","__proto__":{"isEnabled":false}}',
  });
  assert.equal(proto.status, 400);
  assert.equal((await post({ ref: "/etc/passwd" })).status, 422);
  assert.equal((await post({ ref: "/nowhere/at/all" })).status, 422);
});

test("a path that is none and a query that nobody knows are refused as everything is", async (t) => {
  const { as } = await adminRig(t);
  for (const [method, path] of [
    ["GET", "/v1/plugins/%zz"],
    ["POST", "/v1/plugins/%E0%A4%A/reload"],
    ["GET", `/v1/plugins/${"a".repeat(300)}`],
    ["GET", "/v1/audit?limit=1&nope=1"],
    ["GET", "/v1/audit/verify?nope=1"],
    ["GET", "/v1/audit/verify?seq=1"],
    ["GET", `/v1/audit/verify?hash=${"0".repeat(64)}`],
    ["DELETE", "/v1/plugins/adder?date=true"],
  ] as const) {
    expectProblem(await as("admin")(method, path), 400, "admin/bad-request");
  }
});

test("a field that there is none of is named, with those that there are, wherever it is", async (t) => {
  const { as } = await adminRig(t);
  const plugin = "/v1/plugins/adder";
  for (const [method, path, body, problem] of [
    ["POST", `${plugin}/reload`, { now: 1 }, 'body has no field "now": none are allowed'],
    ["POST", `${plugin}/enable`, { now: 1 }, 'body has no field "now": none are allowed'],
    ["POST", `${plugin}/disable`, { now: 1 }, 'body has no field "now": none are allowed'],
    ["POST", `${plugin}/rollback`, { range: "1" }, 'body has no field "range": allowed are "version"'],
    ["DELETE", `${plugin}?date=true`, undefined, 'querystring has no field "date": allowed are "data"'],
    ["POST", `${plugin}/reload`, [1], "body must be object"],
    ["POST", "/v1/plugins", undefined, "body must have required property 'ref'"],
  ] as const) {
    const answer = await as("admin")(method, path, body);
    expectProblem(answer, 400, "admin/bad-request");
    assert.ok(answer.body.message.endsWith(problem), answer.body.message);
  }
  // What has no body has no field.
  expectProblem(await as("admin")("POST", `${plugin}/update`), 404, "manager/no-such-plugin");
});

test("more than is allowed is refused before it is read, where a bundle may be larger", async (t) => {
  const { as } = await adminRig(t, { limits: { bodyBytesMax: 1_000 } });
  const large = { settings: "x".repeat(2_000) };
  const refused = await as("operator")("PUT", "/v1/plugins/adder/settings", large);
  expectProblem(refused, 413, "admin/too-large");
  assert.match(refused.body.message, /allowed are 1000 bytes/);
  const garbage = await as("admin")("POST", "/v1/bundles", new Uint8Array(5_000));
  expectProblem(garbage, 422, "manager/verify");
  expectProblem(await as("admin")("POST", "/v1/bundles", { ref: "a" }), 422, "manager/verify");
});

test("a body of raw bytes is taken for a bundle alone", async (t) => {
  const { as } = await adminRig(t);
  const answer = await as("admin")("POST", "/v1/plugins", new Uint8Array(10));
  expectProblem(answer, 415, "admin/unsupported-type");
});

test("whoever offers another protocol than HTTP/1.1 is answered in that", async (t) => {
  const { port, tokens } = await adminRig(t);
  const authorization = `Bearer ${tokens.operator}`;
  const ask = (upgrade: string, method: string, path: string) =>
    raw(port, { method, path, headers: { authorization, connection: "upgrade", upgrade } });
  assert.equal((await ask("h2c", "GET", "/health")).status, 200);
  assert.equal((await ask("h2c", "GET", "/v1/plugins")).status, 200);
  assert.equal((await ask("TLS/1.0, h2c", "HEAD", "/metrics")).status, 200);
  const reload = await ask("websocket", "POST", "/v1/plugins/adder/reload");
  assert.equal(JSON.parse(reload.text).error, "manager/no-such-plugin");
  assert.match((await ask("websocket", "GET", "/v1/plugins")).text, /WebSocket \/v1\/plugins/);
});

/** Writes what need not be a request, and reads until the connection is closed. */
async function written(t: TestContext, port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(text);
  let answer = "";
  socket.on("data", (part) => {
    answer += part;
  });
  await once(socket, "close");
  return answer;
}

test("a client that sends its request byte by byte is disconnected", async (t) => {
  const { port } = await adminRig(t, { limits: { requestMsMax: 200 } });
  assert.match(
    await written(t, port, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "),
    /^HTTP\/1\.1 408 .*"error":"admin\/bad-request"/s,
  );
});

test("what cannot be read is told as everything is", async (t) => {
  const { port } = await adminRig(t);
  const begun = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  const table = [
    [`${begun}X-Long: ${"x".repeat(20_000)}\r\n\r\n`, 431, "its headers have more than 16384 bytes"],
    [`${begun}no header\r\n\r\n`, 400, "it is no request of HTTP/1.1"],
    ["\u0016\u0003\u0001", 400, "it is no request of HTTP/1.1"], // how TLS begins
  ] as const;
  for (const [text, status, problem] of table) {
    const [head = "", body = ""] = (await written(t, port, text)).split("\r\n\r\n");
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
    const { error, message, fault } = JSON.parse(body);
    assert.deepEqual([error, fault], ["admin/bad-request", "operator"]);
    assert.ok(message.endsWith(problem), message);
  }
});

test("the head of a stream of events is an answer that ends, and takes no place", async (t) => {
  const { port, tokens, as } = await adminRig(t, { limits: { streamsMax: 1 } });
  const headers = { authorization: `Bearer ${tokens.reader}` };
  for (let n = 0; n < 3; n++) {
    const {
      status,
      text,
      headers: answered,
    } = await raw(port, { method: "HEAD", path: "/v1/events", headers });
    assert.deepEqual([status, text, answered["content-type"]], [200, "", "text/event-stream; charset=utf-8"]);
  }
  assert.equal((await as("reader")("GET", "/v1/plugins")).status, 200);
});

test("so many streams of events are open at a time, and a closed one makes room", async (t) => {
  const { admin, tokens, as } = await adminRig(t, { limits: { streamsMax: 2 } });
  const open = async () => {
    const stop = new AbortController();
    const response = await fetch(`${admin.address}/v1/events`, {
      headers: { authorization: `Bearer ${tokens.reader}` },
      signal: stop.signal,
    });
    return { status: response.status, stop, response };
  };
  const first = await open();
  const second = await open();
  assert.deepEqual([first.status, second.status], [200, 200]);
  expectProblem(await as("reader")("GET", "/v1/events"), 429, "admin/too-many-streams");
  first.stop.abort();
  // The server notices when the socket is closed: asking again until then is what a client does.
  for (let status = 429; status === 429; ) ({ status } = await open());
});

test("what a token has open ends when the token is taken back, and what others have goes on", async (t) => {
  const mount: Mount = {
    name: "other",
    prefix: "/api/other",
    routes: [],
    sockets: [
      {
        path: "/api/other/socket",
        role: "reader",
        summary: "Says what it hears",
        open: ({ send }) => ({ received: send, closed: () => {} }),
      },
    ],
    problem: (status, { code }) => ({ status, body: { wrong: code } }),
  };
  const { admin, folder, tokens } = await adminRig(t, { mounts: [mount], limits: { revokedMsMax: 10 } });
  const open = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const { body } = await fetch(`${admin.address}/v1/events`, { headers });
    assert.ok(body !== null);
    const events = readEvents(body)[Symbol.asyncIterator]();
    const url = `${admin.address.replace("http", "ws")}/api/other/socket`;
    const socket = new WebSocket(url, ["bearer", token]);
    await once(socket, "open");
    return { events, socket };
  };
  const [taken, kept] = [await open(tokens.reader), await open(tokens.operator)];
  const isClosed = once(taken.socket, "close");
  revokeToken(tokensFile(folder), "reader");
  assert.equal((await taken.events.next()).done, true);
  assert.equal(((await isClosed) as [CloseEvent])[0].code, 1008);
  const said = once(kept.socket, "message");
  kept.socket.send("still here");
  assert.equal(((await said) as [MessageEvent])[0].data, "still here");
});
