import assert from "node:assert/strict";
import { test } from "node:test";
import { testSandbox } from "../testing/sandboxes.ts";
import { SocketError } from "./sockets.ts";

test("a guest that opens and closes sockets without a pause is refused before what it closed fills the memory", async (t) => {
  const targets = ["tcp connect 127.0.0.1 9", "tcp listen 127.0.0.1 0"];
  const { sandbox } = testSandbox({ grants: [{ capability: "net.socket", sockets: targets }] });
  t.after(() => sandbox.close());
  const { sockets } = sandbox;
  const flooded: Readonly<Record<string, () => { close(): void }>> = {
    udp: () => sockets.openUdp("ipv4"),
    tcp: () => sockets.connectTcp({ address: "127.0.0.1", port: 9 }),
    listening: () => sockets.listenTcp({ address: "127.0.0.1", port: 0 }),
  };
  for (const [name, open] of Object.entries(flooded)) {
    let opened = 0;
    const flood = () => {
      for (; opened < 100_000; opened++) open().close();
    };
    const isFull = (error: unknown) => error instanceof SocketError && error.problem === "new-socket-limit";
    assert.throws(flood, isFull, name);
    assert.equal(opened, 1_024, name);
    await new Promise((resolve) => setImmediate(resolve));
    open().close();
    await new Promise((resolve) => setImmediate(resolve));
  }
});
