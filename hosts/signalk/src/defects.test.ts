/**
 * Defects of signalk-server's own loader that no other test here is about: what a plugin relied on and did not get.
 * `conformance/hosts/defects.ts` lists all of them with the test of each.
 */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { boatWith } from "./testing/boats.ts";
import { compiledPlugin } from "./testing/compiled-plugin.ts";
import { answering, answeringWritten, call, type GuestText } from "./testing/guest-text.ts";

const status = "(param i32 i32) (result i32)";

test("a handler of commands in AssemblyScript gets its value as a string, and its guest is well afterwards", async (t) => {
  const guest = await compiledPlugin(`
    @external("env", "sk_register_put_handler")
    declare function register(context: usize, contextLength: i32, path: usize, pathLength: i32): i32;
    export function plugin_name(): string { return "Commanded"; }
    export function plugin_schema(): string { return "{}"; }
    export function plugin_start(config: usize, length: i32): i32 {
      const context = String.UTF8.encode("vessels.self");
      const path = String.UTF8.encode("a.b");
      register(changetype<usize>(context), context.byteLength, changetype<usize>(path), path.byteLength);
      return 0;
    }
    export function plugin_stop(): i32 { return 0; }
    export function handle_put_vessels_self_a_b(value: string): string {
      return '{"state":"COMPLETED","statusCode":200,"message":' + value + "}";
    }`);
  const boat = await boatWith(t, [{ name: "p", guest, capabilities: { putHandlers: true } }]);
  for (const value of ["näher", "x".repeat(5_000), "again"]) {
    const { status, json } = await boat.fetch("/signalk/v1/api/vessels/self/a/b", {
      method: "PUT",
      body: { value },
    });
    assert.deepEqual([status, json.message], [200, value]);
  }
  assert.equal(boat.plugins.get("p")?.state, "running");
});

/** Answers with its configuration, as it reads it. */
const configured: GuestText = {
  imports: { sk_read_config: status },
  texts: {
    endpoints: '[{"method":"GET","path":"/api/mine","handler":"mine"}]',
    head: '{"statusCode":200,"body":',
  },
  functions: `${answering("http_endpoints", "endpoints", "out")}
    ${answeringWritten(
      "mine",
      "(local.set $end (i32.add (local.get $end) (call $sk_read_config (local.get $end) (i32.const 16000))))",
      "}",
    )}`,
};

test("a plugin whose package has a scope reads its own configuration, all of it, and no byte more", async (t) => {
  const configuration = { depth: 3, note: "n".repeat(5_000) };
  const boat = await boatWith(t, [{ name: "@test/p", guest: configured }], {
    settingsDefault: { enabled: true, enableDebug: false, configuration },
  });
  assert.deepEqual((await boat.fetch("/plugins/_test_p/api/mine")).json, configuration);
});

test("providers and sockets of a plugin go when it stops", async (t) => {
  const probe = createSocket("udp4").bind(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const guest: GuestText = {
    imports: {
      sk_register_radar_provider: status,
      sk_register_weather_provider: status,
      sk_register_resource_provider: status,
      sk_udp_create: "(param i32) (result i32)",
      sk_udp_bind: status,
    },
    texts: { word: "places" },
    start: `(drop ${call("sk_register_radar_provider", "word")})
      (drop ${call("sk_register_weather_provider", "word")})
      (drop ${call("sk_register_resource_provider", "word")})
      (i32.ne (call $sk_udp_bind (call $sk_udp_create (i32.const 0)) (i32.const ${port})) (i32.const 0))`,
  };
  const capabilities = {
    radarProvider: true,
    weatherProvider: true,
    resourceProvider: true,
    rawSockets: true,
  };
  const boat = await boatWith(t, [{ name: "p", guest, capabilities }]);
  assert.equal(boat.plugins.get("p")?.state, "running", String(boat.plugins.get("p")?.statusMessage));
  const { radars, weather, resources } = boat.server;
  const registered = () => [radars.all().length, weather.all().length, resources.types().length];
  assert.deepEqual(registered(), [1, 1, 1]);
  await boat.plugins.get("p")?.stop();
  assert.deepEqual(registered(), [0, 0, 0]);
  const again = createSocket("udp4").bind(port);
  await once(again, "listening");
  again.close();
});
