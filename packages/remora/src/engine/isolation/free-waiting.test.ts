/** Guests whose waiting is free: at every level the deadline is one on what they do themselves. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction, slowHostFunction } from "../../component/index.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import { askingBytes, neverSettles } from "../testing/async-guests.test.ts";
import { openIsolation } from "./open.ts";

const waiting = await parse(`(module
  (import "host" "ask" (func $ask (param i32) (result i32)))
  (func (export "once") (param i32) (result i32) (call $ask (local.get 0)))
  (func (export "twice") (param i32) (result i32) (call $ask (call $ask (local.get 0))))
  (func (export "ever") (param i32) (loop (drop (call $ask (local.get 0))) (br 0)))
  (func (export "thenLoop") (param i32) (drop (call $ask (local.get 0))) (loop (br 0))))`);
const waitingComponent = await parse(`(component
  (import "host" (instance $host (export "ask" (func (param "of" u32) (result u32)))))
  (core func $ask (canon lower (func $host "ask")))
  (core module $m (import "h" "ask" (func $ask (param i32) (result i32)))
    (func (export "once") (param i32) (result i32) (call $ask (local.get 0)))
    (func (export "thenLoop") (param i32) (drop (call $ask (local.get 0))) (loop (br 0))))
  (core instance $i (instantiate $m (with "h" (instance (export "ask" (func $ask))))))
  (func (export "once") (param "of" u32) (result u32) (canon lift (core func $i "once")))
  (func (export "then-loop") (param "of" u32) (canon lift (core func $i "thenLoop"))))`);

/** The wait is longer than the deadline, which on a busy machine is the way there and back as well. */
const deadlineMs = 150;
const lateMs = 400;

/** The time that passes is what these tests are about: a deadline behind a wall is of a clock that nobody can move. */
function answerAfter(ms: number) {
  return (value: number) => {
    const answer = Promise.withResolvers<number>();
    setTimeout(() => answer.resolve(value + 1), ms);
    return answer.promise;
  };
}

const later = answerAfter(lateMs);

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());

  const open = (bytes: Uint8Array, ask: (of: number) => unknown, limits: Partial<Limits> = {}) =>
    isolation.instantiate(openArtifact(bytes, { plugin: "waits" }), {
      imports: bytes === askingBytes ? { ask } : { host: { ask } },
      limits: { ...defaultLimits, fuelMax: Infinity, deadlineMs, waitMsFree: 20_000, ...limits },
    });

  for (const [kind, bytes, name, expected] of [
    ["core module", waiting, "once", 8],
    ["component", waitingComponent, "once", 8],
    ["component that asks twice at once", askingBytes, "both", 17],
    ["component with stacks of its own", askingBytes, "bothStackful", 17],
  ] as const) {
    test(`${level}: a ${kind} waits for longer than its deadline, and answers`, async () => {
      const guest = await open(bytes, asyncHostFunction(later));
      assert.equal((await guest.call(name, [7])).result, expected);
      assert.ok(guest.report.durationMs >= lateMs - 1);
      guest.close();
    });

    test(`${level}: a ${kind} that waits for ever ends when what is free and its deadline are over`, async () => {
      const guest = await open(bytes, asyncHostFunction(neverSettles), { waitMsFree: 100, deadlineMs: 20 });
      const startedMs = performance.now();
      await assert.rejects(guest.call(name, [7]), { code: "engine/deadline", fault: "guest" });
      assert.ok(performance.now() - startedMs >= 119, "not before both are over");
      assert.ok(guest.isPoisoned);
      guest.close();
    });
  }

  for (const [kind, bytes, name] of [
    ["core module", waiting, "thenLoop"],
    ["component", waitingComponent, "thenLoop"],
  ] as const) {
    test(`${level}: a ${kind} that loops after it waited ends at its deadline`, async () => {
      const guest = await open(bytes, asyncHostFunction(later));
      const startedMs = performance.now();
      await assert.rejects(guest.call(name, [7]), { code: "engine/deadline" });
      const passedMs = performance.now() - startedMs;
      assert.ok(passedMs >= lateMs + deadlineMs / 2 && passedMs < 10_000, `${passedMs} ms`);
      guest.close();
    });
  }

  test(`${level}: many short waits come to no more than is free`, async () => {
    const guest = await open(waiting, asyncHostFunction(answerAfter(5)), { waitMsFree: 100, deadlineMs: 20 });
    await assert.rejects(guest.call("ever", [1]), { code: "engine/deadline" });
    guest.close();
  });

  test(`${level}: what a host function does before it answers is no waiting`, async () => {
    const busy = (value: number) => {
      const untilMs = performance.now() + 5;
      while (performance.now() < untilMs);
      return value;
    };
    const guest = await open(waiting, slowHostFunction(asyncHostFunction(busy)), { deadlineMs: 20 });
    await assert.rejects(guest.call("ever", [1]), { code: "engine/deadline" });
    guest.close();
  });

  test(`${level}: unless it is free, waiting counts`, async () => {
    const guest = await open(waiting, asyncHostFunction(later), { waitMsFree: 0 });
    await assert.rejects(guest.call("once", [7]), { code: "engine/deadline" });
    guest.close();
  });

  test(`${level}: a batch waits in each of its calls`, async () => {
    const guest = await open(waiting, asyncHostFunction(later), { waitMsFree: 1.5 * lateMs });
    assert.deepEqual((await guest.callBatch("once", [[1], [2]])).results, [2, 3]);
    await assert.rejects(guest.call("twice", [1]), { code: "engine/deadline" });
    guest.close();
  });
}
