/** A component that keeps a sum, and hands it over by the interfaces of `remora:plugin`. */

import { readFileSync } from "node:fs";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { bundleOf, type PluginText } from "./rig.test.ts";

const wit = ["health", "state", "settings"]
  .map((name) => {
    const folder = new URL("../../../../../worlds/plugin/0.1.0/", import.meta.url);
    return readFileSync(new URL(`${name}.wit`, folder), "utf8").replace(/^package .*;$/m, "");
  })
  .join("");

export async function summingComponent(): Promise<Uint8Array> {
  const core = await parse(`(module
    (memory (export "memory") 1)
    (global $sum (mut i32) (i32.const 0))
    (data (i32.const 128) "too large")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "remora:plugin/test@0.1.0#add") (param i32) (result i32)
      (global.set $sum (i32.add (global.get $sum) (local.get 0))) (global.get $sum))
    (func (export "remora:plugin/health@0.1.0#check") (result i32) (i32.const 16))
    (func (export "remora:plugin/state@0.1.0#save-state") (result i32)
      (i32.store (i32.const 64) (global.get $sum))
      (i32.store (i32.const 32) (i32.const 64)) (i32.store (i32.const 36) (i32.const 4)) (i32.const 32))
    (func (export "remora:plugin/state@0.1.0#restore-state") (param $at i32) (param $size i32) (result i32)
      (global.set $sum (i32.load (local.get $at)))
      (i32.store8 (i32.const 48) (i32.gt_u (global.get $sum) (i32.const 1000000)))
      (i32.store (i32.const 52) (i32.const 128)) (i32.store (i32.const 56) (i32.const 9)) (i32.const 48)))`);
  const witSource = `package test:test; world plugin {
    export remora:plugin/test@0.1.0; export remora:plugin/health@0.1.0; export remora:plugin/state@0.1.0;
  }
  package remora:plugin@0.1.0 { interface test { add: func(value: s32) -> s32; } ${wit} }`;
  const embedded = { binary: core, witSource, world: "plugin", stringEncoding: "utf8" } as const;
  return componentNew(await componentEmbed(embedded));
}

/** As `openArtifact` and a bundle take it: the same, with settings to begin from, which asks its host at every turn. */
export async function askingComponent(): Promise<Uint8Array> {
  const core = await parse(`(module
    (import "test:test/host" "ask" (func $ask (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $sum (mut i32) (i32.const 0))
    (data (i32.const 128) "as asked")
    (func $answer (param $question i32) (result i32)
      (i32.store8 (i32.const 16) (i32.ne (call $ask (local.get $question)) (i32.const 0)))
      (i32.store (i32.const 20) (i32.const 128)) (i32.store (i32.const 24) (i32.const 8)) (i32.const 16))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "remora:plugin/test@0.1.0#add") (param i32) (result i32)
      (drop (call $ask (i32.const 0)))
      (global.set $sum (i32.add (global.get $sum) (local.get 0))) (global.get $sum))
    (func (export "remora:plugin/health@0.1.0#check") (result i32) (call $answer (i32.const 1)))
    (func (export "remora:plugin/state@0.1.0#save-state") (result i32)
      (drop (call $ask (i32.const 2)))
      (i32.store (i32.const 64) (global.get $sum))
      (i32.store (i32.const 32) (i32.const 64)) (i32.store (i32.const 36) (i32.const 4)) (i32.const 32))
    (func (export "remora:plugin/state@0.1.0#restore-state") (param $at i32) (param $size i32) (result i32)
      (global.set $sum (i32.load (local.get $at))) (call $answer (i32.const 3)))
    (func (export "remora:plugin/settings@0.1.0#configure") (param $at i32) (param $size i32) (result i32)
      (global.set $sum (local.get $size)) (call $answer (i32.const 4))))`);
  const witSource = `package test:test;
  interface host { ask: func(question: s32) -> s32; }
  world plugin {
    import host; export remora:plugin/test@0.1.0;
    export remora:plugin/health@0.1.0; export remora:plugin/state@0.1.0; export remora:plugin/settings@0.1.0;
  }
  package remora:plugin@0.1.0 { interface test { add: func(value: s32) -> s32; } ${wit} }`;
  const embedded = { binary: core, witSource, world: "plugin", stringEncoding: "utf8" } as const;
  return componentNew(await componentEmbed(embedded));
}

/** Its `run` gives a number, and then does what the text says: until a guest has ended it may do something behind its result. */
export async function goingOnComponent(answer: number, behind = ""): Promise<Uint8Array> {
  const binary = await parse(`(module
    (import "[export]test:test/talk" "[task-return]run" (func $return (param i32)))
    (memory (export "memory") 1)
    (func (export "[async-lift]test:test/talk#run") (result i32)
      (call $return (i32.const ${answer})) (i32.const 1))
    (func (export "[callback][async-lift]test:test/talk#run") (param i32 i32 i32) (result i32)
      ${behind} (i32.const 0)))`);
  const witSource =
    "package test:test; interface talk { run: async func() -> u32; } world plugin { export talk; }";
  const embedded = { binary, witSource, world: "plugin", stringEncoding: "utf8" } as const;
  return componentNew(await componentEmbed(embedded));
}

export async function componentOf(text: PluginText): Promise<Uint8Array> {
  return bundleOf(await summingComponent(), text);
}
