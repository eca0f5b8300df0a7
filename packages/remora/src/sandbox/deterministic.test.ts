import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultLimits, openArtifact } from "../engine/index.ts";
import { deterministic } from "./deterministic.ts";
import { deterministicRun } from "./testing/deterministic-run.ts";

const runner = new URL("./testing/deterministic-run.ts", import.meta.url).href;

const preview1 = (name: string, type: string) =>
  `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${type} (result i32)))`;

/** Takes in all that could differ between two runs: time, waiting, randomness, NaN, file times, listings. */
const guestText = `(module
  ${preview1("clock_time_get", "(param i32 i64 i32)")}
  ${preview1("random_get", "(param i32 i32)")}
  ${preview1("poll_oneoff", "(param i32 i32 i32 i32)")}
  ${preview1("path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32)")}
  ${preview1("fd_readdir", "(param i32 i32 i32 i64 i32)")}
  ${preview1("fd_filestat_get", "(param i32 i32)")}
  (memory (export "memory") 1)
  (data (i32.const 16) "tmp/file")
  (func $done (param i32) (if (local.get 0) (then unreachable)))
  (func (export "run") (param $zero f32) (local $turn i32)
    (call $done (call $random_get (i32.const 1024) (i32.const 512)))
    (call $done (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 2048)))
    (i32.store (i32.const 512) (i32.const 0))
    (i32.store (i32.const 528) (i32.const 1))
    (i64.store (i32.const 536) (i64.const 1500000000))
    (call $done (call $poll_oneoff (i32.const 512) (i32.const 600) (i32.const 1) (i32.const 640)))
    (call $done (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 2056)))
    (f32.store (i32.const 2064) (f32.div (local.get $zero) (local.get $zero)))
    (f32.store (i32.const 2068) (f32.neg (f32.div (local.get $zero) (local.get $zero))))
    (f64.store (i32.const 2072) (f64.sqrt (f64.const -1)))
    (call $done (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 8) (i32.const 1)
      (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 660)))
    (call $done (call $fd_filestat_get (i32.load (i32.const 660)) (i32.const 2080)))
    (call $done (call $fd_readdir (i32.const 3) (i32.const 3072) (i32.const 512) (i64.const 0) (i32.const 664)))
    ;; As many turns as a random byte says: fuel depends on what was given.
    (loop $again
      (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $turn) (i32.load8_u (i32.const 1024)))))))`;

const bytes = await parse(guestText);

/** One run in a process of its own, with V8 as the flags say. */
async function runElsewhere(seed: string, ...flags: string[]): Promise<unknown> {
  const code = `
    import { deterministicRun } from ${JSON.stringify(runner)};
    const [seed, module] = process.argv.slice(1);
    const run = deterministicRun(seed, new Uint8Array(Buffer.from(module, "base64")));
    process.stdout.write(JSON.stringify(run));`;
  const options = [
    ...flags,
    "--input-type=module",
    "-e",
    code,
    "--",
    seed,
    Buffer.from(bytes).toString("base64"),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  return JSON.parse(stdout);
}

test("two processes give the same bytes and the same fuel, whatever compiled them; another seed gives others", async () => {
  const one = deterministicRun("1", bytes);
  assert.ok(one.fuelUsed > 0);
  const [two, optimised, other] = await Promise.all([
    runElsewhere("1"),
    runElsewhere("1", "--no-liftoff"),
    runElsewhere("2"),
  ]);
  assert.deepEqual(two, one);
  assert.deepEqual(optimised, one);
  assert.notDeepEqual(other, one);
});

test("what could differ between machines is refused when it is loaded", async () => {
  const relaxed = await parse(`(module (func (export "f") (param v128 v128 v128) (result v128)
    (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))))`);
  const { artifact } = deterministic({ wallNs: 0n, seed: 1n });
  assert.throws(
    () =>
      openArtifact(relaxed, { plugin: "p", ...artifact }).instantiate({ imports: {}, limits: defaultLimits }),
    { code: "wasm/refused-feature" },
  );
});
