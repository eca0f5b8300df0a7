/** A bundle in a signalk-server with this host as its plugin, as its operator deals with it: by the folder and the administration. */

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bundleOf } from "../../hosts/signalk/src/testing/bundles.ts";
import { answering, call, type GuestText } from "../../hosts/signalk/src/testing/guest-text.ts";
import { type Answer, openRealServer, until, whyNoServer } from "./real-server.ts";

const guest: GuestText = {
  name: "Watch",
  imports: {
    sk_handle_message: "(param i32 i32)",
    sk_register_put_handler: "(param i32 i32 i32 i32) (result i32)",
    sk_set_status: "(param i32 i32)",
  },
  texts: {
    delta: '{"updates":[{"values":[{"path":"said","value":"hello"}]}]}',
    status: "Watching",
    self: "vessels.self",
    path: "steering.rudder",
    done: '{"state":"COMPLETED","statusCode":200}',
    endpoints: '[{"method":"GET","path":"/said","handler":"page"}]',
    page: '{"statusCode":200,"body":"hello"}',
  },
  start: `${call("sk_handle_message", "delta")} (drop ${call("sk_register_put_handler", "self", "path")})
    ${call("sk_set_status", "status")} (i32.const 0)`,
  functions: `${answering("handle_put_vessels_self_steering_rudder", "done")}
    ${answering("http_endpoints", "endpoints", "out")} ${answering("page", "page")}`,
};

/** The bundle in its folder; what nobody signed may run here. */
async function prepare(config: string): Promise<void> {
  const capabilities = ["data.write", "control.put", "http.serve"];
  const { bytes } = await bundleOf({
    guest,
    capabilities,
    files: { "public/index.html": "page" },
    top: 'tags = ["signalk-webapp"]',
  });
  await mkdir(join(config, "remora-bundles"));
  await writeFile(join(config, "remora-bundles/watch.bundle"), bytes);
  const settings = { enabled: true, enableDebug: false, configuration: { bundles: { trust: "unsigned" } } };
  await writeFile(join(config, "plugin-config-data/remora.json"), JSON.stringify(settings));
}

// biome-ignore lint/suspicious/noExplicitAny: an entry of the administration's list
const entryOf = ({ body }: Answer, id: string): any => body.find((entry: { id: string }) => entry.id === id);

test("a bundle waits in the administration's form, is given what it asks for there, and is a plugin of the server like any other", async (t) => {
  const missing = await whyNoServer();
  if (missing !== undefined) return t.skip(missing);
  const server = await openRealServer(t, "ours", [], {}, prepare);
  const list = "/skServer/plugins";
  const question = (answer: Answer) =>
    entryOf(answer, "remora")?.schema.properties.bundles?.properties.answers;
  const asked = question(await until(server, list, (answer) => question(answer) !== undefined));
  const [key = ""] = Object.keys(asked.properties);
  assert.equal(asked.properties[key].title, "watch 1.0.0, unsigned");
  const configuration = { bundles: { trust: "unsigned", answers: { [key]: "give" } } };
  const saved = await server.request(`${list}/remora/config`, "POST", { enabled: true, configuration });
  assert.equal(saved.status, 200);
  const isShown = (answer: Answer) => {
    const entry = entryOf(answer, "watch");
    return entry?.state === "running" && entry.data.enabled === true && entry.statusMessage === "Watching";
  };
  const { schema, data, ...entry } = entryOf(await until(server, list, isShown), "watch");
  assert.deepEqual(entry, {
    id: "watch",
    name: "Watch",
    packageName: "watch",
    keywords: ["signalk-webapp"],
    version: "1.0.0",
    description: "For a test",
    statusMessage: "Watching",
    state: "running",
    type: "wasm",
    bundled: false,
  });
  assert.deepEqual([schema, data], [{}, { enabled: true, enableDebug: false }]);
  const said = await server.request("/signalk/v1/api/vessels/self/said");
  assert.deepEqual([said.body.value, said.body.$source], ["hello", "watch"]);
  const put = await server.request("/signalk/v1/api/vessels/self/steering/rudder", "PUT", { value: 1 });
  assert.deepEqual([put.status, put.body.state], [200, "COMPLETED"]);
  assert.equal((await server.request("/plugins/watch/said")).body, "hello");
  assert.equal((await server.request("/plugins/watch/index.html")).body, "page");
  const webapps = await server.request("/skServer/webapps");
  assert.ok(webapps.body.some(({ name }: { name: string }) => name === "watch"));
  assert.equal((await server.request("/watch/index.html")).body, "page");
  await server.request(`${list}/watch/config`, "POST", { enabled: false });
  const isOff = (answer: Answer) => entryOf(answer, "watch")?.data.enabled === false;
  assert.equal(entryOf(await until(server, list, isOff), "watch").state, "stopped");
  assert.equal((await server.request("/plugins/watch/said")).status, 404);
});
