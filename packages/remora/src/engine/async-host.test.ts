/** Components whose host functions are asynchronous: from the import to the promise that an export gives. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import {
  asyncHostFunction,
  ComponentError,
  type CoreEngine,
  decodeComponent,
  prepareComponent,
} from "../component/index.ts";
import { allocator } from "../component/testing/guests.test.ts";
import { PlainEngine } from "../component/testing/harness.test.ts";
import { openArtifact } from "./artifact.ts";
import { defaultLimits } from "./limits.ts";
import { load } from "./load.ts";

const options = '(memory (core memory $l "memory")) (realloc (core func $l "cabi_realloc"))';

/** `shout` passes a text to the host and back; `half` a number, of which the host may say that it is odd. */
const bytes = await parse(`(component
  (import "shout" (func $shout (param "text" string) (result string)))
  (import "half" (func $half (param "of" u32) (result (result u32 (error string)))))
  (import "plain" (func $plain (result u32)))
  (core module $libc ${allocator})
  (core instance $l (instantiate $libc))
  (core func $s (canon lower (func $shout) ${options}))
  (core func $h (canon lower (func $half) ${options}))
  (core func $p (canon lower (func $plain)))
  (core module $m
    (import "l" "memory" (memory 1))
    (import "h" "shout" (func $shout (param i32 i32 i32)))
    (import "h" "half" (func $half (param i32 i32)))
    (import "h" "plain" (func $plain (result i32)))
    (func (export "shout") (param i32 i32) (result i32)
      (call $shout (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "half") (param i32) (result i32)
      (call $half (local.get 0) (i32.const 16)) (i32.const 16))
    (func (export "plain") (result i32) (call $plain)))
  (core instance $i (instantiate $m (with "l" (instance $l))
    (with "h" (instance (export "shout" (func $s)) (export "half" (func $h)) (export "plain" (func $p))))))
  (func (export "shout") (param "text" string) (result string) (canon lift (core func $i "shout") ${options}))
  (func (export "half") (param "of" u32) (result (result u32 (error string)))
    (canon lift (core func $i "half") ${options}))
  (func (export "plain") (result u32) (canon lift (core func $i "plain"))))`);

interface Exports {
  shout(text: string): Promise<string>;
  half(of: number): Promise<number>;
  plain(): Promise<number>;
}

interface Answers {
  readonly shout?: (text: string) => unknown;
  readonly half?: (of: number) => unknown;
}

function importsWith({ shout = async (text) => text.toUpperCase(), half = async (of) => of / 2 }: Answers) {
  return { shout: asyncHostFunction(shout), half: asyncHostFunction(half), plain: () => 7 };
}

const loadWith = (answers: Answers = {}, limits = {}) =>
  load<Exports>(bytes, { imports: importsWith(answers), limits });

test("a guest waits for what the host promises, and its export gives a promise", async () => {
  const { exports, report } = await loadWith();
  assert.equal(await exports.shout("hello ☃"), "HELLO ☃");
  assert.equal(await exports.half(8), 4);
  assert.equal(await exports.plain(), 7);
  assert.ok(report.fuelUsed > 0);
});

test("an asynchronous host function may have its answer at once", async () => {
  const { exports } = await loadWith({ half: (of) => of / 2 });
  assert.equal(await exports.half(8), 4);
});

test("a promise that rejects with a payload of the type is the error of the result", async () => {
  const { exports } = await loadWith({ half: (of) => Promise.reject(new ComponentError(`${of} is odd`)) });
  await assert.rejects(exports.half(7), (error) => {
    assert.ok(error instanceof ComponentError);
    return error.payload === "7 is odd";
  });
  assert.equal(await exports.plain(), 7);
});

test("a promise that rejects otherwise fails the call, as a host function that throws", async () => {
  const instance = await loadWith({ shout: () => Promise.reject(new Error("no")) });
  await assert.rejects(instance.exports.shout("x"), { code: "component/host-failed" });
  assert.ok(instance.isPoisoned);
  await assert.rejects(instance.exports.plain(), { code: "engine/poisoned" });
});

test("a promise of what the type does not allow fails the call", async () => {
  const { exports } = await loadWith({ shout: async () => 5 });
  await assert.rejects(exports.shout("x"), { code: "component/host-result" });
});

test("while a call waits the instance takes no other, and stays usable", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const instance = await loadWith({ shout: () => promise });
  const running = instance.exports.shout("x");
  await assert.rejects(instance.exports.plain(), { code: "engine/re-entered" });
  assert.equal(instance.isPoisoned, false);
  resolve("y");
  assert.equal(await running, "y");
  assert.equal(await instance.exports.plain(), 7);
});

test("a wrong argument rejects, and leaves the instance usable", async () => {
  const { exports } = await loadWith();
  await assert.rejects(exports.half(-1), { code: "component/type-mismatch" });
  assert.equal(await exports.half(8), 4);
});

test("a promise that never settles ends at the deadline of its call", async () => {
  const instance = await loadWith({ shout: () => new Promise(() => {}) }, { deadlineMs: 5 });
  await assert.rejects(instance.exports.shout("x"), { code: "engine/deadline", fault: "guest" });
  assert.ok(instance.isPoisoned);
});

test("a call by name has a budget of its own, and its cost when it is over", async () => {
  const instance = await loadWith({}, { fuelMax: 1 });
  const { result, report } = await instance.callAsync("half", [8], { fuelMax: 1_000 });
  assert.equal(result, 4);
  assert.equal(report.fuelUsed, 5);
  await assert.rejects(instance.callAsync("half", [8]), { code: "engine/out-of-fuel" });
});

test("closing an instance ends the call that waits in it", async () => {
  const instance = await loadWith({ shout: () => new Promise(() => {}) });
  const running = instance.exports.shout("x");
  instance.close();
  await assert.rejects(running, { code: "engine/closed" });
});

test("a start function cannot wait, and is told so", async () => {
  const starting = await parse(`(component
    (import "nap" (func $nap))
    (core func $n (canon lower (func $nap)))
    (core module $m (import "h" "nap" (func $nap)) (start $nap))
    (core instance $i (instantiate $m (with "h" (instance (export "nap" (func $n)))))))`);
  const imports = { nap: asyncHostFunction(async () => {}) };
  await assert.rejects(load(starting, { imports }), { code: "component/cannot-wait" });
});

test("where V8 cannot put a guest aside, linking names the isolation that can", () => {
  const engine: CoreEngine = new PlainEngine();
  assert.throws(
    () => prepareComponent(decodeComponent(bytes)).instantiate({ engine, imports: importsWith({}) }),
    (error: { code?: string; message?: string }) =>
      error.code === "component/no-waiting" && /isolation "worker"/.test(error.message ?? ""),
  );
});

test("instances of one artifact wait side by side", async () => {
  const artifact = openArtifact(bytes);
  const answers: ((text: string) => void)[] = [];
  const imports = importsWith({ shout: () => new Promise((resolve) => answers.push(resolve)) });
  const calls = ["a", "b"].map((text) => {
    const { exports } = artifact.instantiate({ imports, limits: defaultLimits });
    return (exports as unknown as Exports).shout(text); // As in the component above.
  });
  answers[1]?.("second");
  answers[0]?.("first");
  assert.deepEqual(await Promise.all(calls), ["first", "second"]);
});
