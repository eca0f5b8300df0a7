/** This host inside of a server that is like signalk-server where it matters. */

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Delta } from "../delta/delta.ts";
import { temporaryFolder, writePackage } from "../testing/boats.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";
import makePlugin from "./entry.ts";
import { signalkServerPlugin } from "./node-plugin.ts";
import type { ExpressHandler, ExpressLayer, ListedPlugin } from "./server-app.ts";

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

async function server(t: TestContext, interfaces: { wasm?: boolean } = { wasm: false }) {
  const configPath = await temporaryFolder(t);
  const capabilities = { putHandlers: true, resourceProvider: true };
  await writePackage(join(configPath, "node_modules"), { name: "@test/anchor", guest, capabilities });
  const messages: { source: string; delta: Delta; version: string | undefined }[] = [];
  const puts = new Map<string, (context: string, path: string, value: unknown) => Promise<unknown>>();
  // biome-ignore lint/suspicious/noExplicitAny: a provider as signalk-server gets it
  const resources = new Map<string, any>();
  const statuses = new Map<string, string>();
  const handlers: ExpressHandler[] = [];
  const disabled = { id: "_test_anchor", name: "@test/anchor", state: "disabled" };
  const app = Object.assign(new EventEmitter(), {
    selfId: "urn:mrn:signalk:uuid:1",
    config: { configPath, settings: { interfaces } },
    signalk: Object.assign(new EventEmitter(), {
      self: { navigation: { speedOverGround: { value: 3.5, $source: "gps" } } },
      retrieve: () => ({}),
    }),
    plugins: [{ id: "other", name: "Other" }, disabled] as ListedPlugin[],
    pluginsMap: { _test_anchor: disabled } as Record<string, ListedPlugin>,
    setPluginStatus: (name: string, message: string) => void statuses.set(name, message),
    setPluginError: (name: string, message: string) => void statuses.set(name, `error: ${message}`),
    handleMessage: (source: string, delta: Delta, version?: string) =>
      void messages.push({ source, delta, version }),
    registerActionHandler(
      _context: string,
      path: string,
      _source: string,
      handle: (context: string, path: string, value: unknown) => Promise<unknown>,
    ) {
      puts.set(path, handle);
      return () => void puts.delete(path);
    },
    resourcesApi: {
      register: (plugin: string, provider: object) => void resources.set(plugin, provider),
      unRegister: (plugin: string) => void resources.delete(plugin),
    },
    _router: { stack: [{ route: { path: "/signalk/v1/api/*", methods: { put: true } } }] as ExpressLayer[] },
    use(_paths: string[], handler: ExpressHandler) {
      handlers.push(handler);
      app._router.stack.push({});
    },
  });
  const lines: string[] = [];
  const plugin = signalkServerPlugin(app, { log: (line) => lines.push(line) });
  t.after(() => plugin.stop());
  const request = (
    path: string,
    method = "GET",
    body: unknown = {},
    mounted: ExpressHandler | undefined = handlers[0],
  ) =>
    new Promise<{ status: number; text: string } | "passed on">((resolve, reject) => {
      let status = 0;
      const response = {
        status(code: number) {
          status = code;
          return response;
        },
        set: () => response,
        send: (text: string) => resolve({ status, text }),
      };
      mounted?.({ method, path, query: {}, headers: {}, body }, response, (error) =>
        error === undefined ? resolve("passed on") : reject(error),
      );
    });
  const enable = async () => {
    const answer = await request("/plugins/_test_anchor/config", "POST", {
      enabled: true,
      enableDebug: true,
      configuration: {},
    });
    // It may still be starting then; one that waits for nothing has started at the end of this turn.
    await new Promise((resolve) => setImmediate(resolve));
    return answer;
  };
  return { app, statuses, plugin, messages, puts, resources, handlers, request, enable, lines };
}

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
  assert.deepEqual(isRoute, [false, true, false], "the layer stands before the server's own route");
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
