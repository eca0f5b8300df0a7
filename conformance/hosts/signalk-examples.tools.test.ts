/**
 * The example plugins of the real signalk-server, unmodified, on the small host and inside of signalk-server: with the
 * answers that their own documentation promises. Needs its repository, npm's registry, and for one of them Rust's.
 */

import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { examplePlugin, removeExamples } from "./example-plugins.ts";
import { type Form, openRealServer, type RealServer, until, whyNoServer } from "./real-server.ts";
import { openWeatherService, type WeatherService } from "./weather-service.ts";

after(removeExamples);

const names = [
  "example-hello-assemblyscript",
  "example-routes-waypoints",
  "example-anchor-watch-rust",
  "example-weather-plugin",
  "example-weather-provider",
] as const;
type Name = (typeof names)[number];

const place = { apiKey: "key", latitude: 60.17, longitude: 24.94 };
const configurations: Readonly<Partial<Record<Name, object>>> = {
  "example-anchor-watch-rust": { maxRadius: 50 },
  "example-weather-plugin": place,
  "example-weather-provider": place,
};

interface Boat {
  readonly server: RealServer;
  readonly service: WeatherService;
  /** Undefined, and the test skipped with the reason, where the plugin cannot be had. */
  has(t: TestContext, name: Name): boolean;
}

/** A server on which all of them run that can be had; undefined, with the reason, when it cannot be had itself. */
async function boat(t: TestContext, form: Form): Promise<Boat | undefined> {
  const service = await openWeatherService(t);
  const missing = service === undefined ? "no openssl to make a certificate with" : undefined;
  // The small one reads instruments with the decoders that come with it.
  const noServer = await whyNoServer();
  if (service === undefined || noServer !== undefined) {
    t.skip(missing ?? noServer);
    return undefined;
  }
  const plugins = names.flatMap((name) => {
    const example = examplePlugin(name);
    return "folder" in example
      ? [{ folder: example.folder, configuration: { ...configurations[name] } }]
      : [];
  });
  const server = await openRealServer(t, form, plugins, service.environment);
  const listed = (body: readonly { type?: string; state: string }[]) =>
    body.filter(({ type, state }) => type === "wasm" && state === "running");
  const { body } = await until(
    server,
    "/skServer/plugins",
    (answer) => listed(answer.body).length === plugins.length,
  );
  assert.equal(listed(body).length, plugins.length, JSON.stringify(body));
  return {
    server,
    service,
    has(inner, name) {
      const example = examplePlugin(name);
      if ("missing" in example) inner.skip(example.missing);
      return "folder" in example;
    },
  };
}

function idOf(name: Name): string {
  return `_signalk_${name}`;
}

const self = "/signalk/v1/api/vessels/self";

for (const [where, form] of [
  ["on the small host", "small"],
  ["inside of signalk-server", "ours"],
] as const) {
  test(`the examples of signalk-server, ${where}, answer as they are documented`, async (t) => {
    const found = await boat(t, form);
    if (found === undefined) return;
    await ask(t, found);
  });
}

async function ask(t: TestContext, { server, service, has }: Boat): Promise<void> {
  await t.test(
    "hello: it greets with a notification, and serves endpoints that it does not declare",
    async (t) => {
      const name = "example-hello-assemblyscript";
      if (!has(t, name)) return;
      const { body } = await server.request(`${self}/notifications/hello`);
      assert.equal(body.$source, idOf(name));
      assert.equal(body.value.message, "Hello from AssemblyScript!");
      const info = await server.request(`/plugins/${idOf(name)}/api/info`);
      assert.deepEqual(info.body, {
        pluginName: "Hello AssemblyScript Plugin",
        language: "AssemblyScript",
        version: "0.1.0",
        message: "Hello from WASM!",
        capabilities: ["delta", "notifications", "http-endpoints"],
      });
      const status = await server.request(`/plugins/${idOf(name)}/api/status`);
      assert.deepEqual(status.body, { status: "running", uptime: "N/A", memory: "sandboxed" });
    },
  );

  await t.test(
    "routes and waypoints: what it has is listed, what is put is there, until it is deleted",
    async (t) => {
      const name = "example-routes-waypoints";
      if (!has(t, name)) return;
      const base = "/signalk/v2/api/resources/waypoints";
      const marina = `${base}/a1b2c3d4-0001-4000-8000-000000000001`;
      const listed = await server.request(base);
      assert.equal(listed.body["a1b2c3d4-0001-4000-8000-000000000001"].name, "Helsinki Marina");
      assert.equal((await server.request(marina)).body.name, "Helsinki Marina");
      const route = "/signalk/v2/api/resources/routes/b2c3d4e5-0001-4000-8000-000000000001";
      assert.equal((await server.request(route)).status, 200);
      const made = await server.request(`${base}?provider=${idOf(name)}`, "POST", waypoint);
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.equal((await server.request(`${base}/${made.body.id}`)).body.name, waypoint.name);
      assert.equal((await server.request(marina, "DELETE")).status, 200);
      assert.equal((await server.request(marina)).status, 404);
    },
  );

  await t.test("the anchor watch in Rust: commands are COMPLETED, 200, and its endpoints know", async (t) => {
    const name = "example-anchor-watch-rust";
    if (!has(t, name)) return;
    const radius = `${self}/navigation/anchor/maxRadius`;
    const api = `/plugins/${idOf(name)}/api`;
    for (const [value, source] of [
      [75, undefined],
      [80, "@signalk/example-anchor-watch-rust"],
      [85, idOf(name)],
    ] as const) {
      const { status, body } = await server.request(radius, "PUT", { value, source });
      assert.deepEqual([status, body.state, body.statusCode], [200, "COMPLETED", 200], JSON.stringify(body));
      assert.equal((await server.request(`${api}/status`)).body.maxRadius, value);
      assert.equal((await server.request(body.href)).body.state, "COMPLETED");
    }
    const position = { latitude: 52.1234, longitude: 4.5678 };
    assert.equal(
      (await server.request(`${self}/navigation/anchor/position`, "PUT", { value: position })).status,
      200,
    );
    const status = { running: true, alarmActive: false, position, maxRadius: 85, checkInterval: 10 };
    assert.deepEqual((await server.request(`${api}/status`)).body, status);
    assert.deepEqual((await server.request(`${api}/position`)).body, { ...position, maxRadius: 85 });
    const dropped = await server.request(`${api}/drop`, "POST", { ...position, maxRadius: 60 });
    assert.deepEqual(dropped.body, { success: true, message: "Anchor dropped", position, maxRadius: 60 });
    assert.equal((await server.request(`${self}/navigation/anchor/state/value`)).body, "on");
  });

  await t.test(
    "the weather plugin: it fetches, emits what it found, and keeps it as a resource",
    async (t) => {
      const name = "example-weather-plugin";
      if (!has(t, name)) return;
      assert.match(service.asked.join("\n"), /^\/data\/2\.5\/weather\?lat=60\.17&lon=24\.94&appid=key$/m);
      const temperatures = await server.request(`${self}/environment/outside/temperature/values`);
      assert.equal(temperatures.body[idOf(name)].value, 2, "in degrees, by its own choice");
      const { body } = await server.request("/signalk/v2/api/resources/weather/current");
      assert.deepEqual([body.temperature, body.humidity, body.pressure], [2, 85, 101_300]);
    },
  );

  await t.test("the weather provider: it answers for the place that is asked for, in SI units", async (t) => {
    const name = "example-weather-provider";
    if (!has(t, name)) return;
    const weather = "/signalk/v2/api/weather";
    const [provider] = Object.values((await server.request(`${weather}/_providers`)).body);
    assert.deepEqual(provider, { name: "OpenWeatherMap WASM", isDefault: true });
    const { status, body } = await server.request(`${weather}/observations?lat=60.5&lon=24.5`);
    assert.equal(status, 200);
    assert.equal(body[0].type, "observation");
    assert.equal(body[0].outside.temperature, 275.15);
    assert.ok(service.asked.some((path) => path.includes("lat=60.5&lon=24.5")));
    for (const kind of ["daily", "point"]) {
      const forecast = await server.request(`${weather}/forecasts/${kind}?lat=60.5&lon=24.5`);
      assert.equal(forecast.body[0].type, kind, JSON.stringify(forecast.body));
    }
    assert.deepEqual((await server.request(`${weather}/warnings?lat=60.5&lon=24.5`)).body, []);
  });
}

const waypoint = {
  name: "New Waypoint",
  description: "Test waypoint",
  type: "Waypoint",
  feature: {
    type: "Feature",
    geometry: { type: "Point", coordinates: [25, 60.2] },
    properties: {},
  },
};
