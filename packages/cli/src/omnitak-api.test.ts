/** OmniTAK's plugin endpoints as its clients use them: over HTTP, on a host that runs. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { before, test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { generateKeyPair, signBundle } from "remora/bundle";
import { buildExamples, bundlePath } from "../../../examples/build.ts";
import { jwt, omnitakRig as rig } from "./testing/omnitak-rig.ts";

before(() => buildExamples());

const base = "/api/v1/plugins";

test("a plugin is listed, loaded, shown, set up, toggled, reloaded and unloaded, in OmniTAK's JSON", async (t) => {
  const { as } = await rig(t);
  const admin = as("admin");
  const listed = await admin("GET", base);
  assert.equal(listed.status, 200);
  assert.equal(listed.body.total, 1);
  assert.deepEqual(Object.keys(listed.body.plugins[0]), [
    "id",
    "name",
    "version",
    "author",
    "description",
    "capabilities",
    "binaryHash",
  ]);
  assert.deepEqual(listed.body.plugins[0].capabilities, ["filter"]);
  assert.match(listed.body.plugins[0].binaryHash, /^[0-9a-f]{64}$/);

  const load = {
    id: "add-detail",
    path: "add-detail.wasm",
    enabled: true,
    pluginType: "transformer",
    config: {},
  };
  const loaded = await admin("POST", base, load);
  assert.deepEqual(
    [loaded.status, loaded.body.id, loaded.body.capabilities],
    [201, "add-detail", ["transform"]],
  );
  const transformers = await admin("GET", `${base}?pluginType=transformer`);
  assert.deepEqual(
    transformers.body.plugins.map(({ id }: { id: string }) => id),
    ["add-detail"],
  );
  const names = async (query: string) =>
    (await admin("GET", `${base}?${query}`)).body.plugins.map(({ id }: { id: string }) => id);
  assert.deepEqual(await names("sort=name&order=desc"), ["geofence", "add-detail"]);
  assert.deepEqual(await names("sort=name"), ["add-detail", "geofence"]);
  assert.deepEqual(await names("capabilities=filter"), ["geofence"]);
  assert.deepEqual(await names("capabilities=filter,transform"), []);
  for (const query of ["sort=size", "order=up", "page=0", "page=x", "page=1&per_page=101"]) {
    assert.equal((await admin("GET", `${base}?${query}`)).body.error, "validation_error", query);
  }
  const page = await admin("GET", `${base}?page=2&perPage=1`);
  assert.deepEqual([page.body.plugins[0].id, page.body.total, page.body.totalPages], ["geofence", 2, 2]);

  const operator = as("operator");
  assert.equal((await operator("POST", `${base}/add-detail/toggle`, { enabled: false })).status, 200);
  assert.equal((await operator("GET", `${base}/add-detail/health`)).body.status, "disabled");
  assert.deepEqual(
    (await operator("GET", `${base}?enabledOnly=true`)).body.plugins.map(({ id }: { id: string }) => id),
    ["geofence"],
  );
  assert.equal((await operator("POST", `${base}/add-detail/toggle`, { enabled: true })).status, 200);
  // Loaded once more, without a word on that, it goes on as it was.
  const { enabled: _, ...again } = load;
  for (const unsaid of [again, { ...again, enabled: null }]) {
    assert.equal((await admin("POST", base, unsaid)).status, 201);
    assert.equal((await operator("GET", `${base}/add-detail/health`)).body.status, "healthy");
  }
  assert.equal((await admin("POST", `${base}/add-detail/reload`)).status, 200);
  assert.equal((await admin("POST", `${base}/reload-all`)).status, 200);
  const details = await as("reader")("GET", `${base}/add-detail`);
  assert.deepEqual(Object.keys(details.body), [
    "info",
    "enabled",
    "loadedAt",
    "executionCount",
    "errorCount",
    "avgExecutionTimeMs",
  ]);
  assert.ok(Date.parse(details.body.loadedAt) <= Date.now());
  assert.equal((await admin("DELETE", `${base}/add-detail`)).status, 204);
  assert.equal((await admin("GET", `${base}/add-detail`)).status, 404);
});

test("a plugin of the chain that is unloaded and loaded again gets the events again", async (t) => {
  const { as, play, tak } = await rig(t);
  const admin = as("admin");
  const passed = () => tak.host.stats().passed;
  play(10);
  assert.equal(passed(), 10);
  assert.equal((await admin("DELETE", `${base}/geofence`)).status, 204);
  play(10, 10);
  assert.equal(passed(), 10);
  const without = (await admin("GET", "/api/v1/health")).body;
  assert.equal(without.status, "degraded");
  assert.deepEqual(without.plugins, { total: 1, healthy: 0, degraded: 0, unhealthy: 1, disabled: 0 });
  const load = { id: "geofence", path: "geofence.wasm", enabled: true, pluginType: "filter" };
  const loaded = await admin("POST", base, load);
  assert.deepEqual([loaded.status, loaded.body.warnings], [201, []]);
  assert.equal((await admin("GET", "/api/v1/health")).body.status, "healthy");
  play(10, 20);
  assert.equal(passed(), 20);
  assert.equal((await admin("GET", `${base}/geofence`)).body.executionCount, 10);
  assert.deepEqual((await admin("GET", `${base}/geofence/health`)).body.issues, []);
});

test("a plugin that the settings do not name runs beside the chain, and its answer and health say so", async (t) => {
  const { as, play } = await rig(t);
  const admin = as("admin");
  const load = { id: "second", path: "geofence.wasm", enabled: true, pluginType: "filter" };
  const loaded = await admin("POST", base, load);
  const sentence = "it has no place in the chain and gets no events: the host's settings have to name it";
  assert.deepEqual([loaded.status, loaded.body.warnings], [201, [sentence]]);
  const { body } = await admin("GET", `${base}/second/health`);
  assert.deepEqual([body.status, body.issues], ["healthy", [sentence]]);
  play(10);
  assert.equal((await admin("GET", `${base}/second`)).body.executionCount, 0);
});

test("a plugin whose bundle is damaged stays in the list, and keeps nobody else from it or from being reloaded", async (t) => {
  const opened = await rig(t);
  const { manager } = opened.tak.host;
  const load = { id: "zulu", path: "geofence.wasm", enabled: true, pluginType: "filter" };
  assert.equal((await opened.as("admin")("POST", base, load)).status, 201);
  // It comes before the one that is whole.
  const { sha256 = "" } = manager.versions("geofence").current ?? {};
  await writeFile(join(manager.folder, "bundles", `${sha256}.bundle`), "x");
  const reloaded: string[] = [];
  manager.listen(({ kind, plugin }) => kind === "reloaded" && reloaded.push(plugin));

  const listed = await opened.as("reader")("GET", base);
  assert.deepEqual([listed.status, listed.body.total], [200, 2]);
  const [geofence, zulu] = listed.body.plugins;
  assert.deepEqual(
    [geofence.id, geofence.description, geofence.capabilities, geofence.binaryHash],
    ["geofence", "Its bundle cannot be read: manager/store-damaged", ["filter"], sha256],
  );
  assert.equal(zulu.id, "zulu");
  const damaged = await opened.as("reader")("GET", `${base}/geofence`);
  assert.deepEqual(
    [damaged.status, damaged.body.error, damaged.body.details],
    [500, "internal_error", { code: "manager/store-damaged" }],
  );
  const all = await opened.as("admin")("POST", `${base}/reload-all`);
  assert.deepEqual([all.status, all.body.details], [500, { code: "tak/not-reloaded" }]);
  assert.match(all.body.message, /^Cannot reload 1 of 2 plugins: "geofence": .*manager\/store-damaged/);
  assert.deepEqual(reloaded, ["zulu"]);

  // The file of the settings is what mends its own.
  await rm(join(manager.folder, "bundles", `${manager.versions("zulu").current?.sha256}.bundle`));
  const again = await opened.restart();
  const reader = again.as("reader");
  const after = (await reader("GET", base)).body;
  assert.deepEqual([after.total, after.plugins[1].id, after.plugins[1].capabilities], [2, "zulu", []]);
  assert.equal((await reader("GET", `${base}?type=filter`)).body.total, 1);
  const health = (await reader("GET", `${base}/zulu/health`)).body;
  assert.equal(health.status, "unhealthy");
  for (const shown of [listed, damaged, all, health]) {
    assert.ok(!JSON.stringify(shown).includes(manager.folder));
  }
});

test("a plugin is found under the id that it was loaded with, whatever it is called here", async (t) => {
  const { as } = await rig(t);
  const admin = as("admin");
  for (const id of ["UPPER", "My Plugin_1", "x".repeat(100)]) {
    const load = { id, path: "geofence.wasm", enabled: true, pluginType: "filter" };
    const loaded = await admin("POST", base, load);
    assert.deepEqual([loaded.status, loaded.body.id], [201, id]);
    const { name } = loaded.body;
    assert.match(name, /^plugin-[a-z0-9-]+$/);
    const path = `${base}/${encodeURIComponent(id)}`;
    assert.equal((await admin("GET", path)).body.info.id, id);
    assert.equal((await admin("GET", `${path}/metrics`)).body.pluginId, id);
    assert.equal((await admin("GET", `${path}/health`)).body.pluginId, id);
    assert.equal((await admin("POST", `${path}/reload`)).status, 200);
    assert.equal((await admin("GET", `${base}/${name}`)).body.info.name, name);
    assert.equal((await admin("DELETE", path)).status, 204);
    const gone = await admin("GET", path);
    assert.deepEqual([gone.status, gone.body.message.includes(id)], [404, true]);
  }
});

test("settings are an object or none, and none is what a plugin without settings takes", async (t) => {
  const { as } = await rig(t);
  const admin = as("admin");
  const load = { id: "second", path: "geofence.wasm", enabled: true, pluginType: "filter" };
  for (const config of [5, 0, true, false, "", "x", [], [1]]) {
    const answer = await admin("POST", base, { ...load, config });
    assert.deepEqual([answer.status, answer.body.error], [400, "validation_error"], JSON.stringify(config));
  }
  assert.equal((await admin("POST", base, { ...load, config: {} })).status, 201);
  const change = (config: unknown) => admin("PUT", `${base}/second/config`, { config });
  assert.equal((await change({})).status, 200);
  for (const config of [undefined, null, 5, [], { a: 1 }]) {
    const answer = await change(config);
    assert.deepEqual([answer.status, answer.body.error], [400, "validation_error"], JSON.stringify(config));
  }
});

test("a plugin whose first version waits is shown as that, and neither reloaded nor enabled", async (t) => {
  const { as, tak } = await rig(t);
  const admin = as("admin");
  const { config } = tak.host;
  // What it imports is what it asks for; nothing of it runs before somebody consents.
  const component = await parse(`(component
    (import "wasi:clocks/wall-clock@0.2.6" (instance (export "f" (func))))
    (instance $none)
    (export "omnitak:plugin/filter@0.1.0" (instance $none)))`);
  await writeFile(join(resolve(dirname(config.file), config.pluginDir), "waits.wasm"), component);
  const load = { id: "waits", path: "waits.wasm", enabled: true, pluginType: "filter" };
  assert.match((await admin("POST", base, load)).body.message, /consent/);
  const { info } = (await admin("GET", `${base}/waits`)).body;
  assert.match(info.version, /^0\.0\.0\+/);
  for (const [path, body] of [
    ["reload", undefined],
    ["toggle", { enabled: true }],
  ] as const) {
    const answer = await admin("POST", `${base}/waits/${path}`, body);
    assert.deepEqual([answer.status, answer.body.error], [409, "conflict"], path);
    assert.equal(answer.body.details.code, "tak/plugin-held");
  }
  // It can be said beforehand whether it is to run.
  assert.equal((await admin("POST", `${base}/waits/toggle`, { enabled: false })).status, 200);
  assert.equal((await admin("POST", `${base}/waits/toggle`, { enabled: true })).status, 200);
  assert.equal((await admin("POST", `${base}/reload-all`)).status, 200);
});

test("what this host cannot give is refused by name, also to an admin who gives it by hand", async (t) => {
  const { as } = await rig(t);
  const give = (grant: unknown) => as("admin")("POST", "/v1/plugins/geofence/grants", grant);
  for (const grant of [
    { capability: "net.http", origins: ["*"] },
    { capability: "fs.read", paths: ["/"] },
    { capability: "kv.store" },
  ]) {
    const { status, body } = await give(grant);
    assert.deepEqual([status, body.error], [422, "manager/denied"]);
    assert.ok(body.message.includes(grant.capability), body.message);
  }
  assert.equal((await give({ capability: "clock.read" })).status, 204);
  const [listed] = (await as("reader")("GET", base)).body.plugins;
  assert.deepEqual(listed.capabilities, ["filter"]);
});

test("metrics are measured: executions, percentiles, the last one and the last error", async (t) => {
  const { as, play } = await rig(t);
  const before = (await as("reader")("GET", `${base}/geofence/metrics`)).body;
  play(500);
  const { body } = await as("reader")("GET", `${base}/geofence/metrics`);
  assert.deepEqual(Object.keys(body), [
    "pluginId",
    "executionCount",
    "errorCount",
    "timeoutCount",
    "avgExecutionTimeMs",
    "p50ExecutionTimeMs",
    "p95ExecutionTimeMs",
    "p99ExecutionTimeMs",
    "lastExecution",
    "lastError",
  ]);
  assert.equal(body.executionCount - before.executionCount, 500);
  assert.ok(body.p50ExecutionTimeMs > 0 && body.p95ExecutionTimeMs >= body.p50ExecutionTimeMs);
  assert.ok(body.p99ExecutionTimeMs >= body.p95ExecutionTimeMs && body.avgExecutionTimeMs > 0);
  assert.ok(Math.abs(Date.now() - Date.parse(body.lastExecution)) < 60_000);
  assert.deepEqual([body.errorCount, body.timeoutCount, body.lastError], [0, 0, null]);
});

test("a call that times out is counted as such and is the last error, and health says so", async (t) => {
  const { as, play, tak } = await rig(t);
  assert.equal((await as("reader")("GET", `${base}/geofence/health`)).body.status, "healthy");
  const looping = { id: "geofence", path: "looping.bundle", enabled: true, pluginType: "filter" };
  assert.equal((await as("admin")("POST", base, looping)).status, 201);
  play(10);
  const metrics = (await as("reader")("GET", `${base}/geofence/metrics`)).body;
  assert.deepEqual([metrics.errorCount, metrics.timeoutCount], [1, 1]);
  assert.match(metrics.lastError, /fuel|deadline/);
  const health = (await as("reader")("GET", `${base}/geofence/health`)).body;
  assert.deepEqual([health.pluginId, health.status], ["geofence", "degraded"]);
  assert.equal(health.issues[0], "a call failed within the last minute");
  // It runs, and what became of its bundle is not asked.
  await rm(join(tak.host.manager.folder, "bundles"), { recursive: true });
  assert.equal((await as("reader")("GET", `${base}/geofence/health`)).body.status, "degraded");
});

test("another publisher's version is not loaded over one that runs, and health says what waits", async (t) => {
  const { as, tak } = await rig(t);
  const { manager, config } = tak.host;
  const signed = async (example: string) => {
    const by = { name: "Ada", email: "", signedAtMs: 0 };
    return signBundle(await readFile(bundlePath(example)), { key: generateKeyPair(), ...by });
  };
  await manager.install({ bytes: await signed("tak/geofence-lazy"), origin: "a test" });
  const { version } = manager.info("geofence");
  const pluginFolder = resolve(dirname(config.file), config.pluginDir);
  await writeFile(join(pluginFolder, "signed.bundle"), await signed("tak/geofence-looping"));
  const load = { id: "geofence", path: "signed.bundle", enabled: true, pluginType: "filter" };
  const answer = await as("admin")("POST", base, load);
  assert.equal(answer.status, 400);
  assert.match(answer.body.message, /waits for consent to another publisher: it is self-signed \(key /);
  assert.equal(manager.info("geofence").version, version);
  const { issues } = (await as("reader")("GET", `${base}/geofence/health`)).body;
  assert.match(
    issues.join(),
    /version 1\.1\.0 waits for consent; it is by another publisher: self-signed \(key /,
  );
});

test("each endpoint asks for the role that OmniTAK's asks for", async (t) => {
  const { as } = await rig(t);
  const table = [
    ["reader", "PUT", `${base}/geofence/config`],
    ["reader", "POST", `${base}/geofence/toggle`],
    ["operator", "POST", base],
    ["operator", "DELETE", `${base}/geofence`],
    ["operator", "POST", `${base}/geofence/reload`],
    ["operator", "POST", `${base}/reload-all`],
  ] as const;
  for (const [role, method, path] of table) {
    const { status, body } = await as(role)(method, path);
    assert.deepEqual([status, body.error], [403, "insufficient_permissions"], `${method} ${path}`);
    assert.deepEqual(Object.keys(body), ["error", "message", "details", "timestamp"]);
  }
});

test("an API key and a JSON Web Token are let in, and forged ones are not", async (t) => {
  const { as, with: withHeaders } = await rig(t);
  assert.equal((await as("reader", "x-api-key")("GET", base)).status, 200);
  assert.equal((await withHeaders({})("GET", base)).body.error, "unauthorized");
  assert.equal((await withHeaders({ "x-api-key": "omni_guess" })("GET", base)).status, 401);
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const claims = { sub: "ada", role: "Operator", exp: nowSeconds + 600 };
  const ask = (token: string) => withHeaders({ authorization: `Bearer ${token}` })("GET", base);
  assert.equal((await ask(jwt(claims))).status, 200);
  const forged = [
    jwt({ ...claims, exp: nowSeconds - 600 }),
    jwt({ ...claims, exp: undefined }),
    jwt({ ...claims, nbf: nowSeconds + 600 }),
    jwt({ ...claims, role: "root" }),
    jwt({ ...claims, role: "constructor" }),
    jwt({ ...claims, sub: "" }),
    jwt(claims, { secret: "another secret of at least 32 bytes!!" }),
    jwt(claims, { alg: "none" }),
    jwt(claims, { alg: "HS512" }),
    `${jwt(claims).split(".").slice(0, 2).join(".")}.`,
  ];
  for (const token of forged) assert.equal((await ask(token)).status, 401, token);
  const change = withHeaders({ authorization: `Bearer ${jwt(claims)}` });
  assert.equal((await change("POST", `${base}/geofence/toggle`, { enabled: true })).status, 200);
  assert.equal((await change("DELETE", `${base}/geofence`)).status, 403);
});

test("what is no file, or too large a one, is refused before it is read", async (t) => {
  const { as, tak } = await rig(t);
  const { config } = tak.host;
  const at = (name: string) => join(resolve(dirname(config.file), config.pluginDir), name);
  await mkdir(at("folder.wasm"));
  execFileSync("mkfifo", [at("pipe.wasm")]);
  await writeFile(at("large.wasm"), "");
  await truncate(at("large.wasm"), 3 * 1024 ** 3); // takes no room on the disk
  const table = [
    ["folder.wasm", /can be read: it is a folder$/],
    ["pipe.wasm", /in the plugin folder$/],
    ["large.wasm", /at most 67108864 bytes$/],
  ] as const;
  for (const [path, reason] of table) {
    const answer = await as("admin")("POST", base, { id: "x", path, pluginType: "filter" });
    assert.deepEqual([answer.status, answer.body.error], [400, "validation_error"], path);
    assert.match(answer.body.message, reason);
  }
});

test("what no route takes, and what cannot be read, is told in OmniTAK's form", async (t) => {
  const { as } = await rig(t);
  const table = [
    ["GET", "/api/v1/nothing", 404, "not_found"],
    ["GET", "/api/v1", 404, "not_found"],
    ["PUT", base, 404, "not_found"],
    ["OPTIONS", base, 404, "not_found"],
    ["GET", `${base}/%zz`, 400, "validation_error"],
    ["GET", `${base}?capabilities=filter&capabilities=transform`, 400, "validation_error"],
    ["GET", `${base}?type=filter&type=transformer`, 400, "validation_error"],
  ] as const;
  for (const [method, path, status, error] of table) {
    const answer = await as("reader")(method, path);
    assert.deepEqual([answer.status, answer.body.error], [status, error], `${method} ${path}`);
    assert.deepEqual(Object.keys(answer.body), ["error", "message", "details", "timestamp"]);
  }
});

test("a request that is not right is 400 with a code and a reason, and no path leaves the plugin folder", async (t) => {
  const { as } = await rig(t);
  const load = { id: "x", path: "geofence.wasm", enabled: true, pluginType: "filter", config: {} };
  const wrong = [
    { ...load, id: "" },
    { ...load, id: "x".repeat(101) },
    { ...load, path: "" },
    { ...load, path: "x".repeat(501) },
    { ...load, pluginType: "Filter" },
    { ...load, pluginType: "transformer" },
    { ...load, enabled: "yes" },
    { ...load, path: "../secret.wasm" },
    { ...load, path: "link.wasm" },
    { ...load, path: "/etc/passwd" },
    { ...load, path: "missing.wasm" },
    { ...load, path: "geofence.wasm\0.txt" },
    null,
    [],
  ];
  for (const body of wrong) {
    const answer = await as("admin")("POST", base, body);
    assert.deepEqual([answer.status, answer.body.error], [400, "validation_error"], JSON.stringify(body));
    assert.ok(!JSON.stringify(answer.body).includes("outside"));
  }
  const toggle = await as("operator")("POST", `${base}/geofence/toggle`, { enabled: 1 });
  assert.deepEqual([toggle.status, toggle.body.error], [400, "validation_error"]);
  const missing = await as("operator")("PUT", `${base}/nobody/config`, { config: {} });
  assert.deepEqual([missing.status, missing.body.error], [404, "not_found"]);
});
