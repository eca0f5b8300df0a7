/** Installed packages on another thread or in another process, because the operator wants it: the same plugins, the same life. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "../clock.ts";
import { type Boat, boatWith } from "../testing/boats.ts";
import { turn, until } from "../testing/bundles.ts";
import { waitingComponent } from "../testing/component-text.ts";
import { fetchingPlugin } from "../testing/fetching-plugin.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";

const two = "(param i32 i32)";

const plugin = (said: string): GuestText => ({
  name: "Walled",
  imports: { sk_handle_message: two, sk_debug: two },
  texts: {
    delta: `{"updates":[{"values":[{"path":"said","value":"${said}"}]}]}`,
    endpoints:
      '[{"method":"GET","path":"/fine","handler":"fine"},{"method":"GET","path":"/loop","handler":"loop"},{"method":"GET","path":"/break","handler":"break"}]',
    page: `{"statusCode":200,"body":"${said}"}`,
  },
  start: `${call("sk_handle_message", "delta")} (i32.const 0)`,
  functions: `${answering("http_endpoints", "endpoints", "out")} ${answering("fine", "page")}
    ${answering("break", "page", "request", "(unreachable)")}
    ${answering("loop", "page", "request", "(loop $ever (br $ever))")}
    (func (export "delta_handler") (param $text i32) (param $length i32)
      (call $sk_debug (local.get $text) (local.get $length)))`,
});

const one = (boat: Boat) => {
  const [found] = boat.plugins.all();
  assert.ok(found !== undefined);
  return found;
};

const running = (boat: Boat) => until(() => one(boat).state === "running");

const deadlineMs = 200;

/** A server that answers when the deadline of whoever asks is long over. */
async function lateServer(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => {
    setTimeout(() => response.writeHead(203).end("late"), 2 * deadlineMs);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has a port
}

for (const level of ["worker", "process"] as const) {
  const network = {
    plugins: { isolation: () => level, limits: { deadlineMs }, networkAddresses: ["127.0.0.1"] },
    clock: systemClock,
  };

  test(`${level}: one with asyncify waits in its start for longer than it may run, and gets what it asked for`, async (t) => {
    const guest = await fetchingPlugin(`http://${await lateServer(t)}/`);
    const boat = await boatWith(t, [{ name: "p", guest, capabilities: { network: true } }], network);
    await until(() => one(boat).state !== "starting");
    // It refuses to start when the response has no body.
    assert.equal(one(boat).state, "running", one(boat).statusMessage);
  });

  test(`${level}: a component waits for longer than it may run, by its world and by wasi:http`, async (t) => {
    const guest = await waitingComponent({ authority: await lateServer(t), importsWasi: true });
    const boat = await boatWith(t, [{ name: "p", guest, capabilities: { network: true } }], network);
    await running(boat);
    for (const [path, told] of [
      ["/own", "late"],
      ["/wasi", "Waits"],
    ] as const) {
      const { status, text } = await boat.fetch(`/plugins/p${path}`);
      assert.deepEqual([status, text], [203, told]);
    }
    assert.equal(one(boat).state, "running");
  });

  const walled = { plugins: { isolation: () => level, limits: { fuelMax: 1e12, deadlineMs: 1_000 } } };

  test(`${level}: a package starts, emits, answers, gets its deltas in order, and takes a new file`, async (t) => {
    const boat = await boatWith(t, [{ name: "p", guest: plugin("one") }], walled);
    await running(boat);
    assert.equal(one(boat).name, "Walled");
    assert.equal((await boat.fetch("/signalk/v1/api/vessels/self/said/value")).json, "one");
    assert.equal((await boat.fetch("/plugins/p/fine")).text, "one");
    for (let value = 0; value < 100; value++) {
      boat.server.input({ updates: [{ values: [{ path: "n", value }] }] }, "x");
    }
    const seen = () => boat.lines.flatMap((line) => /"path":"n","value":(\d+)/.exec(line)?.[1] ?? []);
    await until(() => seen().length === 100);
    assert.deepEqual(
      seen(),
      Array.from({ length: 100 }, (_, value) => String(value)),
    );
    // Its start, a request, and the deltas: one is booked when its answer has come back.
    await until(() => one(boat).account.counts.calls >= 102);
    const { fuelUsed, traps } = one(boat).account.counts;
    assert.ok(fuelUsed > 1_020 && traps === 0, `${fuelUsed} ${traps}`);
    await boat.replace("p", plugin("two"));
    assert.equal((await boat.fetch("/plugins/p/reload", { method: "POST" })).status, 200);
    assert.equal((await boat.fetch("/plugins/p/fine")).text, "two");
  });

  test(`${level}: one that loops holds up nobody, and it and one that traps are started again after a wait`, async (t) => {
    const boat = await boatWith(t, [{ name: "p", guest: plugin("one") }], walled);
    await running(boat);
    let isLooping = true;
    const looping = boat.fetch("/plugins/p/loop").finally(() => {
      isLooping = false;
    });
    let answers = 0;
    for (; isLooping && answers < 20; answers++) assert.equal((await boat.fetch("/signalk")).status, 200);
    assert.equal(answers, 20);
    assert.equal((await looping).status, 502);
    assert.equal(one(boat).state, "crashed");
    boat.clock.move(2_000);
    await running(boat);
    assert.equal((await boat.fetch("/plugins/p/break")).status, 502);
    assert.equal(one(boat).state, "crashed");
    assert.equal(one(boat).account.counts.traps, 2);
    boat.clock.move(4_000);
    await running(boat);
    assert.equal((await boat.fetch("/plugins/p/fine")).text, "one");
  });

  test(`${level}: stopped while it is being made, it stays stopped`, async (t) => {
    const boat = await boatWith(t, [{ name: "p", guest: plugin("one") }], walled);
    await running(boat);
    for (let times = 0; times < 3; times++) {
      await one(boat).stop();
      const begun = one(boat).start();
      if (times > 0) await turn();
      await one(boat).stop();
      await begun.catch(() => {});
      assert.equal(one(boat).state, "stopped");
      assert.equal((await boat.fetch("/plugins/p/fine")).status, 404);
    }
    await one(boat).start();
    assert.equal((await boat.fetch("/plugins/p/fine")).text, "one");
  });
}
