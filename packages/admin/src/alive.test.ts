/** What a manager that was killed leaves behind: an address, at which another program may listen by now. */

import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { readEndpoint } from "./endpoint-file.ts";
import { isAlive, remoteOperations } from "./remote-operations.ts";
import { adminRig } from "./testing/admin-rig.ts";

async function other(t: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { address: `http://127.0.0.1:${port}`, token: "a" };
}

test("a manager that runs is alive, and with another one's token it is another one", async (t) => {
  const { folder } = await adminRig(t);
  const endpoint = readEndpoint(folder);
  assert.ok(endpoint !== undefined);
  assert.equal(await isAlive(endpoint), true);
  assert.equal(await isAlive({ ...endpoint, token: "another" }), false);
});

test("another program at the address is none, whatever it answers, and whether it does", async (t) => {
  const bodies = ["<html>", "", "{", "null", "[]", '"text"', "{}", '{"error":"no/route"}'];
  for (const body of bodies) {
    const endpoint = await other(t, (_request, response) => response.end(body));
    assert.equal(await isAlive(endpoint), false, body);
  }
  const html = await other(t, (_request, response) => response.writeHead(404).end("<html>"));
  assert.equal(await isAlive(html), false);
  await assert.rejects(remoteOperations(html).list(), { code: "admin/foreign-answer" });
  const cut = await other(t, (_request, response) =>
    response.writeHead(200, { "content-length": 9 }).write("{"),
  );
  assert.equal(await isAlive(cut, 100), false);
  const silent = await other(t, () => {});
  assert.equal(await isAlive(silent, 100), false);
  const reset = await other(t, (request) => request.socket.destroy());
  assert.equal(await isAlive(reset), false);
  assert.equal(await isAlive({ address: "http://127.0.0.1:1", token: "a" }), false);
  assert.equal(await isAlive({ address: "no address", token: "a" }), false);
});

test("who follows a manager that is killed is told so", async (t) => {
  const endpoint = await other(t, (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": begun\n\n");
    setImmediate(() => request.socket.destroy());
  });
  const followed = (async () => {
    const { signal } = new AbortController();
    for await (const happening of remoteOperations(endpoint).follow({ metrics: false, signal }))
      void happening;
  })();
  await assert.rejects(followed, { code: "admin/unreachable" });
});

test("a manager that was asked too much is alive", async (t) => {
  const { folder } = await adminRig(t, { limits: { requestsPerMinuteMax: 1 } });
  const endpoint = readEndpoint(folder);
  assert.ok(endpoint !== undefined);
  assert.equal(await isAlive(endpoint), true);
  assert.equal(await isAlive(endpoint), true);
});
