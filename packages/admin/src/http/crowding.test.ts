/** More connections than the interface has places for, each of them a real one. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { type AdminRig, adminRig } from "../testing/admin-rig.ts";

const silent = async (t: TestContext, port: number, count: number): Promise<Socket[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {}); // whoever is sent away sees it
      t.after(() => socket.destroy());
      await once(socket, "connect");
      return socket;
    }),
  );

/** One request over a connection of its own: all that came back, until it was closed. */
async function ask({ port, tokens }: AdminRig, role: keyof AdminRig["tokens"], path = "/v1/plugins") {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (part) => {
    text += part;
  });
  const lines = [`GET ${path} HTTP/1.1`, "Host: 127.0.0.1", `Authorization: Bearer ${tokens[role]}`];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  await once(socket, "close");
  return text;
}

test("of 300 connections the last 44 get an answer: operators theirs, and readers when to come again", async (t) => {
  const rig = await adminRig(t);
  const held = await silent(t, rig.port, 256);
  const answers = await Promise.all(Array.from({ length: 43 }, () => ask(rig, "reader")));
  for (const answer of answers) {
    assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.match(answer, /^retry-after: 1\r$/im);
    assert.match(answer, /"error":"admin\/too-many-connections"/);
  }
  assert.match(await ask(rig, "operator"), /^HTTP\/1\.1 200 /);
  assert.match(await ask(rig, "reader", "/health"), /^HTTP\/1\.1 200 /);
  assert.deepEqual(rig.logged, []);
  for (const socket of held) socket.destroy();
  // The server notices when the sockets are closed.
  for (let status = 503; status !== 200; ) ({ status } = await rig.as("reader")("GET", "/v1/plugins"));
});

test("a connection beyond the places that asks nothing is closed", async (t) => {
  const { port } = await adminRig(t, { limits: { connectionsMax: 1, askMsMax: 50 } });
  await silent(t, port, 1);
  const [beyond] = await silent(t, port, 1);
  await once(beyond?.resume() as Socket, "close"); // it was just made
});

test("connections are kept for later in half of the places alone", async (t) => {
  const rig = await adminRig(t, { limits: { connectionsMax: 4 } });
  const connectionOf = async () => (await rig.as("reader")("GET", "/v1/plugins")).headers.get("connection");
  assert.equal(await connectionOf(), "keep-alive");
  await silent(t, rig.port, 2);
  // Its own, which is kept, may be heard before the two have been taken.
  for (let connection = ""; connection !== "close"; ) connection = (await connectionOf()) ?? "";
});

test("streams of readers leave those of operators their places", async (t) => {
  const { admin, tokens, as } = await adminRig(t, { limits: { streamsMax: 2 } });
  const open = async (role: "reader" | "operator") => {
    const stop = new AbortController();
    t.after(() => stop.abort());
    const headers = { authorization: `Bearer ${tokens[role]}` };
    return (await fetch(`${admin.address}/v1/events`, { headers, signal: stop.signal })).status;
  };
  assert.deepEqual([await open("reader"), await open("reader"), await open("reader")], [200, 200, 429]);
  assert.deepEqual([await open("operator"), await open("operator"), await open("operator")], [200, 200, 429]);
  assert.equal((await as("operator")("GET", "/v1/plugins")).status, 200);
});
