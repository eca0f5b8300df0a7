/** What guests of the asynchronous ABI may make the host keep: arguments of calls that it has not answered, and words of errors. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction } from "../component/index.ts";
import { openArtifact } from "./artifact.ts";
import { openIsolation } from "./isolation/open.ts";
import { defaultLimits } from "./limits.ts";

const mebibyte = 1024 * 1024;

/** `keep` hands the host 16 MiB as often as it is told, and does not wait; `ask-in-turn` waits each time. */
const keeping = await parse(`(component
  (import "keep" (func $keep async (param "bytes" (list u8))))
  (core module $libc (memory (export "m") 300))
  (core instance $l (instantiate $libc))
  (core func $start (canon lower (func $keep) async (memory (core memory $l "m"))))
  (core func $ask (canon lower (func $keep) (memory (core memory $l "m"))))
  (core func $cancel (canon subtask.cancel async))
  (core func $drop (canon subtask.drop))
  (core func $return (canon task.return))
  (core module $m
    (import "h" "start" (func $start (param i32 i32) (result i32)))
    (import "h" "ask" (func $ask (param i32 i32)))
    (import "h" "cancel" (func $cancel (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "return" (func $return))
    (func (export "keep") (param $times i32)
      (loop $again
        (drop (call $start (i32.const 0) (i32.const ${16 * mebibyte})))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (call $return))
    (func (export "ask") (param $times i32)
      (loop $again
        (call $ask (i32.const 0) (i32.const ${16 * mebibyte}))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (call $return))
    (func (export "cancel") (param $times i32) (local $subtask i32)
      (loop $again
        (local.set $subtask (i32.shr_u (call $start (i32.const 0) (i32.const ${16 * mebibyte})) (i32.const 4)))
        (drop (call $cancel (local.get $subtask)))
        (call $drop (local.get $subtask))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (call $return)))
  (core instance $i (instantiate $m (with "h" (instance
    (export "start" (func $start)) (export "ask" (func $ask)) (export "cancel" (func $cancel))
    (export "drop" (func $drop)) (export "return" (func $return))))))
  ${["keep", "ask", "cancel"]
    .map(
      (name) =>
        `(func (export "${name}") async (param "times" u32) (canon lift (core func $i "${name}") async))`,
    )
    .join("\n")})`);

/** Calls the host so often, and waits for none of its answers. */
const hurrying = await parse(`(component
  (import "nap" (func $nap async))
  (core func $start (canon lower (func $nap) async))
  (core func $cancel (canon subtask.cancel async))
  (core func $drop (canon subtask.drop))
  (core func $return (canon task.return))
  (core module $m
    (import "h" "start" (func $start (result i32)))
    (import "h" "cancel" (func $cancel (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "return" (func $return))
    (func (export "cancel") (param $times i32) (local $subtask i32)
      (loop $again
        (local.set $subtask (i32.shr_u (call $start) (i32.const 4)))
        (drop (call $cancel (local.get $subtask)))
        (call $drop (local.get $subtask))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (call $return)))
  (core instance $i (instantiate $m (with "h" (instance
    (export "start" (func $start)) (export "cancel" (func $cancel))
    (export "drop" (func $drop)) (export "return" (func $return))))))
  (func (export "cancel") async (param "times" u32) (canon lift (core func $i "cancel") async)))`);

const limits = { ...defaultLimits, deadlineMs: 20_000, fuelMax: Number.POSITIVE_INFINITY };

/** Makes so many errors of 1,024 characters that are no Latin ones, and drops each when it is told to. */
const failing = await parse(`(component
  (core module $libc (memory (export "m") 1) (data (i32.const 0) "${"\\d0\\96".repeat(1_024)}"))
  (core instance $l (instantiate $libc))
  (core func $new (canon error-context.new (memory (core memory $l "m"))))
  (core func $drop (canon error-context.drop))
  (core module $m
    (import "h" "new" (func $new (param i32 i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "fail") (param $times i32) (param $drops i32) (local $error i32)
      (loop $again
        (local.set $error (call $new (i32.const 0) (i32.const 2048)))
        (if (local.get $drops) (then (call $drop (local.get $error))))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))
  (core instance $i (instantiate $m (with "h" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (func (export "fail") (param "times" u32) (param "drops" bool) (canon lift (core func $i "fail"))))`);

/** Makes so many streams and futures, and drops both ends of a stream, half-way also while it is read from, when it is told to. */
const making = await parse(`(component
  (type $s (stream u8)) (type $f (future u8))
  (core module $libc (memory (export "m") 1))
  (core instance $l (instantiate $libc))
  (core func $stream (canon stream.new $s))
  (core func $read (canon stream.read $s async (memory (core memory $l "m"))))
  (core func $cancel (canon stream.cancel-read $s))
  (core func $drop-readable (canon stream.drop-readable $s))
  (core func $drop-writable (canon stream.drop-writable $s))
  (core func $future (canon future.new $f))
  (core module $m
    (import "h" "stream" (func $stream (result i64)))
    (import "h" "read" (func $read (param i32 i32 i32) (result i32)))
    (import "h" "cancel" (func $cancel (param i32) (result i32)))
    (import "h" "drop-readable" (func $drop-readable (param i32)))
    (import "h" "drop-writable" (func $drop-writable (param i32)))
    (import "h" "future" (func $future (result i64)))
    (func (export "streams") (param $times i32) (param $drops i32) (local $ends i64) (local $readable i32)
      (loop $again
        (local.set $ends (call $stream))
        (local.set $readable (i32.wrap_i64 (local.get $ends)))
        (drop (call $read (local.get $readable) (i32.const 0) (i32.const 8)))
        (if (local.get $drops) (then
          (drop (call $cancel (local.get $readable)))
          (call $drop-readable (local.get $readable))
          (call $drop-writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (func (export "futures") (param $times i32) (param i32)
      (loop $again
        (drop (call $future))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))
  (core instance $i (instantiate $m (with "h" (instance
    (export "stream" (func $stream)) (export "read" (func $read)) (export "cancel" (func $cancel))
    (export "drop-readable" (func $drop-readable)) (export "drop-writable" (func $drop-writable))
    (export "future" (func $future))))))
  (func (export "streams") (param "times" u32) (param "drops" bool) (canon lift (core func $i "streams")))
  (func (export "futures") (param "times" u32) (param "drops" bool) (canon lift (core func $i "futures"))))`);

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());

  const open = (keep: (bytes: Uint8Array) => unknown) =>
    isolation.instantiate(openArtifact(keeping, { plugin: "keeps" }), {
      imports: { keep: asyncHostFunction(keep) },
      limits,
    });

  test(`${level}: arguments of calls that the host has not answered are bounded together`, async () => {
    let heldBytes = 0;
    const guest = await open((bytes) => {
      heldBytes += bytes.length;
      return new Promise(() => {});
    });
    await assert.rejects(guest.call(["keep"], [100]), { code: "component/trap", fault: "guest" });
    assert.ok(heldBytes <= 64 * mebibyte, `${heldBytes} bytes`);
  });

  test(`${level}: those of calls that were answered are not counted any more`, async () => {
    const guest = await open(() => new Promise((resolve) => setImmediate(resolve)));
    await guest.call(["ask"], [10]);
    await guest.call(["keep"], [3]);
    await guest.call(["ask"], [1]);
    guest.close();
  });

  test(`${level}: the words of errors that a guest keeps are bounded together, and those it dropped are not counted`, async () => {
    const artifact = openArtifact(failing, { plugin: "fails" });
    const guest = await isolation.instantiate(artifact, { imports: {}, limits });
    await guest.call(["fail"], [5_000, true]);
    await guest.call(["fail"], [4_096, false]);
    await assert.rejects(guest.call(["fail"], [1, false]), { code: "component/trap", fault: "guest" });
  });

  for (const kind of ["streams", "futures"] as const) {
    test(`${level}: a guest that keeps ${kind} may have as many ends as handles`, async () => {
      const artifact = openArtifact(making, { plugin: "makes" });
      const guest = await isolation.instantiate(artifact, { imports: {}, limits });
      await guest.call([kind], [50_000, false]);
      await assert.rejects(guest.call([kind], [1, false]), { code: "component/trap", fault: "guest" });
    });
  }

  test(`${level}: streams that a guest drops while it reads from them leave no handle behind`, async () => {
    const artifact = openArtifact(making, { plugin: "makes" });
    const guest = await isolation.instantiate(artifact, { imports: {}, limits });
    await guest.call(["streams"], [120_000, true]);
    await guest.call(["streams"], [49_000, false]);
    guest.close();
  });

  test(`${level}: calls that a guest cancels are counted until the host function is done`, async () => {
    const kept: (() => void)[] = [];
    const guest = await open(() => new Promise<void>((resolve) => kept.push(resolve)));
    await guest.call(["cancel"], [3]);
    for (const done of kept.splice(0)) done();
    // Behind a wall the guest is told with the next message.
    await new Promise((turn) => setImmediate(turn));
    await guest.call(["cancel"], [1]);
    await guest.call(["cancel"], [2]);
    await assert.rejects(guest.call(["cancel"], [3]), { code: "component/trap", fault: "guest" });
    guest.close();
  });

  test(`${level}: so are those without arguments`, async () => {
    let calls = 0;
    const artifact = openArtifact(hurrying, { plugin: "hurries" });
    const guest = await isolation.instantiate(artifact, {
      imports: {
        nap: asyncHostFunction(() => {
          calls++;
          return new Promise(() => {});
        }),
      },
      limits,
    });
    await assert.rejects(guest.call(["cancel"], [100_000]), { code: "component/trap", fault: "guest" });
    assert.ok(calls <= 16_384, `${calls} calls`);
    guest.close();
  });
}
