import assert from "node:assert/strict";
import * as dgram from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { testSandbox } from "../testing/sandboxes.ts";
import { SocketError } from "./sockets.ts";

test("a UDP socket that could not be bound where it was granted listens nowhere else", async (t) => {
  const taken = dgram.createSocket("udp4");
  taken.bind(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address();
  const sockets = [`udp listen 127.0.0.1 ${port}`, `udp connect 127.0.0.1 ${port}`];
  const { sandbox } = testSandbox({ grants: [{ capability: "net.socket", sockets }] });
  t.after(() => {
    sandbox.close();
    taken.close();
  });
  const udp = sandbox.sockets.openUdp("ipv4");
  udp.bind({ address: "127.0.0.1", port });
  while (udp.problem === undefined) await udp.change.next();
  const isTold = (error: unknown) => error instanceof SocketError && error.problem === "address-in-use";
  assert.throws(() => udp.send(Uint8Array.of(1), { address: "127.0.0.1", port }), isTold);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([udp.state, udp.local], ["binding", undefined]);
});
