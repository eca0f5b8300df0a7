import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generateKeyPair, signBundle } from "remora/bundle";
import { bundleOf } from "../../test-bundle.ts";
import { endpointFile, readEndpoint } from "./endpoint-file.ts";
import type { Mount } from "./mount.ts";
import { openAdmin } from "./open-admin.ts";
import type { Operations } from "./operations.ts";
import { remoteOperations } from "./remote-operations.ts";
import {
  adminRig,
  type Calls,
  clientOf,
  describedRig,
  expectProblem,
  guests,
  randomRequest,
  run,
  wantsRandom,
} from "./testing/admin-rig.ts";

test("a plugin is installed by upload, shown, updated, rolled back, switched, reloaded and removed", async (t) => {
  const { as, manager } = await describedRig(t);
  const admin = as("admin");
  const first = await admin("POST", "/v1/bundles", await bundleOf(guests.adds(1)));
  assert.deepEqual(
    [first.status, first.body],
    [200, { name: "adder", version: "1.0.0", from: null, held: null, publisher: null }],
  );
  const plugin = manager.get<Calls>("adder");
  assert.equal(plugin.use(run, 1), 2);

  const second = await admin("POST", "/v1/bundles", await bundleOf(guests.adds(2), { version: "1.1.0" }));
  assert.deepEqual([second.body.from, second.body.version], ["1.0.0", "1.1.0"]);
  assert.equal(plugin.use(run, 1), 3);

  const details = await as("reader")("GET", "/v1/plugins/adder");
  assert.equal(details.body.current.origin, "upload by admin");
  assert.deepEqual(
    details.body.previous.map((one: { version: string }) => one.version),
    ["1.0.0"],
  );
  assert.deepEqual([details.body.state, details.body.trust.text], ["running", "unsigned"]);

  const operator = as("operator");
  assert.equal((await operator("POST", "/v1/plugins/adder/rollback", {})).body.version, "1.0.0");
  assert.equal(plugin.use(run, 1), 2);
  for (const verb of ["reload", "disable", "enable"]) {
    assert.equal((await operator("POST", `/v1/plugins/adder/${verb}`)).status, 204, verb);
  }
  const { plugins } = (await as("reader")("GET", "/v1/plugins")).body;
  assert.deepEqual([plugins.length, plugins[0].account.reloads, plugins[0].isEnabled], [1, 1, true]);

  assert.equal((await admin("DELETE", "/v1/plugins/adder?data=true")).status, 204);
  expectProblem(await admin("GET", "/v1/plugins/adder"), 404, "manager/no-such-plugin");
});

test("a change to another publisher's version says so in its answer, and a rollback that asks nobody too", async (t) => {
  const { as } = await describedRig(t);
  const admin = as("admin");
  const signed = async (version: string) => {
    const by = { key: generateKeyPair(), name: "Ada", email: "", signedAtMs: 0 };
    return signBundle(await bundleOf(guests.adds(1), { version }), by);
  };
  await admin("POST", "/v1/bundles", await signed("1.0.0"));
  const { held } = (await admin("POST", "/v1/bundles", await signed("1.1.0"))).body;
  const accepted = await admin("POST", "/v1/consents/adder/accept", { id: held.id });
  assert.deepEqual(accepted.body.publisher, held.publisher);
  const { previous } = (await as("reader")("GET", "/v1/plugins/adder")).body;
  const { from, to } = held.publisher;
  assert.deepEqual(previous[0].publisher, { from: to, to: from, name: null });
  const rolledBack = await as("operator")("POST", "/v1/plugins/adder/rollback", {});
  assert.deepEqual(rolledBack.body, {
    name: "adder",
    version: "1.0.0",
    from: "1.1.0",
    held: null,
    publisher: { from: to, to: from, name: null },
  });
});

test("a version that fails at once was installed, and is told so", async (t) => {
  const { as, manager } = await describedRig(t, { policy: { probationMs: 60_000 } });
  const admin = as("admin");
  await admin("POST", "/v1/bundles", await bundleOf(guests.adds(1)));
  const plugin = manager.get<Calls>("adder");
  manager.listen((event) => {
    if (event.kind === "changed" && event.to === "1.1.0") plugin.use(run, 1);
  });
  const second = await admin("POST", "/v1/bundles", await bundleOf(guests.traps, { version: "1.1.0" }));
  assert.deepEqual([second.body.from, second.body.version], ["1.0.0", "1.1.0"]);
  assert.equal(manager.info("adder").version, "1.0.0");
});

test("what wants more waits for an admin's consent, item by item, and runs when it is given", async (t) => {
  const { as, manager } = await describedRig(t);
  const asked = await as("admin")(
    "POST",
    "/v1/bundles",
    await bundleOf(wantsRandom, { tables: randomRequest }),
  );
  assert.equal(asked.status, 202);
  assert.deepEqual(
    asked.body.held.items.map((item: { capability: string; why: string }) => [item.capability, item.why]),
    [["random.read", "To roll dice"]],
  );
  const { consents } = (await as("reader")("GET", "/v1/consents")).body;
  assert.equal(consents[0].plugin, "adder");
  const answer = { id: consents[0].id, items: [{ capability: "random.read", target: null }] };
  expectProblem(await as("operator")("POST", "/v1/consents/adder/accept", answer), 403, "admin/forbidden");
  assert.equal((await as("admin")("POST", "/v1/consents/adder/accept", answer)).body.version, "1.0.0");
  assert.equal(manager.get<Calls>("adder").use(run, 7), 7);
  expectProblem(
    await as("admin")("POST", "/v1/consents/adder/accept", answer),
    404,
    "manager/no-such-consent",
  );
  assert.deepEqual((await as("reader")("GET", "/v1/plugins/adder/grants")).body.grants, [
    { capability: "random.read" },
  ]);
});

test("an answer is for the version that was shown, and one that came in its place since goes on waiting", async (t) => {
  const { as, manager } = await describedRig(t);
  const admin = as("admin");
  const wants = (more: string) => bundleOf(`${wantsRandom}\n${more}`, { tables: randomRequest });
  const shown = (await admin("POST", "/v1/bundles", await wants(""))).body.held;
  // The same name, version and wishes: only what it does is other.
  const { held } = (await admin("POST", "/v1/bundles", await wants('(func (export "steal"))'))).body;
  assert.deepEqual({ ...held, id: shown.id, digest: shown.digest }, shown);
  for (const verb of ["accept", "refuse"]) {
    const path = `/v1/consents/adder/${verb}`;
    expectProblem(await admin("POST", path, { id: shown.id }), 409, "manager/held-changed");
    // Whoever names none may have seen anything, or nothing.
    expectProblem(await admin("POST", path, {}), 400, "admin/bad-request");
    expectProblem(await admin("POST", path), 400, "admin/bad-request");
  }
  assert.deepEqual([manager.info("adder").version, (await manager.held())[0]?.id], [undefined, held.id]);
  assert.equal((await admin("POST", "/v1/consents/adder/accept", { id: held.id })).body.version, "1.0.0");
});

test("a held version that is refused is forgotten", async (t) => {
  const { as } = await describedRig(t);
  const { body } = await as("admin")(
    "POST",
    "/v1/bundles",
    await bundleOf(wantsRandom, { tables: randomRequest }),
  );
  const { id } = body.held;
  assert.equal((await as("admin")("POST", "/v1/consents/adder/refuse", { id })).status, 204);
  assert.deepEqual((await as("reader")("GET", "/v1/consents")).body.consents, []);
});

test("grants are given and revoked, and what is no grant is refused", async (t) => {
  const { as } = await describedRig(t);
  const admin = as("admin");
  await admin("POST", "/v1/bundles", await bundleOf(guests.adds(1)));
  const grant = { capability: "net.http", origins: ["https://example.org"] };
  assert.equal((await admin("POST", "/v1/plugins/adder/grants", grant)).status, 204);
  assert.deepEqual((await admin("GET", "/v1/plugins/adder/grants")).body.grants, [
    { capability: "net.http", origins: ["https://example.org:443"] },
  ]);
  assert.equal((await admin("POST", "/v1/plugins/adder/grants/revoke", grant)).status, 204);
  assert.deepEqual((await admin("GET", "/v1/plugins/adder/grants")).body.grants, []);
  expectProblem(await admin("POST", "/v1/plugins/adder/grants/revoke", grant), 404, "manager/not-granted");
  expectProblem(
    await admin("POST", "/v1/plugins/adder/grants", { capability: "net.htp" }),
    422,
    "policy/unknown-capability",
  );
});

test("settings are checked against the manifest's schema, and changed while the plugin runs", async (t) => {
  const { as } = await describedRig(t);
  const tables = '[settings]\ntype = "object"\n[settings.properties.radius]\ntype = "number"\n';
  await as("admin")("POST", "/v1/bundles", await bundleOf(guests.adds(1), { tables }));
  const bad = await as("operator")("PUT", "/v1/plugins/adder/settings", { settings: { radius: "wide" } });
  expectProblem(bad, 422, "manager/settings");
  const good = await as("operator")("PUT", "/v1/plugins/adder/settings", { settings: { radius: 5 } });
  assert.equal(good.status, 204);
  assert.deepEqual((await as("reader")("GET", "/v1/plugins/adder/settings")).body, {
    settings: { radius: 5 },
  });
});

test("whatever an admin did is in the trail, with their name, and the trail verifies", async (t) => {
  const { as } = await describedRig(t);
  await as("admin")("POST", "/v1/bundles", await bundleOf(guests.adds(1)));
  await as("operator")("POST", "/v1/plugins/adder/reload");
  const { records } = (await as("operator")("GET", "/v1/audit?kind=admin.asked")).body;
  assert.deepEqual(
    records.map(({ event }: { event: Record<string, string> }) => [event.what, event.by, event.role]),
    [
      ["reload", "operator", "operator"],
      ["install", "admin", "admin"],
    ],
  );
  const verdict = (await as("operator")("GET", "/v1/audit/verify")).body;
  assert.equal(verdict.kind, "intact");
  const { seq, hash } = verdict.last;
  assert.equal((await as("operator")("GET", `/v1/audit/verify?seq=${seq}&hash=${hash}`)).body.kind, "intact");
  const forged = await as("operator")("GET", `/v1/audit/verify?seq=${seq}&hash=${"0".repeat(64)}`);
  assert.deepEqual([forged.body.kind, forged.body.problem], ["broken", "not-expected"]);
});

test("a trail whose files are removed while the program runs goes on, and what is gone is missing", async (t) => {
  const { as, folder } = await describedRig(t);
  await as("admin")("POST", "/v1/bundles", await bundleOf(guests.adds(1)));
  for (const name of readdirSync(join(folder, "audit"))) rmSync(join(folder, "audit", name));
  const verify = async () => (await as("operator")("GET", "/v1/audit/verify")).body;
  assert.deepEqual([(await verify()).kind, (await verify()).problem], ["broken", "no-head"]);
  assert.equal((await as("operator")("POST", "/v1/plugins/adder/reload")).status, 204);
  const { records } = (await as("operator")("GET", "/v1/audit?kind=admin.asked")).body;
  assert.deepEqual([records.length, records[0].event.what], [1, "reload"]);
  assert.deepEqual([(await verify()).problem, (await verify()).seq], ["missing", 1]);
});

test("metrics are Prometheus text, and health says when an enabled plugin does not run", async (t) => {
  const { as, manager } = await describedRig(t, { policy: { breaker: { failuresMax: 1 } } });
  await as("admin")("POST", "/v1/bundles", await bundleOf(guests.traps));
  assert.deepEqual((await as(undefined)("GET", "/health")).body, { status: "healthy" });
  for (let n = 0; n < 50; n++) {
    try {
      manager.get<Calls>("adder").use(run, n);
    } catch {
      // That is what it is made for.
    }
  }
  assert.deepEqual((await as(undefined)("GET", "/health")).body, { status: "degraded" });
  const metrics = await as("reader")("GET", "/metrics");
  assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.match(metrics.text, /^remora_plugin_traps_total\{plugin="adder"\} [1-9]/m);
});

test("the OpenAPI document has every route with its role's answers, and its page needs no other server", async (t) => {
  const { as } = await adminRig(t);
  const { body } = await as(undefined)("GET", "/openapi.json");
  assert.equal(body.openapi, "3.1.0");
  const paths = Object.keys(body.paths);
  for (const path of [
    "/v1/plugins",
    "/v1/plugins/{name}/rollback",
    "/v1/audit/verify",
    "/v1/events",
    "/metrics",
  ]) {
    assert.ok(paths.includes(path), path);
  }
  for (const [path, methods] of Object.entries<Record<string, { summary?: string }>>(body.paths)) {
    for (const [method, { summary }] of Object.entries(methods)) assert.ok(summary, `${method} ${path}`);
  }
  const bundle = body.paths["/v1/bundles"].post.requestBody.content;
  assert.deepEqual(Object.keys(bundle), ["application/octet-stream"], "the page can upload one");
  const page = await as(undefined)("GET", "/docs/");
  assert.equal(page.status, 200);
  const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = ""]) => file);
  assert.ok(files.length > 3);
  for (const file of files) {
    assert.ok(!/^(https?:)?\/\//.test(file), file);
    assert.equal((await as(undefined)("GET", new URL(file, "http://x/docs/").pathname)).status, 200, file);
  }
});

test("operations through the interface do and say what those on the manager do", async (t) => {
  const { folder, manager } = await describedRig(t);
  const endpoint = readEndpoint(folder);
  assert.ok(endpoint !== undefined);
  assert.equal(statSync(endpointFile(folder)).mode & 0o77, 0);
  const far: Operations = remoteOperations(endpoint);
  const change = await far.install({ bytes: await bundleOf(guests.adds(1)), origin: "./adder.bundle" });
  assert.equal(change.version, "1.0.0");
  assert.equal((await far.details("adder")).current?.origin, "./adder.bundle (upload by local)");
  assert.deepEqual(
    (await far.list()).map(({ name }) => name),
    ["adder"],
  );
  await far.disable("adder");
  assert.equal(manager.info("adder").isEnabled, false);
  await assert.rejects(far.details("addr"), { code: "manager/no-such-plugin", fault: "operator" });
  assert.equal((await far.verifyAudit()).kind, "intact");
  await far.remove("adder", { data: false });
  assert.deepEqual(await far.list(), []);
});

test("where an upload says that it comes from is shown bounded, printable, and with who said it", async (t) => {
  const { folder, manager } = await describedRig(t);
  const far: Operations = remoteOperations(readEndpoint(folder) ?? { address: "", token: "" });
  const said = `a & b?\u001b[2J\u202e(upload by admin)${"é".repeat(5_000)}`;
  await far.install({ bytes: await bundleOf(guests.adds(1)), origin: said });
  const origin = manager.versions("adder").current?.origin ?? "";
  assert.match(origin, /^a & b\?\\u\{1b\}\[2J\\u\{202e\}\(upload by admin\)é+ \(upload by local\)$/);
  assert.ok(origin.length < 600);
});

test("a bundle is installed through the interface without being run when that is asked", async (t) => {
  const { folder, manager, as } = await describedRig(t);
  const far: Operations = remoteOperations(readEndpoint(folder) ?? { address: "", token: "" });
  const bytes = await bundleOf(guests.adds(1));
  await far.install({ bytes, origin: "a test" }, { isEnabled: false });
  assert.deepEqual([manager.info("adder").isEnabled, manager.get("adder").serving], [false, undefined]);
  assert.equal((await as("admin")("POST", "/v1/bundles?isEnabled=maybe", bytes)).status, 400);
});

test("who follows hears what happens, in order, and the accounts of all plugins", async (t) => {
  const { folder, manager } = await describedRig(t);
  const far = remoteOperations(readEndpoint(folder) ?? { address: "", token: "" });
  const stop = new AbortController();
  const heard: string[] = [];
  const done = (async () => {
    for await (const { kind, plugin } of far.follow({ metrics: true, signal: stop.signal }) as AsyncIterable<{
      kind: string;
      plugin: string;
    }>) {
      heard.push(kind === "metrics" ? kind : `${kind} ${plugin}`);
      if (kind === "metrics" && heard.length === 1) {
        void manager.install({ bytes: await bundleOf(guests.adds(1)), origin: "a test" });
      }
      if (kind === "changed") stop.abort();
    }
  })();
  await done;
  assert.equal(heard[0], "metrics");
  assert.equal(heard.at(-1), "changed adder");
});

test("an interface that is mounted has its own paths and errors, and the same tokens and audit", async (t) => {
  const mount: Mount = {
    name: "other",
    prefix: "/api/other",
    routes: [
      {
        method: "POST",
        path: "/api/other/:id",
        role: "operator",
        audit: "do other",
        summary: "Does it",
        schema: {
          query: { type: "object", properties: { fast: { type: "boolean" } } },
          body: { type: "object", properties: { a: { type: "integer" } } },
          answers: { 201: { schema: { type: "object", properties: { id: { type: "string" }, body: {} } } } },
        },
        handle: async ({ params, body }) => ({ status: 201, body: { id: params.id, body: body ?? null } }),
      },
      {
        method: "DELETE",
        path: "/api/other/:id/plugin",
        role: "admin",
        audit: "remove",
        plugin: ({ id = "" }) => `plugin-${id}`,
        summary: "Removes it",
        schema: {
          query: { type: "object", properties: { now: { type: "string" } } },
          answers: { 204: {} },
        },
        handle: async () => ({ status: 204 }),
      },
    ],
    problemSchema: { type: "object", properties: { wrong: { type: "string" } }, required: ["wrong"] },
    problem: (status, { code }) => ({ status, body: { wrong: code } }),
  };
  const { as } = await describedRig(t, { mounts: [mount] });
  const answer = await as("operator")("POST", "/api/other/7", { a: 1 });
  assert.deepEqual([answer.status, answer.body], [201, { id: "7", body: { a: 1 } }]);
  for (const [method, path, status, code] of [
    ["GET", "/api/other/7/nothing", 404, "admin/no-route"],
    ["PUT", "/api/other/7", 404, "admin/no-route"],
    ["POST", "/api/other/%zz", 400, "admin/bad-request"],
    ["POST", "/api/other/7?a=1&a=2", 400, "admin/bad-request"],
  ] as const) {
    const wrong = await as("operator")(method, path);
    assert.deepEqual([wrong.status, wrong.body], [status, { wrong: code }], path);
  }
  const own = await as("operator")("GET", "/v1/%zz");
  assert.deepEqual([own.status, own.body.error], [400, "admin/bad-request"]);
  assert.equal((await as("operator")("GET", "/api/others")).body.error, "admin/no-route");
  const refused = await as("reader")("POST", "/api/other/7");
  assert.deepEqual([refused.status, refused.body], [403, { wrong: "admin/forbidden" }]);
  await as("admin")("DELETE", "/api/other/7/plugin?now=yes");
  const { records } = (await as("operator")("GET", "/v1/audit?kind=admin.asked")).body;
  assert.deepEqual(
    records.map(({ event }: { event: Record<string, string> }) => [event.what, event.path, event.plugin]),
    [
      ["remove", "/api/other/7/plugin", "plugin-7"],
      ["do other", "/api/other/7", undefined],
      ["do other", "/api/other/7", undefined],
    ],
  );
  const document = (await adminRig(t, { mounts: [mount] })).as(undefined)("GET", "/openapi.json");
  const { parameters, requestBody, responses } = (await document).body.paths["/api/other/{id}"].post;
  assert.deepEqual(
    parameters.map((one: Record<string, string>) => [one.in, one.name]),
    [
      ["query", "fast"],
      ["path", "id"],
    ],
  );
  assert.equal(requestBody.required, false);
  assert.deepEqual(Object.keys(responses), ["201", "4XX", "5XX"]);
});

test("a closed interface leaves no file behind, and ends its streams", async (t) => {
  const { admin, folder, tokens } = await describedRig(t);
  const response = await fetch(`${admin.address}/v1/events`, {
    headers: { authorization: `Bearer ${tokens.reader}` },
  });
  const reader = response.body?.getReader();
  assert.ok(reader !== undefined && (await reader.read()).value !== undefined);
  await admin.close();
  assert.equal(readEndpoint(folder), undefined);
  for (;;) if ((await reader.read()).done) break;
  await assert.rejects(clientOf(admin.address, tokens.reader)("GET", "/v1/plugins"));
});

test("an interface whose address cannot be written down listens no more", async (t) => {
  const { manager, admin, folder, port } = await describedRig(t);
  await admin.close();
  const options = { manager, port, log: () => {}, nowMs: Date.now };
  mkdirSync(endpointFile(folder)); // where the file has to go
  await assert.rejects(openAdmin(options));
  rmdirSync(endpointFile(folder));
  const again = await openAdmin(options);
  await again.close();
});
