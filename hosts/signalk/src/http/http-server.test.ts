/** The door, and who knocks at it. */

import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { WebSocket } from "ws";
import { type Boat, boatWith } from "../testing/boats.ts";
import { bodyBytesMax } from "./http-server.ts";

/** As it is written, without a client that makes it decent. */
function raw(
  boat: Boat,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<number>((resolve, reject) => {
    const { method = "GET", headers = {}, body } = init;
    const sent = request({ host: "127.0.0.1", port: boat.http.port, path, method, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

test("it listens on this machine alone, unless somebody says otherwise", async (t) => {
  const boat = await boatWith(t, []);
  assert.equal(boat.http.address, "127.0.0.1");
});

const paths: readonly (readonly [path: string, status: number])[] = [
  ["/signalk", 200],
  ["/signalk/", 200],
  ["/signalk?x=%ff", 200],
  ["/signalk/v1/api/vessels/self/..%2f..%2fetc", 400],
  ["/signalk/../x", 400],
  ["/%", 400],
  ["/%ff", 400],
  ["/a%00b", 400],
  [`/${"a".repeat(3_000)}`, 400],
  ["/nothing", 404],
  ["/plugins/nobody/config", 404],
];

for (const [path, status] of paths) {
  test(`${path.slice(0, 50)} is ${status}`, async (t) => {
    assert.equal(await raw(await boatWith(t, []), path), status);
  });
}

test("a page of another origin can change nothing", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: {} }]);
  const headers = { "content-type": "application/json" };
  const post = (more: Record<string, string>) =>
    raw(boat, "/plugins/p/config", {
      method: "POST",
      body: '{"enabled":true}',
      headers: { ...headers, ...more },
    });
  assert.equal(await post({ origin: "https://evil.example" }), 403);
  assert.equal(await post({ origin: "null" }), 403);
  assert.equal(await post({ "content-type": "text/plain" }), 415);
  assert.equal(await post({ origin: `http://127.0.0.1:${boat.http.port}` }), 200);
  assert.equal(await post({}), 200);
});

test("a body that is too large, nested too deeply, or no JSON, is refused", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: {} }]);
  const post = (body: string) =>
    raw(boat, "/plugins/p/config", { method: "POST", body, headers: { "content-type": "application/json" } });
  assert.equal(await post("x".repeat(bodyBytesMax + 1)), 413);
  assert.equal(await post("{"), 400);
  const nested = (levels: number) => `{"configuration":{"lists":${"[".repeat(levels)}${"]".repeat(levels)}}}`;
  assert.equal(await post(nested(100_000)), 400);
  assert.equal(await post(nested(20)), 200);
  assert.equal(await post("[]"), 400);
  assert.equal(await raw(boat, "/signalk", { method: "DELETE" }), 405);
});

test("a WebSocket streams deltas, and one from another origin is not let in", async (t) => {
  const boat = await boatWith(t, []);
  const url = `ws://127.0.0.1:${boat.http.port}/signalk/v1/stream?subscribe=all`;
  const client = new WebSocket(url);
  const messages: string[] = [];
  const second = new Promise<void>((resolve) => {
    client.on("message", (data) => {
      messages.push(data.toString());
      if (messages.length === 1)
        boat.server.input({ updates: [{ values: [{ path: "a", value: 1 }] }] }, "gps");
      else resolve();
    });
  });
  await second;
  assert.match(messages[0] ?? "", /remora-signalk/);
  assert.match(messages[1] ?? "", /"path":"a","value":1/);
  client.terminate();
  for (const [address, headers] of [
    [url, { origin: "https://evil.example" }],
    [url.replace("v1/stream", "v1/other"), {}],
  ] as const) {
    const refused = new WebSocket(address, { headers });
    await new Promise((resolve) => refused.on("error", resolve));
  }
});

test("a stream of bytes reaches whoever listens to its name", async (t) => {
  const boat = await boatWith(t, []);
  const client = new WebSocket(`ws://127.0.0.1:${boat.http.port}/signalk/v2/api/streams/plugins/p/spokes`);
  await new Promise((resolve) => client.on("open", resolve));
  const heard = new Promise<string>((resolve) => client.on("message", (data) => resolve(data.toString())));
  boat.server.port.emitBinary("plugins/p/spokes", Buffer.from("bytes"));
  assert.equal(await heard, "bytes");
  client.terminate();
});
