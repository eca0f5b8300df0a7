/** Sockets of a mounted interface: what a client may send. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import type { Mount } from "../mount.ts";
import { type AdminRig, adminRig, expectProblem } from "../testing/admin-rig.ts";

/** Says back what it is sent. */
const echo: Mount = {
  name: "echo",
  prefix: "/echo",
  routes: [],
  sockets: [
    {
      path: "/echo/socket",
      role: "reader",
      summary: "Says back what it is sent",
      open: (peer) => ({ received: (text) => void peer.send(text), closed: () => {} }),
    },
  ],
  problem: (status, body) => ({ status, body }),
};

async function open(t: TestContext, { port, tokens }: AdminRig): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo/socket`, ["bearer", tokens.reader]);
  t.after(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

/** The code that it was closed with. */
async function closed(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, "close");
  return code;
}

for (const [what, send] of [
  ["messages", (socket: WebSocket) => socket.send("a")],
  ["pings", (socket: WebSocket) => socket.ping()],
  ["pongs that nobody asked for", (socket: WebSocket) => socket.pong()],
] as const) {
  test(`${what} over a socket are counted with the requests of whoever has it, and beyond them it is closed`, async (t) => {
    const rig = await adminRig(t, { mounts: [echo], limits: { requestsPerMinuteMax: 10 } });
    const socket = await open(t, rig);
    let answers = 0;
    socket.on("message", () => answers++);
    const end = closed(socket);
    for (let n = 0; n < 1_000; n++) send(socket);
    assert.equal(await end, 1008);
    assert.ok(answers < 10, `${answers} answers`);
    expectProblem(await rig.as("reader")("GET", "/v1/plugins"), 429, "admin/too-many-requests");
    assert.equal((await rig.as("operator")("GET", "/v1/plugins")).status, 200);
  });
}

test("signs of life that are asked for cost nothing", async (t) => {
  const limits = { requestsPerMinuteMax: 3, unreadMsMax: 20 };
  const socket = await open(t, await adminRig(t, { mounts: [echo], limits }));
  for (let n = 0; n < 10; n++) await once(socket, "ping");
  socket.send("a");
  const [said] = await once(socket, "message");
  assert.equal(String(said), "a");
});
