/** Components that talk to devices by `wasi:sockets`: to real ports of this machine, through HTTP, at every level. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "../clock.ts";
import { boatWith } from "../testing/boats.ts";
import { until } from "../testing/bundles.ts";
import { socketsComponent } from "../testing/sockets-component.ts";

/** TCP and UDP at one port, which answer with what comes and say how often they were reached. */
async function device(t: TestContext) {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      heard.push(`tcp ${data}`);
      socket.write(`tcp ${data}`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server has a port
  const datagrams = createSocket("udp4", (data, from) => {
    heard.push(`udp ${data}`);
    datagrams.send(`udp ${data}`, from.port, from.address);
  });
  datagrams.bind(port, "127.0.0.1");
  await once(datagrams, "listening");
  t.after(() => {
    server.close();
    datagrams.close();
  });
  return { port, heard };
}

const accessDenied = 401;

for (const level of ["inline", "worker", "process"] as const) {
  test(`${level}: a device that the operator grants is reached, and no other, whoever asks`, async (t) => {
    const granted = await device(t);
    const refused = await device(t);
    const guest = await socketsComponent({ port: granted.port, otherPort: refused.port });
    const sockets = ["tcp", "udp"].map((kind) => `${kind} connect 127.0.0.1 ${granted.port}`);
    const boat = await boatWith(t, [{ name: "p", guest, capabilities: { rawSockets: true } }], {
      plugins: { isolation: () => level, moreGrants: () => [{ capability: "net.socket", sockets }] },
      clock: systemClock,
    });
    await until(() => boat.plugins.get("p")?.state !== "starting");
    assert.equal(boat.plugins.get("p")?.state, "running");
    const get = async (path: string) => {
      const { status, text } = await boat.fetch(`/plugins/p${path}`);
      return [status, text];
    };
    assert.deepEqual(await get("/tcp"), [200, "tcp ping"]);
    assert.deepEqual(await get("/datagram"), [200, "udp ping"]);
    assert.deepEqual(await get("/tcp-no"), [accessDenied, ""]);
    assert.deepEqual(await get("/no-datagram"), [accessDenied, ""]);
    assert.deepEqual(granted.heard, ["tcp ping", "udp ping"]);
    assert.deepEqual(refused.heard, []);
    const denied = boat.lines.filter((line) => line.includes("denied") && line.includes(`${refused.port}`));
    assert.equal(denied.length, 2, boat.lines.join("\n"));
  });
}

test("without the capability its imports are refused, and its status says why", async (t) => {
  const guest = await socketsComponent({ port: 1, otherPort: 2 });
  const boat = await boatWith(t, [{ name: "p", guest, capabilities: { network: true } }], {
    clock: systemClock,
  });
  assert.equal(boat.plugins.get("p")?.state, "error");
  assert.match(boat.plugins.get("p")?.statusMessage ?? "", /wasi:sockets.*net\.socket/);
});
