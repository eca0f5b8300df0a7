import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import type { RemoraError } from "../../base/index.ts";
import { packBundle } from "../../bundle/index.ts";
import { asyncHostFunction } from "../../component/index.ts";
import type { Asker } from "../consent/asker.ts";
import type { PluginHost } from "../host.ts";
import { expectRejected, manifestOf, rig, testHost } from "../testing/rig.test.ts";
import { inTimeOf } from "./callers-time.ts";

interface Side {
  /** Of the interface's one function. */
  readonly type?: string;
  readonly wat?: string;
  readonly version?: string;
  readonly top?: string;
  readonly tables?: string;
}

const plainType = "func(value: s32) -> s32";

/** Exports `acme:geo/api`, whose `double` does what the text says. */
function geo({ type = plainType, wat = "(i32.mul (local.get 0) (i32.const 2))", ...text }: Side = {}) {
  return bundle({
    wit: `interface api { double: ${type}; }`,
    world: "export acme:geo/api@1.0.0;",
    wat: `(func (export "acme:geo/api@1.0.0#double") (param i32) (result i32) ${wat})`,
    manifest: manifestOf({ name: "geo", ...text }),
  });
}

/** Imports it, and doubles the number that it is given and one. */
function map({ type = plainType, ...text }: Side = {}) {
  return bundle({
    wit: `interface api { double: ${type}; } interface show { run: func(value: s32) -> s32; }`,
    world: "import acme:geo/api@1.0.0; export acme:geo/show@1.0.0;",
    wat: `(import "acme:geo/api@1.0.0" "double" (func $double (param i32) (result i32)))
      (func (export "acme:geo/show@1.0.0#run") (param i32) (result i32)
        (call $double (i32.add (local.get 0) (i32.const 1))))`,
    manifest: manifestOf({ name: "map", tables: '[dependencies]\ngeo = "^1.0.0"\n', ...text }),
  });
}

/** The same interface, whose `double` asks the host. */
function asking(top = "") {
  return bundle({
    wit: `interface api { double: ${plainType}; }`,
    own: "interface host { ask: func(value: s32) -> s32; }",
    world: "import host; export acme:geo/api@1.0.0;",
    wat: `(import "test:test/host" "ask" (func $ask (param i32) (result i32)))
      (func (export "acme:geo/api@1.0.0#double") (param i32) (result i32) (call $ask (local.get 0)))`,
    manifest: manifestOf({ name: "geo", top }),
  });
}

interface Parts {
  readonly wit: string;
  /** Interfaces of the world's own package. */
  readonly own?: string;
  readonly world: string;
  readonly wat: string;
  readonly manifest: string;
}

async function bundle({ own = "", ...parts }: Parts) {
  const binary = await parse(`(module ${parts.wat} (memory (export "memory") 1))`);
  const witSource = `package test:test; ${own} world plugin { ${parts.world} }
    package acme:geo@1.0.0 { ${parts.wit} }`;
  const embedded = await componentEmbed({ binary, witSource, world: "plugin", stringEncoding: "utf8" });
  const files = new Map([
    ["remora.toml", new TextEncoder().encode(parts.manifest)],
    ["plugin.wasm", await componentNew(embedded)],
  ]);
  return { bytes: packBundle(files), origin: "a test" };
}

const host: PluginHost = {
  ...testHost,
  worlds: testHost.worlds.map((world) => ({ ...world, bindIsolated: () => undefined })),
};
const show = ["acme:geo/show@1.0.0", "run"];
const policy = { healthEveryMs: 0, limits: { fuelMax: 10_000_000_000, deadlineMs: 20_000 } };

test("a plugin calls one that it needs, and goes on with its next version", async (t) => {
  const { manager, reopen } = await rig(t, { hosts: [host], policy });
  await manager.install(await geo());
  const plugin = await manager.install(await map());
  assert.equal(await plugin.call(show, [20]), 42);
  await manager.install(await geo({ version: "1.1.0", wat: "(i32.mul (local.get 0) (i32.const 200))" }));
  assert.equal(await plugin.call(show, [20]), 4_200);
  assert.ok(manager.get("geo").counts().calls >= 1, "and the call is on the account of who answers");
  const again = await reopen();
  assert.equal(await again.manager.get("map").call(show, [0]), 200);
});

test("without its need a plugin is not linked, and functions of another type are refused from both sides", async (t) => {
  const { manager } = await rig(t, { hosts: [host], policy });
  await expectRejected(manager.install(await map()), "manager/resolve", "manager/no-source");
  await manager.install(await geo({ type: "func(value: u32) -> u32" }));
  await expectRejected(manager.install(await map()), "manager/inspect", "manager/interface");
  await manager.install(await geo({ version: "1.1.0" }));
  await manager.install(await map());
  const changed = geo({ version: "1.2.0", type: "func(value: s32) -> u32" });
  await expectRejected(manager.install(await changed), "manager/inspect", "manager/interface");
  await expectRejected(manager.rollback("geo"), "manager/inspect", "manager/interface");
  assert.equal(await manager.get("map").call(show, [20]), 42);
});

test("a plugin that comes while somebody is asked for the one that it calls is not left with other types", async (t) => {
  const { manager } = await rig(t, { hosts: [host], policy });
  await manager.install(await geo());
  const tables = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "To try"\n';
  const changed = await geo({ version: "1.1.0", type: "func(value: s32) -> u32", tables });
  const asker: Asker = async ({ items }) => {
    await manager.install(await map());
    return { kind: "given", items };
  };
  await expectRejected(manager.install(changed, { asker }), "manager/inspect", "manager/interface");
  assert.equal(await manager.get("map").call(show, [20]), 42);
});

test("a failure of the other plugin is told as that, and counts against it alone", async (t) => {
  const { manager } = await rig(t, { hosts: [host], policy: { ...policy, probationMs: 0 } });
  await manager.install(await geo({ wat: "(unreachable)" }));
  const plugin = await manager.install(await map());
  for (let time = 0; time < 6; time++) await expectRejected(plugin.call(show, [1]), "manager/call-failed");
  assert.deepEqual([manager.info("geo").breaker, manager.info("map").breaker], ["open", "closed"]);
  assert.equal(manager.info("map").state, "running");
});

for (const level of ["inline", "worker", "process"]) {
  test(`${level}: the deadline of a call holds for the calls that it makes`, (t) => passesOn(t, level));
}

async function passesOn(t: TestContext, level: string) {
  const slow = { limits: { fuelMax: 1e15, deadlineMs: 20_000 } };
  const { manager } = await rig(t, {
    hosts: [host],
    policy: { healthEveryMs: 0, limitsMax: { fuelMax: 1e15 }, plugins: { geo: slow, map: slow } },
  });
  await manager.install(await geo({ wat: "(loop (br 0)) (unreachable)" }));
  const plugin = await manager.install(await map({ top: `isolation = "${level}"` }));
  const startedAt = process.threadCpuUsage();
  // The caller may spend 30 ms, and who it calls 20 seconds of its own.
  await assert.rejects(plugin.call(show, [1], { deadlineMs: 30 }), {
    code: /engine\/deadline|manager\/call-failed/,
  });
  assert.ok(process.threadCpuUsage(startedAt).user < 2_000_000);
}

for (const level of ["inline", "worker"]) {
  test(`${level}: a plugin that another one calls has no more time than its own limits give it`, async (t) => {
    const limits = { fuelMax: 1e15, deadlineMs: 30 };
    const { manager } = await rig(t, {
      hosts: [host],
      policy: { healthEveryMs: 0, limitsMax: { fuelMax: 1e15 }, plugins: { geo: { limits } } },
    });
    await manager.install(await geo({ wat: "(loop (br 0)) (unreachable)", top: `isolation = "${level}"` }));
    const plugin = await manager.install(await map());
    const call = plugin.call(show, [1], { deadlineMs: 60_000 });
    const { cause } = await expectRejected(call, "manager/call-failed");
    assert.equal(((cause as RemoraError).details as { deadlineMs: number }).deadlineMs, 30);
  });
}

test("a plugin behind a wall is called as one on the caller's thread is", async (t) => {
  const { manager } = await rig(t, { hosts: [host], policy });
  await manager.install(await geo({ top: 'isolation = "worker"' }));
  const plugin = await manager.install(await map());
  assert.equal(await plugin.call(show, [20]), 42);
  await manager.install(await map({ version: "1.1.0", top: 'isolation = "worker"' }));
  assert.equal(await plugin.call(show, [20]), 42);
});

test("a call that stands in line when its caller's time is over is not made, and its caller did nothing wrong", async (t) => {
  const begun: number[] = [];
  const done = Promise.withResolvers<number>();
  const ask = (value: number) => {
    begun.push(value);
    return done.promise;
  };
  const worlds = host.worlds.map((world) => ({
    ...world,
    hostFunctions: ["test:test/host"],
    imports: () => ({ "test:test/host": { ask: asyncHostFunction(ask) } }),
  }));
  const { manager } = await rig(t, { hosts: [{ ...host, worlds }], policy: { ...policy, probationMs: 0 } });
  const geoPlugin = await manager.install(await asking('isolation = "worker"'));
  const plugin = await manager.install(await map());
  const first = geoPlugin.call(["acme:geo/api@1.0.0", "double"], [7]);
  for (let time = 0; time < 6; time++) {
    const { fault } = await expectRejected(plugin.call(show, [1], { deadlineMs: 20 }), "manager/call-failed");
    assert.equal(fault, "platform");
  }
  assert.equal(manager.info("map").breaker, "closed");
  done.resolve(14);
  assert.equal(await first, 14);
  assert.equal(await geoPlugin.call(["acme:geo/api@1.0.0", "double"], [8]), 14);
  assert.deepEqual(begun, [7, 8]);
});

test("the time that a call has stood in line is not given to it again", async () => {
  const geo = { name: "geo", serving: undefined };
  const given = await inTimeOf({ msLeft: () => 10_000 }, geo, async (options) => {
    const { deadlineMs = 0 } = options;
    await new Promise(setImmediate);
    return deadlineMs - (options.deadlineMs ?? 0);
  });
  assert.ok(given > 0);
});

test("a plugin that waits for its host is called as one behind a wall is, and never at once", async (t) => {
  const ask = async (value: number) => value * 2;
  const worlds = host.worlds.map((world) => ({
    ...world,
    hostFunctions: ["test:test/host"],
    imports: () => ({ "test:test/host": { ask } }),
  }));
  const { manager } = await rig(t, { hosts: [{ ...host, worlds }], policy });
  const geoPlugin = await manager.install(await asking());
  const plugin = await manager.install(await map());
  assert.equal(await plugin.call(show, [20]), 42);
  assert.throws(() => geoPlugin.callNow(["acme:geo/api@1.0.0", "double"], [1]), {
    code: "manager/not-inline",
    message: /asynchronous host function/,
  });
});
