import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { load } from "remora";
import { runProgram } from "./program.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { fakeSystem } from "./testing/fake-system.ts";
import { emptyModule } from "./testing/modules.ts";

const wit = new TextEncoder().encode(`package a:b@1.0.0;
  interface adder { add: func(a: u32, b: u32) -> u32; }
  world small { export adder; }
  world empty { }`);

async function run(args: readonly string[], files: Readonly<Record<string, Uint8Array>>) {
  const system = fakeSystem({ files });
  const exitCode = await runProgram(["wrap", ...args], system, fakeHouse().hosts);
  return { exitCode, out: system.out.text, err: system.err.text, files: system.files };
}

test("a module whose exports have names that its language can write becomes a component of its world", async () => {
  const core = await parse(
    '(module (func (export "adder_add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))',
  );
  const files = { "core.wasm": core, "wit/world.wit": wit };
  const {
    exitCode,
    out,
    files: after,
  } = await run(["core.wasm", "--world", "small", "-o", "plugin.wasm", "--json"], files);
  assert.equal(exitCode, 0);
  const component = after.get("plugin.wasm");
  assert.ok(component !== undefined);
  assert.deepEqual(JSON.parse(out), {
    file: "plugin.wasm",
    world: "a:b/small@1.0.0",
    sizeBytes: component.length,
  });
  const adder = await load<{ adder: { add(a: number, b: number): number } }>(component);
  assert.equal(adder.exports.adder.add(2, 3), 5);
});

test("what is missing is told, and nothing is written", async () => {
  const files = { "core.wasm": emptyModule, "wit/world.wit": wit };
  const {
    exitCode,
    err,
    files: after,
  } = await run(["core.wasm", "--world", "small", "-o", "plugin.wasm"], files);
  assert.equal(exitCode, 1);
  assert.match(
    err,
    /^component\/cannot-wrap: .*\n {2}it does not export "a:b\/adder@1\.0\.0#add", \(i32 i32\) -> \(i32\)\n$/,
  );
  assert.equal(after.has("plugin.wasm"), false);
  assert.match(
    (await run(["core.wasm", "-o", "plugin.wasm"], files)).err,
    /^component\/wit-no-such-world: .*small, empty/,
  );
  assert.equal((await run(["core.wasm"], files)).exitCode, 2);
});

test("a component is not wrapped once more", async () => {
  const component = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00);
  const { exitCode, err } = await run(["core.wasm", "--world", "empty", "-o", "plugin.wasm"], {
    "core.wasm": component,
    "wit/world.wit": wit,
  });
  assert.equal(exitCode, 1);
  assert.match(err, /^wasm\/not-a-module: .*\n$/);
});
