/** A plugin's life: crashes and what follows, new versions of its file, and what waits meanwhile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Boat, boatWith } from "../testing/boats.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";

const two = "(param i32 i32)";
const trap = "(unreachable)";

/** Emits what it says at each start; its "break" endpoint does what the test wants. */
function plugin(said: string, breaks: string, more: GuestText = {}): GuestText {
  return {
    imports: { sk_handle_message: two, ...more.imports },
    texts: {
      delta: `{"updates":[{"values":[{"path":"said","value":"${said}"}]}]}`,
      endpoints:
        '[{"method":"GET","path":"/break","handler":"break"},{"method":"GET","path":"/fine","handler":"fine"}]',
      page: '{"statusCode":200,"body":"fine"}',
      ...more.texts,
    },
    start: more.start ?? `${call("sk_handle_message", "delta")} (i32.const 0)`,
    functions: `${answering("http_endpoints", "endpoints", "out")} ${answering("fine", "page")}
      ${answering("break", "page", "request", breaks)} ${more.functions ?? ""}`,
  };
}

const one = (boat: Boat) => {
  const [found] = boat.plugins.all();
  assert.ok(found !== undefined);
  return found;
};

test("a plugin that traps is started again after 2, 4, 8 and 16 seconds, and then no more", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("hello", trap) }]);
  for (const waitMs of [2_000, 4_000, 8_000, 16_000]) {
    assert.equal((await boat.fetch("/plugins/p/break")).status, 502);
    assert.equal(one(boat).state, "crashed");
    assert.equal((await boat.fetch("/plugins/p/fine")).status, 404, "what it served is gone");
    boat.clock.move(waitMs - 1);
    assert.equal(one(boat).state, "crashed");
    boat.clock.move(1);
    await settled(boat);
    assert.equal(one(boat).state, "running", one(boat).statusMessage);
    assert.equal((await boat.fetch("/plugins/p/fine")).text, "fine");
  }
  await boat.fetch("/plugins/p/break");
  assert.equal(one(boat).state, "error");
  boat.clock.move(600_000);
  assert.equal(one(boat).state, "error");
  await boat.fetch("/plugins/p/config", { method: "POST", body: { enabled: true } });
  await settled(boat);
  assert.equal(one(boat).state, "running", "somebody started it");
});

test("a plugin that ran for a minute is forgiven its crashes", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("hello", trap) }]);
  for (let crash = 0; crash < 8; crash++) {
    await boat.fetch("/plugins/p/break");
    assert.equal(one(boat).counts.crashes, 1);
    boat.clock.move(2_000);
    await settled(boat);
    boat.clock.move(60_000);
  }
  assert.equal(one(boat).state, "running");
});

test("a plugin that says no to its start is in error, with its status, and is not tried again", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("x", trap, { start: "(i32.const 3)" }) }]);
  assert.equal(one(boat).state, "error");
  assert.match(one(boat).statusMessage, /refused to start: status 3/);
  boat.clock.move(600_000);
  assert.equal(one(boat).state, "error");
});

test("a plugin that traps in its start backs off, and stays stopped in the end", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("x", trap, { start: trap }) }]);
  for (let second = 0; second < 60; second++) {
    boat.clock.move(1_000);
    await settled(boat);
  }
  assert.equal(one(boat).state, "error");
  assert.equal(one(boat).counts.crashes, 5);
});

test("stopping a plugin that waits to be started again ends the waiting", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("hello", trap) }]);
  await boat.fetch("/plugins/p/break");
  await boat.fetch("/plugins/p/config", { method: "POST", body: { enabled: false } });
  boat.clock.move(60_000);
  await settled(boat);
  assert.equal(one(boat).state, "stopped");
});

test("a new version of the file is taken while the host runs, and requests find one or the other", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("one", trap) }]);
  await boat.replace("p", plugin("two", trap));
  const [reloaded, asked] = await Promise.all([
    boat.fetch("/plugins/p/reload", { method: "POST" }),
    boat.fetch("/plugins/p/fine"),
  ]);
  assert.equal(reloaded.status, 200);
  assert.equal(asked.status, 200);
  assert.equal((await boat.fetch("/signalk/v1/api/vessels/self/said/value")).json, "two");
});

test("when the new version does not start, the old one goes on", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("one", trap) }]);
  for (const start of ["(i32.const 1)", trap]) {
    await boat.replace("p", plugin("two", trap, { start }));
    assert.equal((await boat.fetch("/plugins/p/reload", { method: "POST" })).status, 502);
    assert.equal(one(boat).state, "running");
    assert.equal((await boat.fetch("/plugins/p/fine")).text, "fine");
    assert.equal((await boat.fetch("/signalk/v1/api/vessels/self/said/value")).json, "one");
  }
});

test("a file that is no plugin is refused, and the old version goes on", async (t) => {
  const boat = await boatWith(t, [{ name: "p", guest: plugin("one", trap) }]);
  await boat.replace("p", { imports: { sk_no_such_thing: two } });
  const refused = await boat.fetch("/plugins/p/reload", { method: "POST" });
  assert.equal(refused.status, 502);
  assert.match(refused.json.message, /sk_no_such_thing/);
  assert.equal((await boat.fetch("/plugins/p/fine")).text, "fine");
});

test("polls come once a second while the plugin runs, and end with it", async (t) => {
  const guest = plugin("x", trap, {
    functions: `(global $polls (mut i32) (i32.const 0))
      (func (export "poll") (result i32) (global.set $polls (i32.add (global.get $polls) (i32.const 1)))
        (if (i32.eq (global.get $polls) (i32.const 3)) (then ${call("sk_handle_message", "polled")})) (i32.const 0))`,
    texts: { polled: '{"updates":[{"values":[{"path":"polled","value":3}]}]}' },
  });
  const boat = await boatWith(t, [{ name: "p", guest }]);
  const polled = async () => (await boat.fetch("/signalk/v1/api/vessels/self/polled/value")).status;
  for (let second = 1; second <= 3; second++) {
    assert.equal(await polled(), 404);
    boat.clock.move(1_000);
    await settled(boat);
  }
  assert.equal(await polled(), 200);
  const before = boat.clock.waitingCount;
  await one(boat).stop();
  assert.equal(boat.clock.waitingCount, before - 1);
});

/** Lets the plugin's own promises run: an exchange with the host takes several turns of the event loop. */
async function settled(boat: Boat): Promise<void> {
  await boat.fetch("/signalk");
  await boat.fetch("/signalk");
}
