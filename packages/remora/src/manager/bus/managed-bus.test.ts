/** The bus between managed plugins, as their components see it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { packBundle } from "../../bundle/index.ts";
import type { PluginHost } from "../host.ts";
import { expectRejected, guests, manifestOf, ref, rig, settled, testHost } from "../testing/rig.test.ts";

const host: PluginHost = {
  ...testHost,
  worlds: testHost.worlds.map((world) => ({ ...world, bindIsolated: () => undefined })),
};
const wit = (name: string) =>
  readFileSync(new URL(`../../../../../worlds/plugin/0.1.0/${name}.wit`, import.meta.url), "utf8").replace(
    /^package .*;$/m,
    "",
  );
const pluginWit = wit("bus") + wit("state");

async function component(world: string, functions: string, wat: string): Promise<Uint8Array> {
  const binary = await parse(`(module ${wat} (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))`);
  const witSource = `package test:test; interface talk { ${functions} } world plugin { ${world} export talk; }
    package remora:plugin@0.1.0 { ${pluginWit} }`;
  return componentNew(await componentEmbed({ binary, witSource, world: "plugin", stringEncoding: "utf8" }));
}

function bundle(wasm: Uint8Array, text: Parameters<typeof manifestOf>[0]) {
  const files = new Map([
    ["remora.toml", new TextEncoder().encode(manifestOf(text))],
    ["plugin.wasm", wasm],
  ]);
  return { bytes: packBundle(files), origin: "a test" };
}

const grant = (capability: string) =>
  `[[capabilities]]\ncapability = "${capability}"\ntopics = ["a/*"]\nwhy = "To talk"\n`;

/** `say` publishes under `a/b`, and gives 0 when that was taken. */
const speaker = component(
  "import remora:plugin/bus@0.1.0;",
  "say: func() -> s32;",
  `(import "remora:plugin/bus@0.1.0" "publish" (func $publish (param i32 i32 i32 i32 i32)))
   (data (i32.const 16) "a/b!")
   (func (export "test:test/talk#say") (result i32)
     (call $publish (i32.const 16) (i32.const 3) (i32.const 19) (i32.const 1) (i32.const 64))
     (i32.load8_u (i32.const 64)))`,
);

/** Counts what it hears of `a/*`; `tag` is added to the count, to tell versions apart. */
const hearer = (tag: number) =>
  component(
    "export remora:plugin/bus-subscriber@0.1.0;",
    "heard: func() -> s32;",
    `(global $heard (mut i32) (i32.const ${tag}))
     (data (i32.const 16) "a/*") (data (i32.const 32) "\\10\\00\\00\\00\\03\\00\\00\\00")
     (data (i32.const 48) "\\20\\00\\00\\00\\01\\00\\00\\00")
     (func (export "remora:plugin/bus-subscriber@0.1.0#patterns") (result i32) (i32.const 48))
     (func (export "remora:plugin/bus-subscriber@0.1.0#on-event") (param i32 i32 i32 i32 i32 i32)
       (global.set $heard (i32.add (global.get $heard) (i32.const 1))))
     (func (export "test:test/talk#heard") (result i32) (global.get $heard))`,
  );

/** As `hearer`, with what else it wants to hear; `fall` traps, and so does `patterns` when it is said. */
function listener(
  patterns: readonly string[],
  options: { trapsIn?: "patterns" | "patterns once restored" } = {},
) {
  const { trapsIn } = options;
  const bytes = (...values: number[]) =>
    values.map((value) => `\\${value.toString(16).padStart(2, "0")}`).join("");
  const word = (value: number) => bytes(value & 255, value >> 8, 0, 0);
  const texts = patterns.map((text, n) => `(data (i32.const ${4096 + n * 256}) "${text}")`);
  const list = patterns.map((text, n) => word(4096 + n * 256) + word(text.length)).join("");
  const isTrap = { patterns: "(i32.const 1)", "patterns once restored": "(global.get $restored)" };
  return component(
    "export remora:plugin/bus-subscriber@0.1.0; export remora:plugin/state@0.1.0;",
    "heard: func() -> s32; fall: func();",
    `(global $heard (mut i32) (i32.const 0)) (global $restored (mut i32) (i32.const 0))
     ${texts.join("")} (data (i32.const 512) "${list}")
     (data (i32.const 48) "${word(512)}${word(patterns.length)}")
     (func (export "remora:plugin/bus-subscriber@0.1.0#patterns") (result i32)
       (if ${trapsIn === undefined ? "(i32.const 0)" : isTrap[trapsIn]} (then (unreachable))) (i32.const 48))
     (func (export "remora:plugin/bus-subscriber@0.1.0#on-event") (param i32 i32 i32 i32 i32 i32)
       (global.set $heard (i32.add (global.get $heard) (i32.const 1))))
     (func (export "remora:plugin/state@0.1.0#save-state") (result i32)
       (i32.store (i32.const 200) (i32.const 64)) (i32.store (i32.const 204) (i32.const 4)) (i32.const 200))
     (func (export "remora:plugin/state@0.1.0#restore-state") (param i32 i32) (result i32)
       (global.set $restored (i32.const 1)) (i32.store8 (i32.const 240) (i32.const 0)) (i32.const 240))
     (func (export "test:test/talk#heard") (result i32) (global.get $heard))
     (func (export "test:test/talk#fall") (unreachable))`,
  );
}

for (const isolation of ["inline", "worker"] as const) {
  test(`${isolation}: what one plugin publishes another hears, through an update too`, async (t) => {
    const { manager } = await rig(t, { hosts: [host], policy: { healthEveryMs: 0 } });
    const top = `isolation = "${isolation}"`;
    const speaks = await manager.install(
      bundle(await speaker, { name: "speaker", top, tables: grant("bus.publish") }),
    );
    const text = { name: "hearer", top, tables: grant("bus.subscribe") };
    const hears = await manager.install(bundle(await hearer(0), text));
    await settled(() => manager.bus.subscriptions.length === 1);
    assert.equal(await speaks.call(["test:test/talk", "say"]), 0);
    const heard = () => hears.call(["test:test/talk", "heard"]);
    while ((await heard()) !== 1) await new Promise((resolve) => setImmediate(resolve));
    await manager.install(bundle(await hearer(100), { ...text, version: "1.1.0" }));
    manager.bus.publish("the host", "a/c", Uint8Array.of(1));
    manager.bus.publish("the host", "other", Uint8Array.of(1));
    while ((await heard()) !== 101) await new Promise((resolve) => setImmediate(resolve));
    await manager.disable("hearer");
    assert.equal(manager.bus.subscriptions.length, 0, "who is stopped hears nothing");
  });
}

for (const isolation of ["inline", "worker"] as const) {
  const text = { name: "hearer", top: `isolation = "${isolation}"`, tables: grant("bus.subscribe") };
  const opened = async (t: TestContext) => {
    const { manager, events } = await rig(t, { hosts: [host], policy: { healthEveryMs: 0 } });
    const troubles = () => events.flatMap((event) => (event.kind === "trouble" ? [event.code] : []));
    const patterns = () => manager.bus.subscriptions.map(({ pattern }) => pattern);
    const say = () => manager.bus.publish("the host", "a/b", Uint8Array.of(1));
    /** Its last event was handed over: what it has heard by then. */
    const heard = async () => {
      await settled(() => manager.bus.subscriptions.every(({ counts: { queued } }) => queued === 0));
      return manager.get("hearer").call(["test:test/talk", "heard"]);
    };
    const fall = () => assert.rejects(manager.get("hearer").call(["test:test/talk", "fall"]));
    return { manager, troubles, patterns, say, heard, fall };
  };

  test(`${isolation}: what a guest says that is no pattern is told, and its other patterns stand`, async (t) => {
    const { manager, troubles, patterns } = await opened(t);
    const wasm = await listener(["a/b", `a/${"*b".repeat(9)}`, "a/*"]);
    await manager.install(bundle(wasm, text));
    await settled(() => patterns().length > 0);
    assert.deepEqual([patterns().at(0), patterns().at(-1)], ["a/b", "a/*"]);
    assert.deepEqual(troubles(), ["manager/bad-pattern"]);
    await manager.reload("hearer");
    await settled(() => troubles().length === 2);
    assert.equal(manager.get("hearer").state, "running");
  });

  test(`${isolation}: a plugin with all the patterns that are allowed is made anew, and one with more hears no more`, async (t) => {
    const { manager, troubles, patterns, say, heard } = await opened(t);
    const many = Array.from({ length: 64 }, (_, n) => (n === 0 ? "a/*" : `a/${n}`));
    await manager.install(bundle(await listener(many), text));
    await settled(() => patterns().length === 64);
    await manager.reload("hearer");
    say();
    await settled(() => manager.bus.subscriptions.some(({ counts }) => counts.delivered === 1));
    assert.equal(await heard(), 1);
    assert.deepEqual([patterns(), troubles()], [many, []]);
    await manager.install(bundle(await listener([...many, "a/64", "a/65"]), { ...text, version: "1.1.0" }));
    await settled(() => troubles().length > 0);
    assert.deepEqual([patterns(), troubles()], [many, ["manager/too-many-patterns"]]);
  });

  test(`${isolation}: what is taken is heard no more, though the guest does not say what it wants instead`, async (t) => {
    const { manager, troubles, patterns, say } = await opened(t);
    const wasm = await listener(["a/*"], { trapsIn: "patterns once restored" });
    const plugin = await manager.install(bundle(wasm, text));
    await settled(() => patterns().length === 1);
    const taken = manager.revoke("hearer", { capability: "bus.subscribe" });
    await settled(() => manager.grants("hearer").length === 0);
    say();
    await taken;
    assert.deepEqual(patterns(), []);
    await settled(() => troubles().length > 0);
    assert.deepEqual([plugin.state, troubles()], ["running", ["engine/unreachable"]]);
    assert.equal(await plugin.call(["test:test/talk", "heard"]), 0);
  });

  test(`${isolation}: a version that takes over again hears what it heard`, async (t) => {
    const { manager, troubles, patterns, say, heard, fall } = await opened(t);
    const plugin = await manager.install(bundle(await listener(["a/*"]), text));
    await settled(() => patterns().length === 1);
    const next = await listener(["a/*"], { trapsIn: "patterns" });
    await manager.install(bundle(next, { ...text, version: "1.1.0" }));
    await settled(() => troubles().length > 0);
    assert.deepEqual([patterns(), troubles()], [[], ["engine/unreachable"]]);
    await fall();
    assert.equal(plugin.serving?.version.version, "1.0.0");
    await settled(() => patterns().length === 1);
    say();
    await settled(() => manager.bus.subscriptions.some(({ counts }) => counts.delivered === 1));
    assert.equal(await heard(), 1);
  });

  test(`${isolation}: what is said to a broken plugin while it may not hear it does not wait until it may`, async (t) => {
    const { manager, patterns, say, heard, fall } = await opened(t);
    const plugin = await manager.install(bundle(await listener(["a/*"]), text));
    await settled(() => patterns().length === 1);
    while (plugin.state === "running") await fall();
    say();
    assert.equal(manager.bus.subscriptions[0]?.counts.queued, 1, "it waits for the next try");
    await manager.revoke("hearer", { capability: "bus.subscribe" });
    assert.deepEqual(patterns(), []);
    say();
    await manager.give("hearer", { capability: "bus.subscribe", topics: ["a/*"] });
    await settled(() => patterns().length === 1);
    say();
    await settled(() => manager.bus.subscriptions.some(({ counts }) => counts.delivered === 1));
    assert.equal(await heard(), 1);
  });
}

test("who uses the bus and does not declare it is stopped at inspection, and who declares it and does not use it", async (t) => {
  const { manager } = await rig(t, { hosts: [host] });
  const refused = (component: Uint8Array, tables = "") =>
    expectRejected(manager.install(bundle(component, { tables })), "manager/inspect", "bundle/capabilities");
  await refused(await speaker);
  await refused(await hearer(0));
  await refused(await speaker, grant("bus.publish") + grant("bus.subscribe"));
});

test("without a grant nothing is published, and nothing is heard", async (t) => {
  const { manager } = await rig(t, {
    hosts: [host],
    policy: { healthEveryMs: 0 },
    asker: async () => ({ kind: "given", items: [] }),
  });
  const speaks = await manager.install(
    bundle(await speaker, { name: "speaker", tables: grant("bus.publish") }),
  );
  assert.equal(await speaks.call(["test:test/talk", "say"]), 1, "the world's error: denied");
  await manager.install(bundle(await hearer(0), { name: "hearer", tables: grant("bus.subscribe") }));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(manager.bus.subscriptions.length, 0);
});

test("what a plugin has put into the shared state goes when it is removed", async (t) => {
  const { manager } = await rig(t);
  for (const data of [false, true]) {
    await manager.install(await ref(guests.adds(1)));
    manager.sharedState.set("adder", "position", new Uint8Array(8));
    manager.sharedState.set("other", "depth", new Uint8Array(8));
    await manager.remove("adder", { data });
    assert.equal(manager.sharedState.get("position"), undefined);
    assert.equal(manager.sharedState.get("depth")?.value.length, 8);
  }
});

test("a guest whose own world has other types in the manager's interfaces ends nothing but itself", async (t) => {
  const { manager, events } = await rig(t, { hosts: [host], policy: { healthEveryMs: 0 } });
  const odd = async (world: string, wat: string) => {
    const binary = await parse(`(module ${wat} (memory (export "memory") 1))`);
    const witSource = `package test:test; world plugin { ${world} } package remora:plugin@0.1.0 {
      interface bus-subscriber { patterns: func() -> result<u32>; }
      interface health { record error { to-string: u32, value-of: u32 } check: func() -> result<_, error>; }
    }`;
    const embedded = await componentEmbed({ binary, witSource, world: "plugin", stringEncoding: "utf8" });
    return componentNew(embedded);
  };
  const sick = await odd(
    "export remora:plugin/health@0.1.0;",
    `(func (export "remora:plugin/health@0.1.0#check") (result i32) (i32.store8 (i32.const 16) (i32.const 1))
       (i32.const 16))`,
  );
  await expectRejected(
    manager.install(bundle(sick, { name: "sick" })),
    "manager/prepare",
    "manager/unhealthy",
  );
  const deaf = await odd(
    "export remora:plugin/bus-subscriber@0.1.0;",
    `(func (export "remora:plugin/bus-subscriber@0.1.0#patterns") (result i32)
       (i32.store8 (i32.const 16) (i32.const 1)) (i32.const 16))`,
  );
  await manager.install(bundle(deaf, { name: "deaf", tables: grant("bus.subscribe") }));
  await settled(() =>
    events.some((event) => event.kind === "trouble" && event.code === "manager/no-patterns"),
  );
  assert.equal(manager.info("deaf").state, "running");
});
