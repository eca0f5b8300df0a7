/** Bundles on another thread or in another process: the same plugins, and the server does not wait for them at all. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryReads } from "../guest/env-memory-reads.ts";
import { type BundleBoat, boatWithBundles, bundleOf, turn, until } from "../testing/bundles.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";
import { pluginHost } from "./plugin-host.ts";

const two = "(param i32 i32)";
const four = "(param i32 i32 i32 i32) (result i32)";

/** Tells each delta to the log, answers a command with what it reads of the model, and can loop. */
const watch: GuestText = {
  name: "Watch",
  imports: {
    sk_debug: two,
    sk_handle_message: two,
    sk_register_put_handler: four,
    sk_get_self_path: four,
    sk_set_status: two,
  },
  texts: {
    delta: '{"updates":[{"values":[{"path":"said","value":"hello"}]}]}',
    self: "vessels.self",
    path: "steering.rudder",
    said: "said",
    done: '{"state":"COMPLETED","statusCode":200}',
    endpoints:
      '[{"method":"GET","path":"/read","handler":"read"},{"method":"GET","path":"/loop","handler":"loop"},{"method":"GET","path":"/break","handler":"break"}]',
    page: '{"statusCode":200,"body":"looped"}',
    head: '{"statusCode":200,"body":',
  },
  start: `${call("sk_handle_message", "delta")} (drop ${call("sk_register_put_handler", "self", "path")})
    (call $sk_set_status (local.get $text) (local.get $length)) (i32.const 0)`,
  functions: `(func (export "delta_handler") (param $text i32) (param $length i32)
      (call $sk_debug (local.get $text) (local.get $length)))
    ${answering("handle_put_vessels_self_steering_rudder", "done")}
    ${answering("http_endpoints", "endpoints", "out")}
    (func (export "read") (param i32 i32) (param $out i32) (param $max i32) (result i32) (local $read i32)
      (memory.copy (local.get $out) (global.get $head) (global.get $head_length))
      (local.set $read (call $sk_get_self_path (global.get $said) (global.get $said_length)
        (i32.add (local.get $out) (global.get $head_length)) (i32.const 1000)))
      (i32.store8 (i32.add (i32.add (local.get $out) (global.get $head_length)) (local.get $read)) (i32.const 125))
      (i32.add (i32.add (global.get $head_length) (local.get $read)) (i32.const 1)))
    ${answering("loop", "page", "request", "(loop $ever (br $ever))")}
    ${answering("break", "page", "request", "(unreachable)")}`,
};

const one = ({ bundles }: BundleBoat) => {
  const [found] = bundles.all();
  assert.ok(found !== undefined);
  return found;
};

const running = (boat: BundleBoat) => until(() => one(boat).state === "running");

const putPath = "/signalk/v1/api/vessels/self/steering/rudder";
const rudder = { method: "PUT", body: { value: 0.1 } };

for (const isolation of ["worker", "process"] as const) {
  const bundle = { guest: watch, top: `isolation = "${isolation}"` };

  test(`${isolation}: it emits, reads the model, answers commands and requests, and starts with its settings`, async (t) => {
    const boat = await boatWithBundles(t);
    await boat.install(bundle);
    assert.equal(one(boat).state, "running", one(boat).statusMessage);
    assert.equal(one(boat).name, "Watch");
    assert.deepEqual(JSON.parse(one(boat).statusMessage), { enableDebug: false });
    assert.equal((await boat.fetch("/signalk/v1/api/vessels/self/said/value")).json, "hello");
    assert.equal((await boat.fetch("/plugins/watch/read")).text, "hello");
    assert.equal((await boat.fetch(putPath, rudder)).json.state, "COMPLETED");
    const { fuelUsed, calls } = one(boat).account.counts;
    assert.ok(fuelUsed > 100 && calls >= 3, `${fuelUsed} in ${calls}`);
  });

  test(`${isolation}: deltas come in their order, also around a new version, and the queue is bounded`, async (t) => {
    const boat = await boatWithBundles(t);
    await boat.install(bundle);
    await boat.fetch("/plugins/watch/config", { method: "POST", body: { enabled: true, enableDebug: true } });
    await running(boat);
    const input = (value: number) =>
      boat.server.input({ updates: [{ values: [{ path: "n", value }] }] }, "x");
    const seen = () =>
      boat.lines.flatMap((line) => {
        const found = /"path":"n","value":(\d+)/.exec(line);
        return found === null ? [] : [Number(found[1])];
      });
    for (let value = 0; value < 50; value++) input(value);
    const update = boat.bundles.manager.install(await bundleOf({ ...bundle, version: "1.1.0" }));
    for (let value = 50; value < 100; value++) {
      input(value);
      await turn();
    }
    await update;
    await until(() => seen().includes(99));
    assert.deepEqual(
      seen(),
      Array.from({ length: 100 }, (_, value) => value),
    );
    for (let value = 100; value < 2_500; value++) input(value);
    await until(() => seen().includes(2_499));
    const rest = seen().slice(100);
    assert.ok(rest.length < 1_100, `${rest.length} of 2,400 waited`);
    assert.deepEqual(
      rest,
      rest.toSorted((a, b) => a - b),
    );
  });

  test(`${isolation}: one that loops for as long as it asked for holds up nobody, and is started afresh`, async (t) => {
    const boat = await boatWithBundles(t);
    await boat.install({ ...bundle, tables: "[limits]\nfuel = 100000000000\ndeadline_ms = 2000" });
    let isLooping = true;
    const looping = boat.fetch("/plugins/watch/loop").finally(() => {
      isLooping = false;
    });
    let answers = 0;
    const startedAt = process.threadCpuUsage();
    while (isLooping && answers < 20) {
      assert.equal((await boat.fetch("/signalk")).status, 200);
      answers++;
    }
    const { user, system } = process.threadCpuUsage(startedAt);
    // On a machine that hardly runs, fewer than twenty; of a host that is held up, none.
    assert.ok(answers >= 3, `${answers} answers while it looped`);
    assert.ok(user + system < 1_000_000, "and none of the time was this thread's");
    assert.equal((await looping).status, 502);
    await running(boat);
    assert.equal((await boat.fetch(putPath, rudder)).status, 200);
  });

  test(`${isolation}: after a trap, a refusal and a switch nothing of the old guest is left`, async (t) => {
    const boat = await boatWithBundles(t);
    await boat.install(bundle);
    assert.equal((await boat.fetch("/plugins/watch/break")).status, 502);
    await running(boat);
    assert.equal((await boat.fetch("/plugins/watch/read")).text, "hello");
    const refuses = { ...bundle, guest: { ...watch, start: "(i32.const 3)" }, version: "1.1.0" };
    await boat.install(refuses);
    await until(() => one(boat).manifest.version === "1.0.0");
    await running(boat);
    assert.equal((await boat.fetch(putPath, rudder)).status, 200);
    await boat.bundles.manager.disable("watch");
    assert.equal((await boat.fetch(putPath, rudder)).status, 405);
    assert.equal(one(boat).state, "stopped");
  });
}

test("every import says what it reads of the guest's memory: of others all of it would cross", () => {
  const [world] = pluginHost({ log: () => {} }).worlds;
  const names = (world?.hostFunctions ?? []).filter((name) => name.startsWith("env."));
  assert.ok(names.length > 40);
  assert.deepEqual(names.map((name) => name.slice(4)).toSorted(), Object.keys(memoryReads).toSorted());
});

test("on the event loop none may ask for more than the others may wait", async (t) => {
  const boat = await boatWithBundles(t);
  const greedy = boat.install({ guest: watch, tables: "[limits]\ndeadline_ms = 1000" });
  await assert.rejects(greedy, { code: "manager/inspect" });
});

test("the operator may want a wall for all", async (t) => {
  const boat = await boatWithBundles(t, { policy: { isolation: "worker" } });
  await boat.install({ guest: watch });
  assert.equal((await boat.fetch("/plugins/watch/read")).text, "hello");
});
