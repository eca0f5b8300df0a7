/** Calls by name whose signal is aborted, at every level: before, while they wait or run, and after. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../../base/index.ts";
import { abortable, asyncHostFunction, type CancelSignal } from "../../component/index.ts";
import { counterGuest } from "../../component/testing/guests.test.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import { componentOf, neverSettles, stackful } from "../testing/async-guests.test.ts";
import { cancelledBeforeReturned, waitingBytes } from "../testing/cancelled-guests.test.ts";
import type { IsolatedInstance } from "./isolation.ts";
import { openIsolation } from "./open.ts";

/** A signal that says how many listen. */
class CountedSignal implements CancelSignal {
  aborted = false;
  reason: unknown;
  readonly listeners = new Set<() => void>();

  addEventListener(_: "abort", listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.listeners.delete(listener);
  }

  abort(reason: unknown): void {
    this.reason = reason;
    for (const listener of [...this.listeners]) listener();
  }
}

const nap = await parse(`(component
  (import "nap" (func $nap))
  (core func $n (canon lower (func $nap)))
  (core module $m (import "h" "nap" (func $nap)) (func (export "f") (call $nap)) (func (export "g")))
  (core instance $i (instantiate $m (with "h" (instance (export "nap" (func $n))))))
  (func (export "f") (canon lift (core func $i "f")))
  (func (export "g") (canon lift (core func $i "g"))))`);
const napModule = await parse(
  `(module (import "h" "nap" (func $nap)) (func (export "f") (call $nap)) (func (export "g")))`,
);
const looping = await parse(`(module (func (export "f") (loop (br 0))) (func (export "g")))`);
const spinning = await componentOf({
  uses: [],
  code: '(func (export "f") (loop (br 0)))',
  exports: stackful("f", ""),
});

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level, { threadsMax: 1 });
  test.after(() => isolation.close());

  const open = (bytes: Uint8Array, imports = {}, limits: Partial<Limits> = {}) =>
    isolation.instantiate(openArtifact(bytes, { plugin: "wanted" }), {
      imports,
      limits: { ...defaultLimits, deadlineMs: 20_000, fuelMax: Infinity, ...limits },
    });
  const openWaiting = () => {
    const asked = Promise.withResolvers<void>();
    const ask = () => {
      asked.resolve();
      return neverSettles();
    };
    return { guest: open(waitingBytes, { ask }), asked: asked.promise };
  };
  const told = async (guest: IsolatedInstance) => (await guest.call("told", [])).result;

  for (const name of ["agrees", "stackful"]) {
    test(`${level}, ${name}: a guest that ends the call when it is asked to is as good as before`, async () => {
      const { guest: opened, asked } = openWaiting();
      const guest = await opened;
      const controller = new AbortController();
      const call = guest.call(name, [], { signal: controller.signal });
      await asked;
      controller.abort("enough");
      controller.abort("more than enough");
      await assert.rejects(call, { code: "component/cancelled", fault: "operator", cause: "enough" });
      assert.equal(await told(guest), cancelledBeforeReturned, "the host's answer is not waited for");
      assert.equal(guest.isPoisoned, false);
      guest.close();
    });
  }

  test(`${level}: a guest may give its result when it is asked to stop`, async () => {
    const { guest: opened, asked } = openWaiting();
    const guest = await opened;
    const controller = new AbortController();
    const call = guest.call("answers", [], { signal: controller.signal });
    await asked;
    controller.abort();
    assert.equal((await call).result, 9);
    guest.close();
  });

  test(`${level}: a guest that goes on in small steps is asked between them`, async () => {
    const guest = await open(waitingBytes, { ask: neverSettles });
    const call = guest.call("steps", [], { signal: AbortSignal.timeout(5) });
    await assert.rejects(call, { code: "component/cancelled", details: { afterMs: undefined } });
    assert.equal(guest.isPoisoned, false);
    guest.close();
  });

  for (const name of ["ignores", "spins"]) {
    test(`${level}, ${name}: a guest that goes on is ended soon, long before its deadline`, async () => {
      const guest = await open(waitingBytes, { ask: neverSettles });
      const signal = AbortSignal.timeout(5);
      const call = guest.call(name, [], { signal });
      await assert.rejects(call, { code: "component/cancelled", details: { afterMs: 100 } });
      assert.ok(guest.isPoisoned);
      await assert.rejects(told(guest), { code: "engine/poisoned" });
      guest.close();
    });
  }

  test(`${level}: a call that is aborted before it begins never does`, async () => {
    const guest = await open(waitingBytes, { ask: neverSettles });
    const signal = AbortSignal.abort("no");
    await assert.rejects(guest.call("agrees", [], { signal }), { code: "component/cancelled", cause: "no" });
    await assert.rejects(guest.call("told", [], { signal }), { code: "component/cancelled" });
    assert.equal(await told(guest), 0);
    const { results, failure } = await guest.callBatch("told", [[], []], { signal });
    assert.deepEqual(results, []);
    assert.equal(failure?.index, 0);
    guest.close();
  });

  test(`${level}: a signal that is aborted when the call is over has no effect`, async () => {
    const guest = await open(waitingBytes, { ask: neverSettles });
    const signal = new CountedSignal();
    assert.equal((await guest.call("told", [], { signal })).result, 0);
    assert.equal(signal.listeners.size, 0);
    signal.abort("late");
    assert.equal(await told(guest), 0);
    guest.close();
  });

  test(`${level}: thousands of calls that were aborted leave nothing behind`, async () => {
    let guest = await openWaiting().guest;
    let ended = 0;
    const signal = new CountedSignal();
    // More than a guest may ask of the host at a time, in any case.
    const rounds = level === "process" ? 5_000 : 10_000;
    for (let round = 0; round < rounds; round++) {
      const call = guest.call("agrees", [], { signal });
      // In turns before the guest has asked the host, and after.
      if (round % 2 === 0) await new Promise((turn) => setImmediate(turn));
      signal.abort(round);
      await assert.rejects(call, { code: "component/cancelled" }, `round ${round}`);
      if (!guest.isPoisoned) continue;
      // Its thread did not run for as long as it may take to agree: a busy machine does that once in many thousands.
      assert.ok(++ended < 10, `${ended} of ${round} did not agree`);
      guest.close();
      guest = await openWaiting().guest;
    }
    assert.equal(signal.listeners.size, 0);
    const alive = process.getActiveResourcesInfo().filter((what) => what === "Timeout");
    assert.ok(alive.length < 10, `${alive.length} timers`);
    assert.ok((await told(guest)) !== undefined);
    guest.close();
  });

  test(`${level}: what waits in a function of synchronous type is ended with its instance`, async () => {
    const guest = await open(nap, { nap: asyncHostFunction(neverSettles) });
    const call = guest.call("f", [], { signal: AbortSignal.timeout(5) });
    await assert.rejects(call, { code: "component/cancelled", details: { afterMs: 100 } });
    assert.ok(guest.isPoisoned);
    guest.close();
  });

  test(`${level}: unless it comes to its end by itself before`, async () => {
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const ask = () => {
      asked.resolve();
      return answer.promise;
    };
    const guest = await open(nap, { nap: asyncHostFunction(ask) });
    const controller = new AbortController();
    const call = guest.call("f", [], { signal: controller.signal });
    await asked.promise;
    controller.abort();
    answer.resolve();
    assert.equal((await call).result, undefined);
    assert.equal((await guest.call("g", [])).result, undefined);
    guest.close();
  });

  test(`${level}: a core module that waits is ended at once`, async () => {
    const guest = await open(napModule, { h: { nap: asyncHostFunction(neverSettles) } });
    const call = guest.call("f", [], { signal: AbortSignal.timeout(5) });
    await assert.rejects(call, { code: "component/cancelled", details: { afterMs: 0 } });
    assert.ok(guest.isPoisoned);
    await assert.rejects(guest.call("g", []), { code: "engine/poisoned" });
    guest.close();
  });
}

for (const level of ["worker", "process"] as const) {
  for (const [what, bytes] of [
    ["a core module", looping],
    ["an asynchronous component", spinning],
  ] as const) {
    test(`${level}: ${what} that runs without end is ended, and its thread serves again`, async () => {
      await using isolation = openIsolation(level, { threadsMax: 1 });
      const limits = { ...defaultLimits, fuelMax: Infinity, deadlineMs: Infinity };
      const open = () => isolation.instantiate(openArtifact(bytes), { imports: {}, limits });
      const guest = await open();
      const call = guest.call("f", [], { signal: AbortSignal.timeout(20) });
      await assert.rejects(call, { code: "component/cancelled" });
      assert.ok(guest.isPoisoned);
      guest.close();
      const next = await open();
      next.close();
    });
  }

  test(`${level}: a call that stands in line leaves it, and the one before goes on`, async () => {
    await using isolation = openIsolation(level, { threadsMax: 1 });
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const imports = {
      nap: asyncHostFunction(() => {
        asked.resolve();
        return answer.promise;
      }),
    };
    const open = () => isolation.instantiate(openArtifact(nap), { imports, limits: defaultLimits });
    const guest = await open();
    const other = await open();
    const spinning = await isolation.instantiate(openArtifact(looping), {
      imports: {},
      limits: defaultLimits,
    });
    const signal = new CountedSignal();
    // While it spins, none of the others can have begun when the next one is called.
    const spin = spinning.call("f", [], { fuelMax: 10_000_000 });
    const first = guest.call("f", []);
    const second = guest.call("g", [], { signal });
    const third = other.call("g", []);
    signal.abort("left");
    await assert.rejects(second, {
      code: "component/cancelled",
      cause: "left",
      details: { afterMs: undefined },
    });
    assert.equal(signal.listeners.size, 0);
    await assert.rejects(spin, { code: "engine/out-of-fuel" });
    await asked.promise;
    answer.resolve();
    assert.equal((await first).result, undefined);
    assert.equal((await third).result, undefined);
    assert.equal(guest.isPoisoned, false);
  });

  test(`${level}: a batch that is cancelled has what was done of it`, async () => {
    await using isolation = openIsolation(level, { threadsMax: 1 });
    let calls = 0;
    const imports = { nap: asyncHostFunction(() => (++calls < 3 ? Promise.resolve() : neverSettles())) };
    const guest = await isolation.instantiate(openArtifact(nap), { imports, limits: defaultLimits });
    const batch = guest.callBatch("f", [[], [], [], []], { signal: AbortSignal.timeout(50) });
    const { results, failure } = await batch;
    assert.deepEqual(results, [undefined, undefined]);
    assert.equal(failure?.index, 2);
    assert.ok(isRemoraError(failure?.error, "component/cancelled"));
    guest.close();
  });

  test(`${level}: a method of an object of the guest's is aborted with its object`, async () => {
    await using isolation = openIsolation(level, { threadsMax: 1 });
    const artifact = openArtifact(await counterGuest());
    const guest = await isolation.instantiate(artifact, { imports: {}, limits: defaultLimits });
    const made = await guest.call(["counters", "Counter", "constructor"], [5]);
    const counter = made.result as { increment(by: number): Promise<number> };
    const { signal } = new AbortController();
    assert.equal(await abortable(counter.increment, signal).call(counter, 2), 7);
    const aborted = abortable(counter.increment, AbortSignal.abort());
    await assert.rejects(aborted.call(counter, 2), { code: "component/cancelled" });
    assert.equal(await counter.increment(0), 7);
  });
}
