/** Plugins on the small host, as somebody on the boat sees them: through HTTP. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { giveAll } from "remora/manager";
import { runSignalk } from "./run.ts";
import { boatWith, temporaryFolder } from "./testing/boats.ts";
import { answering, call, type GuestText } from "./testing/guest-text.ts";

const two = "(param i32 i32)";
const four = "(param i32 i32 i32 i32) (result i32)";

const anchor: GuestText = {
  name: "Anchor",
  schema: '{"type":"object","properties":{"radius":{"type":"number"}}}',
  imports: { sk_handle_message: two, sk_set_status: two, sk_register_put_handler: four },
  texts: {
    delta: '{"updates":[{"values":[{"path":"navigation.anchor.maxRadius","value":30}]}]}',
    status: "Watching",
    self: "vessels.self",
    path: "navigation.anchor.maxRadius",
    done: '{"state":"COMPLETED","statusCode":200}',
    endpoints:
      '[{"method":"GET","path":"/api/status","handler":"get_status"},{"method":"GET","path":"/api/:part/x","handler":"echo"}]',
    page: '{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":"{\\"isWatching\\":true}"}',
  },
  start: `${call("sk_handle_message", "delta")} ${call("sk_set_status", "status")}
    (drop ${call("sk_register_put_handler", "self", "path")}) (i32.const 0)`,
  functions: `${answering("handle_put_vessels_self_navigation_anchor_maxRadius", "done")}
    ${answering("http_endpoints", "endpoints", "out")} ${answering("get_status", "page")}`,
};

const anchorPackage = { name: "@test/anchor", guest: anchor, capabilities: { putHandlers: true } };
const id = "_test_anchor";

test("a plugin's delta is in the model, with the plugin's id as its source and the server's time", async (t) => {
  const boat = await boatWith(t, [anchorPackage]);
  const { json } = await boat.fetch("/signalk/v1/api/vessels/self/navigation/anchor/maxRadius");
  assert.deepEqual(json, {
    meta: { supportsPut: true },
    value: 30,
    $source: id,
    timestamp: "2026-01-01T00:00:00.000Z",
  });
  assert.equal((await boat.fetch("/signalk/v1/api/vessels/self/navigation/anchor/maxRadius/value")).json, 30);
  assert.equal((await boat.fetch("/signalk/v1/api/vessels/self/navigation/rudder")).status, 404);
  const whole = (await boat.fetch("/signalk/v1/api")).json;
  assert.equal(whole.vessels[whole.self.slice(8)].navigation.anchor.maxRadius.value, 30);
});

test("a command that a plugin answers is COMPLETED, 200, and can be looked at again", async (t) => {
  const boat = await boatWith(t, [anchorPackage]);
  const path = "/signalk/v1/api/vessels/self/navigation/anchor/maxRadius";
  const { status, json } = await boat.fetch(path, { method: "PUT", body: { value: 40 } });
  assert.equal(status, 200);
  assert.deepEqual(
    { ...json, requestId: "", href: "" },
    { state: "COMPLETED", statusCode: 200, requestId: "", href: "" },
  );
  assert.deepEqual((await boat.fetch(json.href)).json, json);
  for (const source of [id, "@test/anchor"]) {
    const named = await boat.fetch(path, { method: "PUT", body: { value: 40, source } });
    assert.equal(named.status, 200, source);
  }
  const refused = await boat.fetch("/signalk/v1/api/vessels/self/navigation/x", {
    method: "PUT",
    body: { value: 1 },
  });
  assert.equal(refused.status, 405);
  assert.equal(refused.json.message, "PUT not supported for navigation.x");
});

test("the administration's list has what signalk-server's has, and the status that the plugin set", async (t) => {
  const boat = await boatWith(t, [anchorPackage]);
  const { json } = await boat.fetch("/skServer/plugins");
  assert.deepEqual(json, [
    {
      id,
      name: "Anchor",
      packageName: "@test/anchor",
      keywords: ["signalk-wasm-plugin"],
      version: "1.2.3",
      description: "For a test",
      schema: { type: "object", properties: { radius: { type: "number" } } },
      statusMessage: "Watching",
      state: "running",
      data: { enabled: true, enableDebug: true, configuration: {} },
      type: "wasm",
      bundled: false,
    },
  ]);
  assert.deepEqual((await boat.fetch(`/plugins/${id}`)).json, {
    enabled: true,
    enabledByDefault: false,
    id,
    name: "Anchor",
    version: "1.2.3",
  });
  assert.equal((await boat.fetch("/skServer/plugins/nobody")).status, 404);
});

test("endpoints answer while the plugin is enabled, and no longer when it is not", async (t) => {
  const boat = await boatWith(t, [anchorPackage]);
  const path = `/plugins/${id}/api/status`;
  assert.deepEqual((await boat.fetch(path)).json, { isWatching: true });
  const saved = await boat.fetch(`/skServer/plugins/${id}/config`, {
    method: "POST",
    body: { enabled: false },
  });
  assert.equal(saved.status, 200);
  assert.equal(saved.json, `Saved configuration for plugin ${id}`);
  assert.equal((await boat.fetch(path)).status, 404);
  const put = await boat.fetch("/signalk/v1/api/vessels/self/navigation/anchor/maxRadius", {
    method: "PUT",
    body: { value: 1 },
  });
  assert.equal(put.status, 405, "its command went with it");
  await boat.fetch(`/plugins/${id}/config`, {
    method: "POST",
    body: { enabled: true, configuration: { radius: 5 } },
  });
  assert.deepEqual((await boat.fetch(path)).json, { isWatching: true });
  assert.deepEqual((await boat.fetch(`/plugins/${id}/config`)).json, {
    enabled: true,
    enableDebug: true,
    configuration: { radius: 5 },
  });
});

test("undeclared endpoints are served by a grant for compatibility that the operator can see and withhold", async (t) => {
  const boat = await boatWith(t, [anchorPackage]);
  const { json } = await boat.fetch(`/plugins/${id}/grants`);
  const [serve] = json.filter(
    (given: { grant: { capability: string } }) => given.grant.capability === "http.serve",
  );
  assert.deepEqual(serve, {
    grant: { capability: "http.serve", paths: [`/plugins/${id}/*`] },
    why: "compatibility",
  });
  const strict = await boatWith(t, [anchorPackage], {
    plugins: { isWithheld: (_plugin, given) => given.why === "compatibility" },
  });
  assert.equal((await strict.fetch(`/plugins/${id}/api/status`)).status, 404);
  assert.ok(strict.lines.some((line) => line.includes("http.serve") && line.includes("denied")));
});

test("a plugin that may not write, command or read does not, and the audit says so", async (t) => {
  const capabilities = { putHandlers: false, dataWrite: false, dataRead: false };
  const boat = await boatWith(t, [{ ...anchorPackage, capabilities }]);
  assert.equal((await boat.fetch("/signalk/v1/api/vessels/self")).status, 404);
  assert.equal((await boat.fetch("/skServer/plugins")).json[0].state, "running");
  for (const capability of ["data.write", "control.put"]) {
    assert.ok(
      boat.lines.some((line) => line.includes(capability) && line.includes("denied")),
      capability,
    );
  }
});

test("no name gives a plugin more than its manifest asks for: signalk-logviewer has what any other has", async (t) => {
  const names = ["signalk-logviewer", "another"];
  const boat = await boatWith(
    t,
    names.map((name) => ({ name, guest: {} })),
  );
  const [first, second] = await Promise.all(
    names.map(async (name) => (await boat.fetch(`/plugins/${name}/grants`)).text.replaceAll(name, "ID")),
  );
  assert.equal(first, second);
  assert.match(first ?? "", /fs\.private/);
});

test("a port that is taken is an error with a code, and nothing is left open", async (t) => {
  const { http } = await boatWith(t, []);
  const dataFolder = await temporaryFolder(t);
  const run = (port: number) =>
    runSignalk({
      dataFolder,
      modulesFolders: [],
      port,
      log: () => {},
      bundles: { folder: `${dataFolder}/bundles`, asker: giveAll },
    });
  await assert.rejects(run(http.port), {
    code: "signalk/listen-failed",
    details: { address: `127.0.0.1:${http.port}`, reason: "EADDRINUSE" },
  });
  // Else the folder would be held.
  const again = await run(0);
  await again.close();
});
