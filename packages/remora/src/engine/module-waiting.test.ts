/** Core modules whose host functions are asynchronous: their exports give promises, and wait within the deadline. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction } from "../component/index.ts";
import { openArtifact } from "./artifact.ts";
import { defaultLimits, type Limits } from "./limits.ts";

const bytes = await parse(`(module
  (import "host" "later" (func $later (param i32) (result i32)))
  (import "host" "wide" (func $wide (param i64 f64) (result i64)))
  (import "host" "plain" (func $plain (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32) (i32.add (call $later (local.get 0)) (call $plain)))
  (func (export "wide") (param i64 f64) (result i64) (call $wide (local.get 0) (local.get 1)))
  (func (export "none") (drop (call $later (i32.const 1))))
  (func (export "two") (param i32) (result i32 i32) (call $later (local.get 0)) (i32.const 2)))`);

const starting = await parse(`(module
  (import "host" "later" (func $later (param i32) (result i32)))
  (func $start (drop (call $later (i32.const 1))))
  (start $start))`);

type Later = (value: number) => unknown;

function instanceOf(later: Later, options: { module?: Uint8Array; limits?: Partial<Limits> } = {}) {
  const host = {
    later: asyncHostFunction(later),
    wide: asyncHostFunction(async (one: bigint, two: number) => one + BigInt(two)),
    plain: () => 100,
  };
  const artifact = openArtifact(options.module ?? bytes, { plugin: "waiting" });
  const instance = artifact.instantiate({
    imports: { host },
    limits: { ...defaultLimits, ...options.limits },
  });
  assert.ok(instance.kind === "module");
  return instance;
}

const call = (instance: ReturnType<typeof instanceOf>, name: string, ...args: unknown[]) =>
  Promise.resolve(instance.exports[name]?.(...(args as number[]))); // a test may hand over what does not fit

test("an export waits for what the host promises, of every number type", async () => {
  const instance = instanceOf(async (value) => value * 2);
  assert.equal(await call(instance, "run", 4), 108);
  assert.equal(await call(instance, "wide", 2n ** 40n, 2), 2n ** 40n + 2n);
  assert.equal(await call(instance, "none"), undefined);
  assert.ok(instance.report.fuelUsed > 0);
});

test("an answer at once needs no waiting", async () => {
  assert.equal(
    await call(
      instanceOf((value) => value),
      "run",
      4,
    ),
    104,
  );
});

test("while one call waits its instance takes no other", async () => {
  let release: (value: number) => void = () => {};
  const instance = instanceOf(() => new Promise((resolve) => (release = resolve)));
  const first = call(instance, "run", 1);
  await assert.rejects(call(instance, "run", 2), { code: "engine/re-entered" });
  release(1);
  assert.equal(await first, 101);
});

test("what is rejected ends the call, as does a deadline while it waits", async () => {
  const failing = instanceOf(() => Promise.reject(new Error("no")));
  await assert.rejects(call(failing, "run", 1), { code: "engine/host-failure" });
  assert.equal(failing.isPoisoned, true);
  const endless = instanceOf(() => new Promise(() => {}), { limits: { deadlineMs: 20 } });
  await assert.rejects(call(endless, "run", 1), { code: "engine/deadline" });
  assert.equal(endless.isPoisoned, true);
});

test("an argument that does not fit does no harm", async () => {
  const instance = instanceOf(async (value) => value);
  await assert.rejects(call(instance, "wide", 1, 2), TypeError);
  assert.equal(await call(instance, "run", 1), 101);
});

test("a start function, and an export with several results, cannot wait and say so", async () => {
  const later = async (value: number) => value;
  assert.throws(() => instanceOf(later, { module: starting }), { code: "component/cannot-wait" });
  await assert.rejects(async () => call(instanceOf(later), "two", 1), { code: "component/cannot-wait" });
  assert.deepEqual(
    await call(
      instanceOf((value) => value),
      "two",
      1,
    ),
    [1, 2],
  );
});

test("names with dots in them are not taken for one another", async () => {
  const dotted = await parse(`(module
    (import "a.b" "c" (func $one (param i32) (result i32)))
    (import "a" "b.c" (func $two (param i64) (result f64)))
    (func (export "run") (result f64)
      (f64.add (f64.convert_i32_s (call $one (i32.const 1))) (call $two (i64.const 2)))))`);
  const instance = openArtifact(dotted, { plugin: "waiting" }).instantiate({
    imports: {
      "a.b": { c: asyncHostFunction(async (value: number) => value + 10) },
      a: { "b.c": asyncHostFunction(async (value: bigint) => Number(value) + 0.5) },
    },
    limits: defaultLimits,
  });
  assert.ok(instance.kind === "module");
  assert.equal(await call(instance, "run"), 13.5);
});

test("a call for which there is no stack is refused, and its instance takes the next one", async () => {
  const answer = Promise.withResolvers<number>();
  const instances = Array.from({ length: 1_000 }, () => instanceOf(() => answer.promise));
  const running = instances.map((instance) => call(instance, "run", 1));
  const next = instanceOf(async (value) => value);
  await assert.rejects(call(next, "run", 1), { code: "engine/too-many-waiting" });
  assert.equal(next.isPoisoned, false);
  answer.resolve(1);
  await Promise.all(running);
  assert.equal(await call(next, "run", 1), 101);
});

test("an instance that its own arguments close stays closed", async () => {
  const closing = (instance: { close(): void }) => ({
    valueOf() {
      instance.close();
      throw new TypeError("no number");
    },
  });
  const waiting = instanceOf(async (value) => value);
  await assert.rejects(call(waiting, "run", closing(waiting)), TypeError);
  const plain = openArtifact(await parse(`(module (func (export "run") (param i32)))`)).instantiate({
    imports: {},
    limits: defaultLimits,
  });
  assert.ok(plain.kind === "module");
  assert.throws(() => plain.exports.run?.(closing(plain) as unknown as number), TypeError);
  for (const instance of [waiting, plain]) {
    assert.ok(instance.isClosed);
    assert.throws(() => instance.mustBeIdle(), { code: "engine/closed" });
  }
});
