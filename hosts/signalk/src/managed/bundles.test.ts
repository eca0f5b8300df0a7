/** Bundles of the manager as plugins of the server, as somebody on the boat sees them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type BundleBoat, boatWithBundles, bundleOf, turn, until } from "../testing/bundles.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";

const two = "(param i32 i32)";
const four = "(param i32 i32 i32 i32) (result i32)";

/** Says something at its start, answers a command, serves a page, and tells how many deltas it got. */
function watch(said: string, more: GuestText = {}): GuestText {
  return {
    name: "Watch",
    imports: {
      sk_handle_message: two,
      sk_register_put_handler: four,
      sk_register_resource_provider: `${two} (result i32)`,
      ...more.imports,
    },
    texts: {
      delta: `{"updates":[{"values":[{"path":"said","value":"${said}"}]}]}`,
      self: "vessels.self",
      path: "steering.rudder",
      kind: "anchorages",
      all: `{"one":{"name":"${said}"}}`,
      done: '{"state":"COMPLETED","statusCode":200}',
      endpoints:
        '[{"method":"GET","path":"/said","handler":"page"},{"method":"GET","path":"/break","handler":"break"}]',
      page: `{"statusCode":200,"body":"${said}"}`,
      ...more.texts,
    },
    start:
      more.start ??
      `${call("sk_handle_message", "delta")} (drop ${call("sk_register_put_handler", "self", "path")})
       (drop ${call("sk_register_resource_provider", "kind")}) (i32.const 0)`,
    functions: `(global $deltas (export "deltas") (mut i32) (i32.const 0))
      (func (export "delta_handler") (param i32 i32) (global.set $deltas (i32.add (global.get $deltas) (i32.const 1))))
      ${answering("handle_put_vessels_self_steering_rudder", "done")} ${answering("resources_list_resources", "all")}
      ${answering("http_endpoints", "endpoints", "out")} ${answering("page", "page")}
      ${answering("break", "page", "request", "(unreachable)")} ${more.functions ?? ""}`,
  };
}

const saidPath = "/signalk/v1/api/vessels/self/said";
const putPath = "/signalk/v1/api/vessels/self/steering/rudder";
const rudder = { method: "PUT", body: { value: 0.1 } };

const one = ({ bundles }: BundleBoat) => {
  const [found] = bundles.all();
  assert.ok(found !== undefined);
  return found;
};

test("a bundle that is installed is a plugin of the server: deltas, commands, resources, endpoints, the list", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one") });
  assert.equal(one(boat).state, "running", one(boat).statusMessage);
  const { json } = await boat.fetch(saidPath);
  assert.deepEqual([json.value, json.$source], ["one", "watch"]);
  assert.equal((await boat.fetch(putPath, rudder)).json.state, "COMPLETED");
  const resources = await boat.fetch("/signalk/v2/api/resources/anchorages");
  assert.deepEqual(resources.json, { one: { name: "one" } });
  assert.equal((await boat.fetch("/plugins/watch/said")).text, "one");
  const [entry] = (await boat.fetch("/skServer/plugins")).json;
  assert.deepEqual(
    [
      entry.id,
      entry.name,
      entry.version,
      entry.description,
      entry.keywords,
      entry.state,
      entry.statusMessage,
    ],
    ["watch", "Watch", "1.0.0", "For a test", ["test"], "running", "Running"],
  );
  boat.server.input({ updates: [{ values: [{ path: "a", value: 1 }] }] }, "x");
  await turn();
  assert.ok(one(boat).account.counts.calls >= 4);
});

test("what a bundle did not ask for it does not do, and the manager's audit says so", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one"), capabilities: ["data.read"] });
  assert.equal(one(boat).state, "running");
  assert.equal((await boat.fetch(saidPath)).status, 404);
  assert.equal((await boat.fetch(putPath, rudder)).status, 405);
  assert.equal((await boat.fetch("/plugins/watch/said")).status, 404);
  const grants = (await boat.fetch("/plugins/watch/grants")).json;
  const why = Object.fromEntries(
    grants.map((given: { grant: { capability: string }; why: string }) => [
      given.grant.capability,
      given.why,
    ]),
  );
  assert.deepEqual([why["data.read"], why["log.write"], why["data.write"]], ["declared", "base", undefined]);
  await boat.bundles.manager.give("watch", { capability: "data.write", paths: ["said"] });
  await turn();
  assert.equal((await boat.fetch(saidPath)).json.value, "one", "the operator gave it");
});

test("a new version takes over while requests wait; of the old nothing is left", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one") });
  const next = await bundleOf({ guest: watch("two", { start: "(i32.const 0)" }), version: "1.1.0" });
  const [, ...pages] = await Promise.all([
    boat.bundles.manager.install(next),
    ...Array.from({ length: 20 }, () => boat.fetch("/plugins/watch/said")),
  ]);
  for (const { status, text } of pages) assert.ok(status === 200 && ["one", "two"].includes(text), text);
  assert.equal((await boat.fetch("/plugins/watch/said")).text, "two");
  assert.equal((await boat.fetch(putPath, rudder)).status, 405, "the new one registered nothing");
});

test("a version that refuses to start, or traps in it, is followed by the one before, which is started again", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one") });
  for (const [version, start] of [
    ["1.1.0", "(i32.const 7)"],
    ["1.2.0", "(unreachable)"],
  ] as const) {
    await boat.install({ guest: watch("two", { start }), version });
    assert.equal(one(boat).state, "running", one(boat).statusMessage);
    assert.equal((await boat.fetch("/plugins/watch/said")).text, "one");
    assert.equal((await boat.fetch(putPath, rudder)).status, 200);
    assert.equal(one(boat).manifest.version, "1.0.0");
    await until(() => boat.bundles.manager.versions("watch").current?.version === "1.0.0");
  }
});

test("of deltas that come while versions follow each other none is lost", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one") });
  const before = one(boat).account.counts.calls;
  const update = boat.bundles.manager.install(await bundleOf({ guest: watch("two"), version: "1.1.0" }));
  let sent = 0;
  let isOver = false;
  void update.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    boat.server.input({ updates: [{ values: [{ path: "a", value: sent++ }] }] }, "x");
    await turn();
  }
  await until(() => one(boat).state === "running");
  for (let idle = 0; idle < 20; idle++) await turn();
  // Beside the deltas, each version's own word and its start.
  assert.ok(one(boat).account.counts.calls - before >= sent, `${sent} sent`);
});

test("a bundle that traps is started afresh, with what it registers; one that always traps backs off and comes again", async (t) => {
  const boat = await boatWithBundles(t, { policy: { breaker: { failuresMax: 4 } } });
  await boat.install({ guest: watch("one") });
  assert.equal((await boat.fetch("/plugins/watch/break")).status, 502);
  await turn();
  assert.equal(one(boat).state, "running");
  assert.equal((await boat.fetch(putPath, rudder)).status, 200);
  for (let times = 0; times < 3; times++) await boat.fetch("/plugins/watch/break");
  assert.equal(one(boat).state, "crashed");
  assert.match(one(boat).statusMessage, /crashed and starts again in/);
  assert.equal((await boat.fetch(putPath, rudder)).status, 405);
  boat.clock.move(2_000);
  await until(() => one(boat).state === "running");
  assert.equal((await boat.fetch("/plugins/watch/said")).text, "one");
});

test("one that traps in its start is not tried without end", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one", { start: "(unreachable)" }) });
  await until(() => one(boat).state === "crashed");
  assert.equal(boat.bundles.manager.info("watch").counts.traps, 5);
});

const radius = `[settings]
type = "object"
[settings.properties.radius]
type = "number"
default = 5`;

/** Tells the configuration that it was started with, and what it reads. */
const told: GuestText = {
  imports: { sk_set_status: two, sk_save_config: `${two} (result i32)` },
  texts: {
    good: '{"radius":9}',
    bad: '{"radius":"wide"}',
    endpoints:
      '[{"method":"GET","path":"/save","handler":"save"},{"method":"GET","path":"/bad","handler":"bad"}]',
    page: '{"statusCode":200,"body":"saved"}',
    no: '{"statusCode":409,"body":"refused"}',
  },
  start: `(call $sk_set_status (local.get $text) (local.get $length)) (i32.const 0)`,
  functions: `${answering("http_endpoints", "endpoints", "out")}
    ${answering("save", "page", "request", `(drop ${call("sk_save_config", "good")})`)}
    ${answering("bad", "no", "request", `(if (i32.eqz ${call("sk_save_config", "bad")}) (then (unreachable)))`)}`,
};

test("settings are checked by the manifest, and the plugin starts with them; what it saves itself is kept", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: told, tables: radius });
  assert.deepEqual(JSON.parse(one(boat).statusMessage), { radius: 5, enableDebug: false });
  const post = (body: unknown) => boat.fetch("/plugins/watch/config", { method: "POST", body });
  await post({ configuration: { radius: 7 }, enableDebug: true });
  assert.deepEqual(JSON.parse(one(boat).statusMessage), { radius: 7, enableDebug: true });
  assert.notEqual((await post({ configuration: { radius: "far" } })).status, 200);
  assert.deepEqual((await boat.fetch("/plugins/watch/config")).json, {
    enabled: true,
    enableDebug: true,
    configuration: { radius: 7 },
  });
  assert.equal((await boat.fetch("/plugins/watch/save")).text, "saved");
  assert.equal((await boat.fetch("/plugins/watch/bad")).status, 409);
  let kept: unknown;
  do {
    await turn();
    kept = await boat.bundles.manager.settings("watch");
  } while (JSON.stringify(kept) === '{"radius":7}');
  assert.deepEqual(kept, { radius: 9 });
});

test("a bundle is switched off and on by the administration's own request, and is off after a restart", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one") });
  const post = (body: unknown) => boat.fetch("/plugins/watch/config", { method: "POST", body });
  await post({ enabled: false });
  assert.equal(one(boat).state, "stopped");
  assert.equal((await boat.fetch("/plugins/watch/said")).status, 404);
  const { folder } = boat.bundles.manager;
  await boat.close();
  const again = await boatWithBundles(t, { folder });
  assert.equal(one(again).state, "stopped");
  await again.fetch("/plugins/watch/config", { method: "POST", body: { enabled: true } });
  await until(() => one(again).state === "running");
  assert.equal((await again.fetch("/plugins/watch/said")).text, "one");
});

test("a bundle that is removed is no plugin any more", async (t) => {
  const boat = await boatWithBundles(t);
  await boat.install({ guest: watch("one") });
  await boat.bundles.manager.remove("watch");
  assert.deepEqual((await boat.fetch("/skServer/plugins")).json, []);
  assert.equal((await boat.fetch(putPath, rudder)).status, 405);
});

test("an installed package keeps its id: a bundle of the same is not served, and the log says why", async (t) => {
  const boat = await boatWithBundles(t, {}, { packages: [{ name: "watch", guest: watch("package") }] });
  await boat.install({ guest: watch("bundle") });
  assert.equal((await boat.fetch("/plugins/watch/said")).text, "package");
  assert.ok(boat.lines.some((line) => line.includes('Cannot serve the bundle "watch"')));
});

test("the world says which convention a module keeps, whatever else it exports", async (t) => {
  const boat = await boatWithBundles(t);
  const world = "signalk:core/assemblyscript@0.1.0";
  await assert.rejects(boat.install({ guest: watch("one"), world }), {
    code: "manager/inspect",
    message: /bundle\/exports: .* does not export "__new"/,
  });
});

test("a plugin that loops is ended by the manager's limits, and asks for no more than the host allows", async (t) => {
  const boat = await boatWithBundles(t);
  const loops = watch("one", {
    functions: `${answering("spin", "page", "request", "(loop $ever (br $ever))")}`,
  });
  const guest = {
    ...loops,
    texts: { ...loops.texts, endpoints: '[{"method":"GET","path":"/spin","handler":"spin"}]' },
  };
  await boat.install({ guest });
  assert.equal((await boat.fetch("/plugins/watch/spin")).status, 502);
  assert.equal(boat.bundles.manager.info("watch").counts.traps, 1);
  const greedy = boat.install({ guest, version: "1.1.0", tables: "[limits]\ndeadline_ms = 1000" });
  await assert.rejects(greedy, { code: "manager/inspect" });
});
