import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultLimits } from "remora/engine";
import { parseGrant } from "remora/policy";
import { auditLog } from "remora/sandbox";
import { createMessage } from "../cot/event-decoder.ts";
import { noElevation } from "./elevation.ts";
import { openPluginStage, type PluginStage } from "./plugin-stage.ts";

const worlds = new URL("../../../../worlds/", import.meta.url);
const nested = (path: string) => {
  const text = readFileSync(new URL(path, worlds), "utf8");
  const [, name = ""] = /^package ([^;]+);$/m.exec(text) ?? [];
  return `package ${name} {\n${text.replace(/^package [^;]+;$/m, "")}\n}`;
};
const wit = `package test:test;
world clock-filter {
  import wasi:clocks/wall-clock@0.2.3;
  include omnitak:plugin/filter-plugin@0.1.0;
}
world set-up-filter {
  include omnitak:plugin/filter-plugin@0.1.0;
  export remora:plugin/settings@0.1.0;
}
package wasi:clocks@0.2.3 {
  interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }
}
${nested("tak/0.1.0/deps/omnitak-plugin/plugin.wit")}
${nested("plugin/0.1.0/settings.wit")}`;

interface Guest {
  readonly world: string;
  readonly fields: string;
  readonly evaluate: string;
}

async function build({ world, fields, evaluate }: Guest): Promise<Uint8Array> {
  const core = await parse(`(module
    ${fields}
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "omnitak:plugin/filter@0.1.0#evaluate") (param i32) (result i32) ${evaluate})
    (func (export "omnitak:plugin/filter@0.1.0#describe") (result i32) (i32.const 128))
    (func (export "omnitak:plugin/filter@0.1.0#get-metadata") (result i32) (i32.const 128)))`);
  return componentNew(await componentEmbed({ binary: core, witSource: wit, world, stringEncoding: "utf8" }));
}

/** Blocks when the clock stands before 2020, passes after. */
const clockFilter: Guest = {
  world: "clock-filter",
  fields: `(import "wasi:clocks/wall-clock@0.2.3" "now" (func $now (param i32)))`,
  evaluate: "(call $now (i32.const 64)) (i64.lt_u (i64.load (i32.const 64)) (i64.const 1577836800))",
};

/** Takes settings of two characters, `{}`, refuses others, and blocks everything until it got some. */
const setUpFilter: Guest = {
  world: "set-up-filter",
  fields: `
    (global $isReady (mut i32) (i32.const 0))
    (data (i32.const 32) "only {}")
    (func (export "remora:plugin/settings@0.1.0#configure") (param $at i32) (param $size i32) (result i32)
      (global.set $isReady (i32.eq (local.get $size) (i32.const 2)))
      (i32.store8 (i32.const 16) (i32.eqz (global.get $isReady)))
      (i32.store (i32.const 20) (i32.const 32)) (i32.store (i32.const 24) (i32.const 7))
      (i32.const 16))`,
  evaluate: "(i32.eqz (global.get $isReady))",
};

const timeMs = Date.UTC(2026, 5, 1);
const message = createMessage({ type: "a-f-G", uid: "u", lat: 52, lon: 4, timeMs, staleMs: timeMs });

async function open(guest: Guest, changes: { grants?: readonly string[]; settings?: unknown } = {}) {
  const audit = auditLog();
  const stage: PluginStage = openPluginStage({
    id: "plugin",
    kind: "filter",
    bytes: await build(guest),
    settings: changes.settings,
    onFailure: "block",
    limits: defaultLimits,
    grants: (changes.grants ?? []).map((name) => parseGrant({ capability: name }, "grants")),
    givesXml: false,
    host: { log: () => {}, nowMs: () => timeMs, elevation: noElevation, audit },
  });
  assert.ok(stage.kind === "filter");
  return { stage, audit };
}

test("what the settings do not grant is not linked, and the error names import and capability", async () => {
  await assert.rejects(open(clockFilter), (error: unknown) => {
    assert.ok(error instanceof Error && "code" in error);
    assert.equal(error.code, "policy/imports-refused");
    assert.match(error.message, /wasi:clocks\/wall-clock@0\.2\.3.*clock\.read/);
    return true;
  });
});

test("what they grant works, and leaves a line in the audit", async () => {
  const { stage, audit } = await open(clockFilter, { grants: ["clock.read"] });
  assert.equal(stage.decide(message), true);
  assert.deepEqual(
    audit.entries().map(({ plugin, capability, answer, times }) => ({ plugin, capability, answer, times })),
    [{ plugin: "plugin", capability: "clock.read", answer: "allowed", times: 1 }],
  );
  stage.close();
});

test("a plugin gets its settings before it is asked anything", async () => {
  const { stage } = await open(setUpFilter, { settings: {} });
  assert.equal(stage.decide(message), true);
  const { stage: without } = await open(setUpFilter);
  assert.equal(without.decide(message), false);
});

test("settings that a plugin refuses, or that it does not take, stop it with the reason", async () => {
  await assert.rejects(open(setUpFilter, { settings: { fence: 1 } }), /only \{\}/);
  await assert.rejects(open(clockFilter, { settings: {}, grants: ["clock.read"] }), {
    code: "tak/plugin-settings",
  });
});

test("a component of another world is refused with what it exports", async () => {
  await assert.rejects(
    async () =>
      openPluginStage({
        id: "plugin",
        kind: "transformer",
        bytes: await build({ ...setUpFilter }),
        onFailure: "block",
        limits: defaultLimits,
        grants: [],
        givesXml: false,
        host: { log: () => {}, nowMs: () => timeMs, elevation: noElevation, audit: auditLog() },
      }),
    { code: "tak/plugin-shape" },
  );
});
