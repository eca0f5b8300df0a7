/** A plugin that hangs in its start, after it has offered something: whoever asks it is not kept waiting for it. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { type Boat, boatWith } from "../testing/boats.ts";
import { boatWithBundles, bundleOf, turn, until } from "../testing/bundles.ts";
import { fetchingPlugin } from "../testing/fetching-plugin.ts";
import { startWaitMsMax } from "./turns.ts";

const place = 2_048;
const texts = ["anchorages", "weather", "vessels.self", "steering.rudder"] as const;

/** Offers resources, weather and a command, and waits for an answer that never comes. */
async function hangingPlugin(t: TestContext): Promise<Uint8Array> {
  const silent = createServer((socket) => void t.after(() => socket.destroy()));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo; // of a server on a port
  const [kind = "", weather = "", self = "", path = ""] = texts.map(
    (text, index) => `(i32.const ${place + 64 * index}) (i32.const ${text.length})`,
  );
  const data = texts.map((text, index) => `(data (i32.const ${place + 64 * index}) "${text}")`);
  const two = "(param i32 i32) (result i32)";
  return fetchingPlugin(`http://127.0.0.1:${port}/`, {
    fields: `(import "env" "sk_register_resource_provider" (func $resources ${two}))
      (import "env" "sk_register_weather_provider" (func $weather ${two}))
      (import "env" "sk_register_put_handler" (func $put (param i32 i32 i32 i32) (result i32)))
      ${data.join(" ")}`,
    start: `(drop (call $resources ${kind})) (drop (call $weather ${weather})) (drop (call $put ${self} ${path}))`,
  });
}

const asked: readonly (readonly [path: string, init?: { method: string; body: unknown }])[] = [
  ["/signalk/v2/api/resources/anchorages"],
  ["/signalk/v2/api/resources/anchorages/one"],
  ["/signalk/v2/api/weather/observations?lat=52&lon=4"],
  ["/plugins/hangs/page"],
  ["/signalk/v1/api/vessels/self/steering/rudder", { method: "PUT", body: { value: 1 } }],
];

/** All of them at once; the clock goes on when all of them wait. */
async function assertUnavailable(boat: Boat): Promise<void> {
  const before = boat.clock.waitingCount;
  const answers = asked.map(([path, init]) => boat.fetch(path, init));
  await until(() => boat.clock.waitingCount >= before + asked.length);
  boat.clock.move(startWaitMsMax);
  for (const answer of answers) {
    const { status, json } = await answer;
    assert.equal(status, 503);
    assert.ok(json.code === "signalk/no-turn" || /not yet started, for 3 s/.test(json.message));
  }
}

const capabilities = { network: true, resourceProvider: true, weatherProvider: true, putHandlers: true };
const networkAddresses = ["127.0.0.1"];

test("a package that hangs in its start: resources, weather, pages and commands are 503 after three seconds", async (t) => {
  const guest = await hangingPlugin(t);
  const boat = await boatWith(t, [{ name: "hangs", guest, capabilities }], { plugins: { networkAddresses } });
  await until(() => boat.server.weather.find() !== undefined);
  assert.equal(boat.plugins.get("hangs")?.state, "starting");
  await assertUnavailable(boat);
  assert.equal(
    (await boat.fetch("/plugins/hangs", {})).status,
    200,
    "what the host itself knows is told at once",
  );
});

test("a bundle that hangs in its start: the same", async (t) => {
  const policy = { plugins: { hangs: { sandbox: { network: { addresses: networkAddresses } } } } };
  const boat = await boatWithBundles(t, { policy });
  const world = "signalk:core/assemblyscript@0.1.0";
  const needs = ["control.put", "provider.register", "http.serve", "net.http"];
  await boat.bundles.manager.install(
    await bundleOf({ guest: await hangingPlugin(t), name: "hangs", world, capabilities: needs }),
  );
  await until(() => boat.server.weather.find() !== undefined);
  assert.equal(boat.bundles.get("hangs")?.state, "starting");
  await assertUnavailable(boat);
});

test("one that is stopped while it hangs answers nobody any more", async (t) => {
  const guest = await hangingPlugin(t);
  const boat = await boatWith(t, [{ name: "hangs", guest, capabilities }], { plugins: { networkAddresses } });
  await until(() => boat.server.weather.find() !== undefined);
  const before = boat.clock.waitingCount;
  const page = boat.fetch("/plugins/hangs/page");
  await until(() => boat.clock.waitingCount > before);
  await boat.plugins.get("hangs")?.stop();
  assert.equal((await page).json.code, "signalk/not-running");
  await turn();
  assert.equal((await boat.fetch("/plugins/hangs/page")).status, 404);
});
