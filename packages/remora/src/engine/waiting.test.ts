/** Guests that wait for a promise of the host: what they spend, who may call them, and how they end. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import type { CoreFunction, CoreSignature, CoreWaiting, Flat } from "../component/core.ts";
import type { InstanceEngine, InstanceEngineOptions } from "./core-engine.ts";
import type { Limits } from "./limits.ts";
import { engineWith } from "./testing/limited-engine.test.ts";

const unary: CoreSignature = { params: ["i32"], results: ["i32"] };

const guest = await parse(`(module
  (import "host" "f" (func $f (param i32) (result i32)))
  (global $after (export "after") (mut i32) (i32.const 0))
  (func (export "run") (param i32) (result i32)
    (i32.add (call $f (local.get 0)) (i32.const 1))
    (global.set $after (i32.const 1)))
  (func (export "catching") (param i32) (result i32)
    (loop $l (block $c (try_table (catch_all $c) (drop (call $f (i32.const 1))))) (br $l)) (unreachable)))`);

interface Caller {
  readonly engine: InstanceEngine;
  readonly after: { readonly value: number };
  /** One call of an export that may wait, as the layers above make it. */
  call(name: "run" | "catching", arg: number): Promise<unknown>;
  /** Of the last call: what it returned, as soon as it did. */
  returned: Flat | undefined;
}

function callerOf(
  body: CoreFunction,
  limits: Partial<Limits> = {},
  options: Partial<InstanceEngineOptions> = {},
): Caller {
  const engine = engineWith({ memoryPagesMax: 1, tableElementsMax: 0, ...limits }, options);
  const waiting = engine.waiting as CoreWaiting; // This Node has it.
  const instance = engine.instantiate(guest, { host: { f: waiting.importOf(body, unary) } });
  const caller: Caller = {
    engine,
    after: instance.exports.after as Caller["after"],
    returned: undefined,
    async call(name, arg) {
      const core = instance.exports[name] as CoreFunction;
      const entry = waiting.entryOf(core, unary, (result) => {
        caller.returned = result;
      });
      engine.enter();
      try {
        await entry(arg);
        waiting.settle();
      } catch (error) {
        throw engine.fail(error);
      }
      engine.leave();
      return caller.returned;
    },
  };
  return caller;
}

interface Deferred {
  readonly promise: Promise<number>;
  settle: (value: number) => void;
  reject: (error: unknown) => void;
}

function deferred(): Deferred {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  return { promise, settle: resolve, reject };
}

const never = () => new Promise<number>(() => {});

test("a guest that waits spends no fuel and takes no other call", async () => {
  const answer = deferred();
  const caller = callerOf(() => answer.promise);
  const running = caller.call("run", 41);
  assert.throws(() => caller.engine.enter(), { code: "engine/re-entered" });
  answer.settle(6);
  assert.equal(await running, 7);
  assert.equal(caller.engine.fuelUsed, 7);
  assert.equal(caller.engine.isPoisoned, false);
  assert.equal(await caller.call("run", 41), 7);
});

test("a guest whose host function has its answer at once does not wait", () => {
  const caller = callerOf((value: number) => value * 2);
  void caller.call("run", 20);
  assert.equal(caller.returned, 41);
});

test("a promise that rejects ends the call, and the guest cannot catch it", async () => {
  for (const name of ["run", "catching"] as const) {
    const caller = callerOf(() => Promise.reject(new Error("no answer")));
    await assert.rejects(caller.call(name, 1), { code: "engine/host-failure" });
    assert.equal(caller.engine.isPoisoned, true);
    assert.equal(caller.after.value, 0);
  }
});

test("an instance that is closed while its guest waits executes no further instruction", async () => {
  const answer = deferred();
  const caller = callerOf(() => answer.promise);
  const running = caller.call("run", 1);
  caller.engine.close();
  answer.settle(1);
  await assert.rejects(running, { code: "engine/closed" });
  assert.equal(caller.after.value, 0);
});

test("an instance that its own host function closes does not wait for it", async () => {
  const caller = callerOf(() => {
    caller.engine.close();
    return never();
  });
  await assert.rejects(caller.call("run", 1), { code: "engine/closed" });
});

test("a promise that never settles ends at the deadline", async () => {
  let now = 0;
  const rings: { delayMs: number; callback: () => void }[] = [];
  const timer = (delayMs: number, callback: () => void) => {
    rings.push({ delayMs, callback });
    return () => {};
  };
  const caller = callerOf(never, { deadlineMs: 50 }, { clock: () => now, timer });
  const running = caller.call("catching", 1);
  now += 49.5;
  rings[0]?.callback();
  assert.deepEqual(
    rings.map(({ delayMs }) => delayMs),
    [50, 1],
  );
  now += 1;
  rings[1]?.callback();
  await assert.rejects(running, { code: "engine/deadline" });
  assert.equal(caller.engine.isPoisoned, true);
});

test("the time that a guest waits counts towards its deadline", async () => {
  let now = 0;
  const answer = deferred();
  const caller = callerOf(
    () => answer.promise,
    { deadlineMs: 5 },
    { clock: () => now, timer: () => () => {} },
  );
  const running = caller.call("catching", 1);
  now += 6;
  answer.settle(1);
  await assert.rejects(running, { code: "engine/deadline" });
});

test("a call that has its result leaves no timer behind", async () => {
  let cancelled = 0;
  const caller = callerOf(async () => 1, { deadlineMs: 5 }, { timer: () => () => cancelled++ });
  assert.equal(await caller.call("run", 1), 2);
  assert.equal(cancelled, 1);
});

test("guests that wait are bounded in all of the process, and those that ended make room", async () => {
  const callers = Array.from({ length: 1_000 }, () => callerOf(never));
  const running = callers.map((caller) => caller.call("run", 1));
  const next = callerOf(async () => 1);
  await assert.rejects(next.call("run", 1), { code: "engine/too-many-waiting" });
  for (const { engine } of callers) engine.close();
  for (const call of running) await assert.rejects(call, { code: "engine/closed" });
  assert.equal(await callerOf(async () => 1).call("run", 1), 2);
});
