/** The example plugins for Signal K, on the host that they are for. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { pluginHost, processorClock, type RunSignalkOptions, runSignalk } from "@remora/signalk";
import { generateTypes, selectWorld } from "remora/component";
import { giveAll } from "remora/manager";
import { readWit } from "../../sdk/wit-source.ts";
import { buildSignalkExamples, builtBundles, bundlePath, isBuilt } from "./build.ts";

before(() => buildSignalkExamples());

async function boat(t: TestContext, configuration = {}, options: Partial<RunSignalkOptions> = {}) {
  const dataFolder = await mkdtemp(join(tmpdir(), "remora-signalk-"));
  const host = await runSignalk({
    dataFolder,
    modulesFolders: [import.meta.dirname],
    port: 0,
    log: () => {},
    settingsDefault: { enabled: true, enableDebug: false, configuration },
    // Other tests on the machine are not the plugins' fault.
    plugins: { guestClock: processorClock(() => process.threadCpuUsage()) },
    ...options,
  });
  t.after(async () => {
    await host.close();
    await rm(dataFolder, { recursive: true, force: true });
  });
  const say = (path: string, value: unknown) =>
    host.server.input({ updates: [{ values: [{ path, value }] }] }, "test");
  const value = (path: string) => host.server.model.leaf("vessels.self", path)?.value;
  const request = async (path: string, method = "GET", body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${host.http.port}${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      }),
    });
    return { status: response.status, json: await response.json().catch(() => undefined) };
  };
  return { ...host, say, value, request };
}

test("the depth alarm rings below the depth that was set, and is silent again half a metre above it", async (t) => {
  const { say, value, request } = await boat(t, { minMetres: 2.5 });
  const depth = "environment.depth.belowTransducer";
  const stateAfter = async (path: string, metres: number) => {
    say(path, metres);
    // A delta may reach the plugin in a later turn of the event loop, and so does a request.
    await request("/signalk");
    return (value(`notifications.${depth}`) as { state?: string } | undefined)?.state;
  };
  assert.equal(await stateAfter(depth, 4), undefined);
  assert.equal(await stateAfter("navigation.speedOverGround", 1), undefined);
  assert.equal(await stateAfter(depth, 2.4), "alarm");
  assert.equal(await stateAfter(depth, 2.8), "alarm");
  assert.equal(await stateAfter(depth, 3), "normal");
});

test("the true wind is derived by a component, beside plugins that are core modules", async (t) => {
  if (!isBuilt("true-wind")) {
    t.diagnostic("left out: componentize-qjs cannot be had");
    return;
  }
  const { say, value, request, plugins } = await boat(t, { minPeriod: 0 });
  assert.equal(plugins.get("depth-alarm")?.state, "running");
  assert.equal(plugins.get("true-wind")?.statusMessage, "Waiting for wind and log");
  say("environment.wind.speedApparent", 10);
  say("environment.wind.angleApparent", Math.PI / 2);
  say("navigation.headingTrue", 1);
  say("navigation.speedThroughWater", 5);
  await request("/signalk");
  const near = (path: string, expected: number) =>
    assert.ok(Math.abs(Number(value(`environment.wind.${path}`)) - expected) < 1e-9, path);
  near("speedTrue", Math.hypot(5, 10));
  near("angleTrueWater", Math.atan2(10, -5));
  assert.equal(plugins.get("true-wind")?.statusMessage, "Deriving the true wind");
});

test("a component that says why it cannot start is shown with that reason", async (t) => {
  if (!isBuilt("true-wind")) {
    t.diagnostic("left out: componentize-qjs cannot be had");
    return;
  }
  const { plugins } = await boat(t, { minPeriod: -1 });
  assert.equal(plugins.get("true-wind")?.state, "error");
  assert.match(plugins.get("true-wind")?.statusMessage ?? "", /minPeriod is not a time/);
});

test("as bundles they do the same, and no more than they ask for", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "remora-signalk-"));
  const bundles = { folder, policy: { trust: "unsigned" }, asker: giveAll } as const;
  const { say, value, request, bundles: opened } = await boat(t, {}, { modulesFolders: [], bundles });
  // Behind the host's own end, which `boat` has asked for: until then it may be writing there.
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const path of builtBundles()) await opened?.manager.install(path);
  while (opened?.all().some(({ state }) => state === "starting")) await request("/signalk");
  const alarming = opened?.get("depth-alarm");
  assert.deepEqual([alarming?.state, alarming?.statusMessage], ["running", "Watching for less than 3.0 m"]);
  say("environment.depth.belowTransducer", 2);
  say("environment.wind.speedApparent", 10);
  say("environment.wind.angleApparent", Math.PI / 2);
  say("navigation.speedThroughWater", 5);
  await request("/signalk");
  const alarm = value("notifications.environment.depth.belowTransducer") as { state?: string } | undefined;
  assert.equal(alarm?.state, "alarm");
  if (builtBundles().includes(bundlePath("true-wind"))) {
    assert.equal(value("environment.wind.speedTrue"), Math.hypot(5, 10));
  }
  if (builtBundles().includes(bundlePath("anchorages"))) {
    const base = "/signalk/v2/api/resources/anchorages";
    assert.equal((await request(`${base}/texel`, "PUT", { name: "Texel" })).status, 200);
  }
});

test("a bundle can be for every world that there is", async () => {
  const wit = await readFile(join(import.meta.dirname, "../../worlds/signalk/0.1.0/plugin.wit"), "utf8");
  const there = [...wit.matchAll(/^world ([a-z-]+) \{/gm)].map(([, name]) => `remora:signalk/${name}@0.1.0`);
  const served = pluginHost({ log: () => {} }).worlds.map(({ world }) => world);
  assert.deepEqual(
    served.filter((world) => world.startsWith("remora:signalk/")).toSorted(),
    there.toSorted(),
  );
});

test("the types of the world that the true wind is written with are those of the world", async () => {
  const worlds = readWit(join(import.meta.dirname, "../../worlds/signalk/0.1.0"));
  const written = await readFile(join(import.meta.dirname, "true-wind/subscribing-plugin.d.ts"), "utf8");
  assert.equal(written, generateTypes(selectWorld(worlds, "subscribing-plugin")));
});

test("anchorages are kept, listed, changed and deleted, where a C compiler has built their plugin", async (t) => {
  if (!isBuilt("anchorages")) {
    t.diagnostic("left out: there is no C compiler");
    return;
  }
  const { request } = await boat(t);
  const base = "/signalk/v2/api/resources/anchorages";
  const place = { name: "Oudeschild", latitude: 53.04, longitude: 4.85 };
  assert.equal((await request(`${base}/oudeschild`, "PUT", place)).status, 200);
  assert.deepEqual((await request(`${base}/oudeschild`)).json, place);
  const { json } = await request(base, "POST", { name: "Second" });
  assert.deepEqual((await request(base)).json, { oudeschild: place, [json.id]: { name: "Second" } });
  assert.equal((await request(`${base}/oudeschild`, "DELETE")).status, 200);
  assert.equal((await request(`${base}/oudeschild`)).status, 404);
});
