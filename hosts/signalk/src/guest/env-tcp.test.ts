import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { GuestBytes } from "remora/abi";
import { auditLog, sandboxImports } from "remora/sandbox";
import { until } from "../testing/bundles.ts";
import { tcpImports } from "./env-tcp.ts";
import { type GuestHost, type GuestImports, Holdings } from "./host.ts";

test("lines that had come over a connection are told no more when its grant is taken", async (t) => {
  const server = createServer((peer) => void peer.on("error", () => {}).write("$one\n$two\n$three"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const sandbox = sandboxImports({
    plugin: "p",
    grants: [{ capability: "net.socket", sockets: [`tcp connect 127.0.0.1 ${port}`] }],
    audit: auditLog(),
    log: { write() {} },
    nowMs: Date.now,
  });
  t.after(() => {
    sandbox.close();
    server.close();
  });
  const memory = new Uint8Array(1_024);
  const host = { sandbox, gate: sandbox.gate, holdings: new Holdings() } as unknown as GuestHost; // all that is used here
  const bytes = new GuestBytes({ view: () => memory });
  const tcp = tcpImports({ host, bytes } as GuestImports); // as above
  const text = (length: number) => Buffer.from(memory.subarray(100, 100 + length)).toString();
  const address = Buffer.from("127.0.0.1");
  memory.set(address);
  const id = tcp.sk_tcp_create();
  assert.equal(tcp.sk_tcp_connect(id, 0, address.length, port), 0);
  await until(() => tcp.sk_tcp_pending(id) === 2);
  assert.equal(text(tcp.sk_tcp_recv_line(id, 100, 100)), "$one");
  sandbox.narrow([]);
  assert.equal(tcp.sk_tcp_recv_line(id, 100, 100), 0);
  assert.equal(tcp.sk_tcp_pending(id), 0);
  assert.equal(tcp.sk_tcp_set_line_buffering(id, 0), 0);
  assert.equal(tcp.sk_tcp_recv_raw(id, 100, 100), 0);
  assert.equal(tcp.sk_tcp_connected(id), -1);
});
