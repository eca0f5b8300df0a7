/** This host inside of a server that is like signalk-server where it matters. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { writePackage } from "../testing/boats.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";
import { likeSignalkServer } from "../testing/like-signalk-server.ts";
import makePlugin from "./entry.ts";

const capabilities = { putHandlers: true, resourceProvider: true };

const four = "(param i32 i32 i32 i32) (result i32)";

const guest: GuestText = {
  name: "Anchor",
  imports: {
    sk_handle_message: "(param i32 i32)",
    sk_set_status: "(param i32 i32)",
    sk_register_put_handler: four,
    sk_register_resource_provider: "(param i32 i32) (result i32)",
    sk_get_self_path: four,
  },
  texts: {
    delta: '{"updates":[{"values":[{"path":"a","value":1}]}]}',
    status: "Watching",
    self: "vessels.self",
    path: "anchor.radius",
    done: '{"state":"COMPLETED","statusCode":200}',
    type: "marks",
    none: "null",
    endpoints:
      '[{"method":"GET","path":"/api","handler":"api"},{"method":"GET","path":"/speed","handler":"speed"},{"method":"GET","path":"/trap","handler":"trap"}]',
    speed: "navigation.speedOverGround",
    head: '{"body":',
    page: '{"statusCode":200,"body":"hello"}',
  },
  start: `${call("sk_handle_message", "delta")} ${call("sk_set_status", "status")}
    (drop ${call("sk_register_put_handler", "self", "path")}) (drop ${call("sk_register_resource_provider", "type")}) (i32.const 0)`,
  functions: `${answering("handle_put_vessels_self_anchor_radius", "done")} ${answering("http_endpoints", "endpoints", "out")}
    ${answering("api", "page")} ${answering("resources_get_resource", "none")}
    ${answering("trap", "page", "request", "(unreachable)")}
    (func (export "speed") (param i32 i32) (param $out i32) (param $max i32) (result i32) (local $end i32)
      (memory.copy (local.get $out) (global.get $head) (global.get $head_length))
      (local.set $end (i32.add (local.get $out) (global.get $head_length)))
      (local.set $end (i32.add (local.get $end)
        (call $sk_get_self_path (global.get $speed) (global.get $speed_length) (local.get $end) (i32.const 64))))
      (i32.store8 (local.get $end) (i32.const 0x7d))
      (i32.add (i32.sub (local.get $end) (local.get $out)) (i32.const 1)))`,
};

/** Writes to the log what it hears, and says one word. */
const hearing: GuestText = {
  imports: {
    sk_subscribe_events: "(param i32 i32) (result i32)",
    sk_emit_event: "(param i32 i32 i32 i32) (result i32)",
    sk_debug: "(param i32 i32)",
  },
  texts: { types: "[]", word: "word", data: "1" },
  start: `(drop ${call("sk_subscribe_events", "types")}) (i32.eqz ${call("sk_emit_event", "word", "data")})`,
  functions: '(func (export "event_handler") (param i32 i32) (call $sk_debug (local.get 0) (local.get 1)))',
};

/** With the plugin that most tests are about. */
const server = (t: TestContext, interfaces?: { wasm?: boolean }) =>
  likeSignalkServer(t, [{ name: "@test/anchor", guest, capabilities }], interfaces);

test("a plugin that is installed for signalk-server takes the place of its disabled entry, and is enabled like any other", async (t) => {
  const { app, statuses, plugin, messages, enable } = await server(t);
  await plugin.start();
  assert.deepEqual(
    app.plugins.map(({ id }) => id),
    ["other", "_test_anchor"],
  );
  assert.equal(app.pluginsMap._test_anchor?.state, "stopped");
  assert.equal(app.pluginsMap._test_anchor?.name, "Anchor");
  assert.deepEqual(await enable(), { status: 200, text: '"Saved configuration for plugin _test_anchor"' });
  assert.equal(app.pluginsMap._test_anchor?.state, "running");
  assert.deepEqual(messages[0], {
    source: "_test_anchor",
    delta: { updates: [{ values: [{ path: "a", value: 1 }] }] },
    version: "v1",
  });
  assert.equal(statuses.get("Anchor"), "Watching");
});

test("its commands, resources and endpoints are the server's, and end with it", async (t) => {
  const { plugin, puts, resources, request, enable } = await server(t);
  await plugin.start();
  await enable();
  assert.deepEqual(await puts.get("anchor.radius")?.("vessels.self", "anchor.radius", 5), {
    state: "COMPLETED",
    statusCode: 200,
  });
  assert.equal(resources.get("_test_anchor").type, "marks");
  await assert.rejects(resources.get("_test_anchor").methods.getResource("x"), /not found/);
  assert.deepEqual(await request("/plugins/_test_anchor/api"), { status: 200, text: "hello" });
  await plugin.stop();
  assert.equal(puts.size, 0);
  assert.equal(resources.size, 0);
  assert.equal(await request("/plugins/_test_anchor/api"), "passed on");
});

test("a guest reads the server's model", async (t) => {
  const { plugin, request, enable } = await server(t);
  await plugin.start();
  await enable();
  assert.deepEqual(await request("/plugins/_test_anchor/speed"), { status: 200, text: "3.5" });
});

test("why a plugin crashed is its status in the server's list", async (t) => {
  const { plugin, statuses, request, enable } = await server(t);
  await plugin.start();
  await enable();
  await request("/plugins/_test_anchor/trap");
  assert.match(statuses.get("Anchor") ?? "", /^error: It crashed and starts again in 2 s/);
});

test("a command whose source is the plugin's package is for the plugin, before the server looks for a handler", async (t) => {
  const { app, plugin, handlers, request } = await server(t);
  await plugin.start();
  const sourceAfter = async (source: unknown) => {
    const body = { value: 1, source };
    await request("/", "PUT", body, handlers[1]);
    return body.source;
  };
  assert.equal(await sourceAfter("@test/anchor"), "_test_anchor");
  assert.equal(await sourceAfter("@test/another"), "@test/another");
  assert.equal(await sourceAfter(undefined), undefined);
  const isRoute = app._router.stack.map(({ route }) => route !== undefined);
  assert.deepEqual(isRoute, [false, true, false, false], "the layer stands before the server's own route");
});

test("the paths of other plugins, what ours do not serve, and the list of all stay the server's", async (t) => {
  const { plugin, request } = await server(t);
  await plugin.start();
  for (const path of [
    "/plugins",
    "/plugins/other/config",
    "/plugins/_test_anchor/no",
    "/signalk/v1/api",
    "/",
    "/%",
  ]) {
    assert.equal(await request(path), "passed on", path);
  }
});

test("it hears events of the server and of instruments, and its own reach the server under its name", async (t) => {
  const { app, plugin, lines, enable } = await server(t);
  await writePackage(join(app.config.configPath, "node_modules"), {
    name: "@test/anchor",
    guest: hearing,
    capabilities: { serverEvents: true },
  });
  const emitted: unknown[] = [];
  app.on("PLUGIN_word", (told) => emitted.push(told));
  await plugin.start();
  await enable();
  app.emit("nmea0183", "$GPRMC");
  app.emit("serverevent", { type: "SERVERMESSAGE", data: 1, timestamp: 7 });
  app.emit("serverevent", { type: "SECRET", data: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  const heard = lines.filter((line) => line.includes('{"type"'));
  assert.match(heard[0] ?? "", /"type":"nmea0183","data":"\$GPRMC","timestamp":\d+/);
  assert.match(heard[1] ?? "", /"type":"SERVERMESSAGE","data":1,"timestamp":7/);
  assert.equal(heard.length, 2);
  assert.partialDeepStrictEqual(emitted, [{ type: "PLUGIN_word", from: "_test_anchor", data: 1 }]);
  await plugin.stop();
  assert.equal(app.listenerCount("nmea0183") + app.listenerCount("serverevent"), 0);
});

test("what signalk-server requires makes the plugin for the application behind the one that it gives", async (t) => {
  const { app } = await server(t);
  const plugin = makePlugin({ request: { app } });
  assert.equal(plugin.id, "remora");
  await plugin.start();
  assert.equal(plugin.plugins()?.all().length, 1);
  await plugin.stop();
});

test("beside the server's own loader it refuses to start: no plugin runs twice", async (t) => {
  for (const interfaces of [{}, { wasm: true }]) {
    const { plugin } = await server(t, interfaces);
    await assert.rejects(plugin.start(), { code: "signalk/two-loaders" });
  }
});
