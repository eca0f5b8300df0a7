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
import type { ExpressHandler, ListedPlugin } from "./server-app.ts";

const four = "(param i32 i32 i32 i32) (result i32)";

const guest: GuestText = {
  name: "Anchor",
  imports: {
    sk_handle_message: "(param i32 i32)",
    sk_set_status: "(param i32 i32)",
    sk_register_put_handler: four,
    sk_register_resource_provider: "(param i32 i32) (result i32)",
  },
  texts: {
    delta: '{"updates":[{"values":[{"path":"a","value":1}]}]}',
    status: "Watching",
    self: "vessels.self",
    path: "anchor.radius",
    done: '{"state":"COMPLETED","statusCode":200}',
    type: "marks",
    none: "null",
    endpoints: '[{"method":"GET","path":"/api","handler":"api"}]',
    page: '{"statusCode":200,"body":"hello"}',
  },
  start: `${call("sk_handle_message", "delta")} ${call("sk_set_status", "status")}
    (drop ${call("sk_register_put_handler", "self", "path")}) (drop ${call("sk_register_resource_provider", "type")}) (i32.const 0)`,
  functions: `${answering("handle_put_vessels_self_anchor_radius", "done")} ${answering("http_endpoints", "endpoints", "out")}
    ${answering("api", "page")} ${answering("resources_get_resource", "none")}`,
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
  let mounted: ExpressHandler | undefined;
  const disabled = { id: "_test_anchor", name: "@test/anchor", state: "disabled" };
  const app = {
    selfId: "urn:mrn:signalk:uuid:1",
    config: { configPath, settings: { interfaces } },
    signalk: new EventEmitter(),
    plugins: [{ id: "other", name: "Other" }, disabled] as ListedPlugin[],
    pluginsMap: { _test_anchor: disabled } as Record<string, ListedPlugin>,
    setPluginStatus: (name: string, message: string) => void statuses.set(name, message),
    setPluginError: (name: string, message: string) => void statuses.set(name, `error: ${message}`),
    handleMessage: (source: string, delta: Delta, version?: string) =>
      void messages.push({ source, delta, version }),
    getSelfPath: () => undefined,
    getPath: () => undefined,
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
    use(_paths: string[], handler: ExpressHandler) {
      mounted = handler;
    },
  };
  const lines: string[] = [];
  const plugin = signalkServerPlugin(app, { log: (line) => lines.push(line) });
  t.after(() => plugin.stop());
  const request = (path: string, method = "GET", body: unknown = {}) =>
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
  const enable = () => request("/plugins/_test_anchor/config", "POST", { enabled: true, configuration: {} });
  return { app, statuses, plugin, messages, puts, resources, request, enable, lines };
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

test("the paths of other plugins, and the list of all, stay the server's", async (t) => {
  const { plugin, request } = await server(t);
  await plugin.start();
  for (const path of ["/plugins", "/plugins/other/config", "/signalk/v1/api", "/", "/%"]) {
    assert.equal(await request(path), "passed on", path);
  }
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
