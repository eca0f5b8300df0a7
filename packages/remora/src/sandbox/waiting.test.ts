/** Guests that really wait: put aside by the engine, within their deadline, and a coded error where that cannot be. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../base/index.ts";
import { defaultLimits, type Limits, openArtifact } from "../engine/index.ts";
import { streamInput } from "./machine/input.ts";
import { noWaiting, suspendedWaiting, type Waiting } from "./machine/waiting.ts";
import { sandboxImports } from "./sandbox-imports.ts";

/** Sleeps so many milliseconds by `poll_oneoff`; gives the errno. */
const sleeper = await parse(`(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sleep") (param $ms i32) (result i32)
    (i32.store8 (i32.const 8) (i32.const 0))
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.mul (i64.extend_i32_u (local.get $ms)) (i64.const 1000000)))
    (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))`);

/** Waits for a moment of the monotonic clock by `pollable.block`. */
const blocker = await parse(`(component
  (import "wasi:io/poll@0.2.3" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $drop (canon resource.drop $pollable))
  (core module $m
    (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "h" "block" (func $block (param i32)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "sleep") (param $ms i32) (local $pollable i32)
      (local.set $pollable
        (call $subscribe (i64.mul (i64.extend_i32_u (local.get $ms)) (i64.const 1000000))))
      (call $block (local.get $pollable))
      (call $drop (local.get $pollable))))
  (core instance $i (instantiate $m (with "h" (instance
    (export "subscribe" (func $subscribe)) (export "block" (func $block)) (export "drop" (func $drop))))))
  (func (export "sleep") (param "ms" u32) (canon lift (core func $i "sleep"))))`);

/** Reads standard input into memory, asking before each read by `poll_oneoff` if it is told to; gives how much it was. */
const reader = await parse(`(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "read") (param $asks i32) (result i32) (local $sum i32)
    (i32.store8 (i32.const 8) (i32.const 1))
    (loop $again
      (if (local.get $asks) (then
        (if (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)) (then unreachable))))
      (i32.store (i32.const 200) (i32.add (i32.const 1024) (local.get $sum)))
      (i32.store (i32.const 204) (i32.const 100))
      (if (call $read (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 208)) (then unreachable))
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 208))))
      (br_if $again (i32.load (i32.const 208))))
    (local.get $sum)))`);

const kinds = { "core module": sleeper, component: blocker };

interface Guest {
  readonly isPoisoned: boolean;
  close(): void;
  /** Undefined from a component, the errno from a core module. */
  sleep(ms: number): unknown;
}

function guestOf(bytes: Uint8Array, waiting: Waiting, limits: Partial<Limits> = {}): Guest {
  const grants = [{ capability: "wasi.base" }, { capability: "clock.read" }] as const;
  const sandbox = sandboxImports({
    plugin: "waits",
    grants,
    audit: { write: () => {} },
    log: { write: () => {} },
    nowMs: Date.now,
    waiting,
  });
  const artifact = openArtifact(bytes, { plugin: "waits" });
  const instance = artifact.instantiate({
    limits: { ...defaultLimits, ...limits },
    imports: (guest) => sandbox.forInstance(guest).hostImports(artifact.imports),
  });
  const { sleep } = instance.exports as { sleep(ms: number): unknown }; // both export it
  return {
    sleep,
    close: () => sandbox.close(),
    get isPoisoned() {
      return instance.isPoisoned;
    },
  };
}

for (const [kind, bytes] of Object.entries(kinds)) {
  test(`a ${kind} sleeps while the thread goes on`, async () => {
    const guests = Array.from({ length: 20 }, () => guestOf(bytes, suspendedWaiting, { deadlineMs: 20_000 }));
    const beganMs = performance.now();
    let turns = 0;
    const turning = setInterval(() => turns++);
    const slept = await Promise.all(guests.map((guest) => guest.sleep(300)));
    clearInterval(turning);
    const tookMs = performance.now() - beganMs;
    // One after another they would take six seconds, and the first would hold up the thread.
    assert.ok(tookMs >= 299 && tookMs < 20 * 300, `twenty at a time took ${tookMs} ms`);
    assert.ok(turns > 0);
    for (const guest of guests) guest.close();
    assert.deepEqual(new Set(slept), new Set([kind === "component" ? undefined : 0]));
  });

  test(`a ${kind} that sleeps beyond its deadline is ended then`, async () => {
    const guest = guestOf(bytes, suspendedWaiting, { deadlineMs: 20 });
    const beganMs = performance.now();
    await assert.rejects(async () => guest.sleep(10_000), { code: "engine/deadline" });
    guest.close();
    // It does not look, again and again, whether its time has come.
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(performance.now() - beganMs < 5_000);
    assert.equal(guest.isPoisoned, true);
  });

  test(`a ${kind} that sleeps longer than the host allows is ended at once`, async () => {
    const guest = guestOf(bytes, suspendedWaiting, { deadlineMs: 100_000 });
    await assert.rejects(async () => guest.sleep(40_000), { code: "sandbox/limit-exceeded" });
  });

  test(`a ${kind} that cannot wait is told so by a code, and by which isolation it could`, () => {
    const guest = guestOf(bytes, noWaiting);
    assert.throws(
      () => guest.sleep(1),
      (error) => isRemoraError(error, "sandbox/cannot-wait") && /isolation/.test(error.message),
    );
  });
}

for (const asks of [0, 1]) {
  test(`standard input that comes by and by is waited for, ${asks === 0 ? "in reading" : "in asking first"}`, async () => {
    let turns = 0;
    async function* pieces() {
      for (const text of ["one ", "", "two ", "three"]) {
        turns++;
        await new Promise((resolve) => setImmediate(resolve));
        yield new TextEncoder().encode(text);
      }
    }
    const sandbox = sandboxImports({
      plugin: "reads",
      grants: [{ capability: "wasi.base" }],
      audit: { write: () => {} },
      log: { write: () => {} },
      nowMs: Date.now,
      waiting: suspendedWaiting,
      standardInput: pieces(),
    });
    const artifact = openArtifact(reader, { plugin: "reads" });
    const instance = artifact.instantiate({
      limits: { ...defaultLimits, deadlineMs: 30_000 },
      imports: (guest) => sandbox.forInstance(guest).hostImports(artifact.imports),
    });
    assert.ok(instance.kind === "module");
    const length = Number(await instance.exports.read?.(asks));
    const read = new Uint8Array(instance.memory?.buffer ?? new ArrayBuffer(0)).subarray(
      1_024,
      1_024 + length,
    );
    assert.deepEqual([new TextDecoder().decode(read), turns], ["one two three", 4]);
    sandbox.close();
  });
}

test("input is asked for as it is read: one piece is kept, and what fails ends", async () => {
  let given = 0;
  const input = streamInput({
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        if (given === 3) throw new Error("no more");
        given++;
        return { done: false, value: new Uint8Array(1_000) };
      },
    }),
  });
  assert.deepEqual([input.read(10), given], [new Uint8Array(0), 1]);
  await input.change.next();
  assert.deepEqual([input.isReady(), input.availableBytes, given], [true, 1_000, 1]);
  for (let read = 0; read < 3_000; ) {
    const part = input.read(300);
    assert.ok(part !== "end");
    read += part.length;
    assert.ok(given * 1_000 - read <= 1_000);
    if (part.length === 0) await input.change.next();
  }
  assert.equal(input.isReady(), false);
  await input.change.next();
  assert.equal(input.read(1), "end");
});

test("marks are one sandbox's: beside one that suspends, calls of another give their results at once", async () => {
  const [suspending, plain] = [guestOf(blocker, suspendedWaiting), guestOf(blocker, noWaiting)];
  assert.ok(suspending.sleep(0) instanceof Promise);
  assert.equal(plain.sleep(0), undefined);
});

test("a guest that is gone leaves no timer behind", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const guest = guestOf(sleeper, suspendedWaiting, { deadlineMs: 20 });
  await assert.rejects(async () => guest.sleep(20_000), { code: "engine/deadline" });
  guest.close();
  assert.equal(timers(), before);
});
