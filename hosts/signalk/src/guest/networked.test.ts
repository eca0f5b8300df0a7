/** Components that wait for the network, and that serve it: on the small host, through HTTP. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "../clock.ts";
import { signalkLimits } from "../plugin/plugin-deps.ts";
import { boatWith } from "../testing/boats.ts";
import { waitingComponent } from "../testing/component-text.ts";

/** A server that holds its answers back, and a boat with the component that asks it. */
async function waitingBoat(
  t: TestContext,
  capabilities: Readonly<Record<string, unknown>>,
  { importsWasi = false } = {},
) {
  const held: ServerResponse[] = [];
  const server = createServer((_request, response) => void held.push(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server has a port
  const guest = await waitingComponent({ authority: `127.0.0.1:${port}`, importsWasi });
  const boat = await boatWith(t, [{ name: "waits", guest, capabilities }], {
    plugins: { networkAddresses: ["127.0.0.1"] },
    clock: systemClock,
  });
  const wasAsked = async () => {
    while (held.length === 0) await once(server, "request");
  };
  /** Answers what was asked when a call's deadline is long over. */
  const answerLate = async (body: string) => {
    await wasAsked();
    // Processor time is what the guest's deadline is of, and it is not ours to move.
    const until = process.threadCpuUsage().user + lateMs * 1_000;
    while (process.threadCpuUsage().user < until) await new Promise((resolve) => setImmediate(resolve));
    held.pop()?.writeHead(203).end(body);
  };
  return { ...boat, wasAsked, answerLate };
}

const lateMs = 3 * signalkLimits.deadlineMs;

test("a component serves endpoints with what stands in their path", async (t) => {
  const boat = await waitingBoat(t, {});
  assert.equal(boat.plugins.get("waits")?.statusMessage, "Running");
  const { status, text } = await boat.fetch("/plugins/waits/echo/this?x=1");
  assert.deepEqual([status, text], [201, "/echo/this"]);
  assert.equal((await boat.fetch("/plugins/waits/nothing")).status, 404);
  await boat.fetch("/plugins/waits/config", { method: "POST", body: { enabled: false } });
  assert.equal((await boat.fetch("/plugins/waits/echo/this")).status, 404);
});

for (const [path, name, told] of [
  ["/own", "remora:signalk/network", "late"],
  ["/wasi", "wasi:http", "Waits"],
] as const) {
  test(`by ${name} a component waits for longer than it may run, while others are answered`, async (t) => {
    const boat = await waitingBoat(t, { network: true }, { importsWasi: true });
    const asked = boat.fetch(`/plugins/waits${path}`);
    const answered = boat.answerLate("late");
    assert.equal((await boat.fetch("/signalk")).status, 200);
    await answered;
    const { status, text } = await asked;
    assert.deepEqual([status, text], [203, told]);
    assert.equal(boat.plugins.get("waits")?.state, "running");
  });
}

test("without the capability `network` its requests are denied, and the audit says so", async (t) => {
  const boat = await waitingBoat(t, {});
  const { status, text } = await boat.fetch("/plugins/waits/own");
  assert.equal(status, 500);
  assert.match(text, /is not granted/);
  assert.ok(boat.lines.some((line) => line.includes("net.http") && line.includes("denied")));
});

test("a component that imports wasi:http without the capability is not loaded, and its status says why", async (t) => {
  const boat = await waitingBoat(t, {}, { importsWasi: true });
  assert.equal(boat.plugins.get("waits")?.state, "error");
  assert.match(boat.plugins.get("waits")?.statusMessage ?? "", /wasi:http.*net\.http/);
});

test("what waits when its plugin is stopped keeps nobody", async (t) => {
  const boat = await waitingBoat(t, { network: true });
  const asked = boat.fetch("/plugins/waits/own");
  await boat.wasAsked();
  await boat.fetch("/plugins/waits/config", { method: "POST", body: { enabled: false } });
  assert.equal((await asked).status, 502);
  assert.equal(boat.plugins.get("waits")?.state, "stopped");
});
