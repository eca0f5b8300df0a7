/** The bus between managed plugins, as their components see it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { packBundle } from "../../bundle/index.ts";
import type { PluginHost } from "../host.ts";
import { expectRejected, manifestOf, rig, settled, testHost } from "../testing/rig.test.ts";

const host: PluginHost = {
  ...testHost,
  worlds: testHost.worlds.map((world) => ({ ...world, bindIsolated: () => undefined })),
};
const busWit = readFileSync(new URL("../../../../../worlds/plugin/0.1.0/bus.wit", import.meta.url), "utf8");

async function component(world: string, functions: string, wat: string): Promise<Uint8Array> {
  const binary = await parse(`(module ${wat} (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))`);
  const witSource = `package test:test; interface talk { ${functions} } world plugin { ${world} export talk; }
    package remora:plugin@0.1.0 { ${busWit.replace(/^package .*;$/m, "")} }`;
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
