/** Calls whose caller loses interest: what the guest is told, what it may do, and what happens if it does nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { abortable, asyncHostFunction } from "../component/index.ts";
import { load } from "./load.ts";
import { type Asking, askingBytes, neverSettles } from "./testing/async-guests.test.ts";
import { cancelledBeforeReturned, type Waiting, waitingBytes } from "./testing/cancelled-guests.test.ts";

const loadWaiting = () =>
  load<Waiting>(waitingBytes, {
    imports: { ask: neverSettles },
    limits: { deadlineMs: 20_000, fuelMax: Number.POSITIVE_INFINITY },
  });

for (const name of ["agrees", "stackful"] as const) {
  test(`${name}: a guest that ends the call when it is asked to is as good as before`, async () => {
    const instance = await loadWaiting();
    const controller = new AbortController();
    const call = abortable(instance.exports[name], controller.signal)();
    controller.abort("enough");
    await assert.rejects(call, { code: "component/cancelled", fault: "operator", cause: "enough" });
    assert.equal(instance.exports.told(), cancelledBeforeReturned, "the host's answer is not waited for");
    assert.equal(instance.isPoisoned, false);
  });
}

test("a guest may give its result when it is asked to stop", async () => {
  const instance = await loadWaiting();
  const controller = new AbortController();
  const call = abortable(instance.exports.answers, controller.signal)();
  controller.abort();
  assert.equal(await call, 9);
});

for (const name of ["ignores", "spins"] as const) {
  test(`${name}: a guest that goes on is ended soon, long before its deadline`, async () => {
    const instance = await loadWaiting();
    const controller = new AbortController();
    const call = abortable(instance.exports[name], controller.signal)();
    controller.abort();
    await assert.rejects(call, { code: "component/cancelled", details: { afterMs: 100 } });
    assert.ok(instance.isPoisoned);
  });
}

test("a host function that the guest calls may cancel that very call", async () => {
  const { signal, abort } = controllerOf();
  const ask = () => {
    abort();
    return neverSettles();
  };
  const instance = await load<Waiting>(waitingBytes, { imports: { ask } });
  await assert.rejects(abortable(instance.exports.agrees, signal)(), { code: "component/cancelled" });
  assert.equal(instance.exports.told(), cancelledBeforeReturned);
});

test("a call that is cancelled before it begins never does", async () => {
  const instance = await loadWaiting();
  const call = abortable(instance.exports.agrees, AbortSignal.abort());
  await assert.rejects(call(), { code: "component/cancelled" });
  assert.equal(instance.exports.told(), 0);
});

test("a call that waits until its guest has paused leaves that line", async () => {
  const bytes = await parse(`(component
    (import "nap" (func $nap))
    (core func $n (canon lower (func $nap)))
    (core module $d (import "h" "nap" (func $nap)) (func (export "dtor") (param i32) (call $nap)))
    (core instance $d (instantiate $d (with "h" (instance (export "nap" (func $n))))))
    (type $thing (resource (rep i32) (dtor (core func $d "dtor"))))
    (core func $new (canon resource.new $thing))
    (core module $m (import "h" "new" (func $new (param i32) (result i32)))
      (global $calls (mut i32) (i32.const 0))
      (func (export "make") (result i32) (call $new (i32.const 5)))
      (func (export "count") (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls)))
    (core instance $i (instantiate $m (with "h" (instance (export "new" (func $new))))))
    (export $exported "thing" (type $thing))
    (func (export "make") (result (own $exported)) (canon lift (core func $i "make")))
    (func (export "count") (result u32) (canon lift (core func $i "count"))))`);
  const { promise, resolve } = Promise.withResolvers<void>();
  const { exports } = await load<{ make(): Promise<Disposable>; count(): Promise<number> }>(bytes, {
    imports: { nap: asyncHostFunction(() => promise) },
  });
  const thing = await exports.make();
  // Its destructor waits for the host.
  thing[Symbol.dispose]();
  const { signal, abort } = controllerOf();
  const left = abortable(exports.count, signal)();
  const stayed = exports.count();
  abort();
  await assert.rejects(left, { code: "component/cancelled", details: { afterMs: undefined } });
  resolve();
  assert.equal(await stayed, 1);
});

test("a signal that is aborted when the call is over has no effect", async () => {
  const { exports } = await load<Asking>(askingBytes, { imports: { ask: (of: number) => of } });
  const controller = new AbortController();
  assert.equal(await abortable(exports.both, controller.signal)(5), 11);
  controller.abort();
  assert.equal(await exports.both(6), 13);
});

test("a wrong argument is refused whether or not the call can be aborted", async () => {
  const { exports } = await load<Asking>(askingBytes, { imports: { ask: (of: number) => of } });
  const both = abortable(exports.both, new AbortController().signal);
  await assert.rejects(both(-1), { code: "component/type-mismatch" });
  assert.equal(await both(5), 11);
});

test("a call by name takes a signal beside its budget", async () => {
  const instance = await loadWaiting();
  const { signal, abort } = controllerOf();
  const call = instance.callAsync("agrees", [], { signal, deadlineMs: 10_000 });
  abort();
  await assert.rejects(call, { code: "component/cancelled" });
});

test("what gives its result at once cannot be aborted", async () => {
  const { exports } = await loadWaiting();
  assert.throws(() => abortable(exports.told, new AbortController().signal), TypeError);
});

test("a guest in the middle of a synchronous function cannot be asked, and is ended", async () => {
  const bytes = await parse(`(component
    (import "nap" (func $nap))
    (core func $n (canon lower (func $nap)))
    (core module $m (import "h" "nap" (func $nap)) (func (export "f") (call $nap)))
    (core instance $i (instantiate $m (with "h" (instance (export "nap" (func $n))))))
    (func (export "f") (canon lift (core func $i "f"))))`);
  const imports = { nap: asyncHostFunction(neverSettles) };
  const instance = await load<{ f(): Promise<void> }>(bytes, { imports, limits: { deadlineMs: 20_000 } });
  const { signal, abort } = controllerOf();
  const call = abortable(instance.exports.f, signal)();
  abort();
  await assert.rejects(call, { code: "component/cancelled" });
  assert.ok(instance.isPoisoned);
});

test("a core module cannot be asked either", async () => {
  const bytes = await parse(`(module (import "h" "nap" (func $nap)) (func (export "f") (call $nap)))`);
  const imports = { h: { nap: asyncHostFunction(neverSettles) } };
  const instance = await load<{ f(): Promise<void> }>(bytes, { imports, limits: { deadlineMs: 20_000 } });
  const { signal, abort } = controllerOf();
  const call = abortable(instance.exports.f, signal)();
  abort();
  await assert.rejects(call, { code: "component/cancelled", details: { afterMs: 0 } });
  assert.ok(instance.isPoisoned);
});

function controllerOf() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
