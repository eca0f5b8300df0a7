/** Guests of the asynchronous ABI against a host: what they give, take and wait for, on the metered engine. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { decodeComponent, prepareComponent } from "../component/index.ts";
import { PlainEngine } from "../component/testing/harness.test.ts";
import { load } from "./load.ts";
import {
  type Asking,
  askingBytes,
  componentOf,
  type Guest,
  memory,
  neverSettles,
  realloc,
  stackful,
} from "./testing/async-guests.test.ts";

for (const name of ["both", "bothStackful"] as const) {
  test(`${name}: a guest asks the host twice at once, and waits for both`, async () => {
    const asked: { of: number; answer: (value: number) => void }[] = [];
    const ask = (of: number) => new Promise<number>((answer) => asked.push({ of, answer }));
    const { exports } = await load<Asking>(askingBytes, { imports: { ask } });
    const sum = exports[name](5);
    assert.deepEqual(
      asked.map(({ of }) => of),
      [5, 6],
    );
    asked[1]?.answer(200);
    asked[0]?.answer(100);
    assert.equal(await sum, 300);
  });

  test(`${name}: what the host has at once is not waited for`, async () => {
    const { exports } = await load<Asking>(askingBytes, { imports: { ask: (of: number) => of } });
    assert.equal(await exports[name](5), 11);
    assert.equal(await exports[name](6), 13);
  });
}

test("a guest may wait in the middle of a synchronous call of an asynchronous function", async () => {
  const { exports } = await load<Asking>(askingBytes, { imports: { ask: async (of: number) => of + 1 } });
  assert.equal(await exports.one(5), 6);
});

test("a function of synchronous type gives its result at once, beside asynchronous ones", async () => {
  const { exports } = await load<Asking>(askingBytes, { imports: { ask: neverSettles } });
  assert.equal(exports.plain(), 7);
});

test("a call that waits for the host ends at its deadline, and so does its instance", async () => {
  for (const name of ["both", "bothStackful", "one"] as const) {
    const instance = await load<Asking>(askingBytes, {
      imports: { ask: neverSettles },
      limits: { deadlineMs: 5 },
    });
    await assert.rejects(instance.exports[name](5), { code: "engine/deadline" });
    assert.ok(instance.isPoisoned);
    await assert.rejects(instance.exports[name](5), { code: "engine/poisoned" });
  }
});

test("a second call is refused while one waits", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const { exports } = await load<Asking>(askingBytes, { imports: { ask: () => promise } });
  const first = exports.both(1);
  await assert.rejects(exports.both(2), { code: "engine/re-entered" });
  assert.throws(() => exports.plain(), { code: "engine/re-entered" });
  resolve(4);
  assert.equal(await first, 8);
});

test("a promise of the host that rejects fails the call that waits for it", async () => {
  const ask = () => Promise.reject(new Error("no"));
  const instance = await load<Asking>(askingBytes, { imports: { ask } });
  await assert.rejects(instance.exports.both(1), { code: "component/host-failed" });
  assert.ok(instance.isPoisoned);
});

test("closing an instance ends a call that waits without a stack", async () => {
  const instance = await load<Asking>(askingBytes, { imports: { ask: neverSettles } });
  const call = instance.exports.both(1);
  instance.close();
  await assert.rejects(call, { code: "engine/closed" });
});

test("without a stack to put aside, guests that are called back work all the same", async () => {
  const prepared = prepareComponent(decodeComponent(askingBytes));
  const ask = async (of: number) => of;
  const { exports } = prepared.instantiate({ engine: new PlainEngine(), imports: { ask } });
  const guest = exports as unknown as Asking; // As in the component above.
  assert.equal(await guest.both(5), 11);
  await assert.rejects(guest.bothStackful(5), { code: "component/cannot-wait" });
});

// Bytes: `count` gives 0, 1, 2, … after its result; `sum` adds what it is given. Texts: in and out the same way.
const streaming: Guest = {
  uses: [
    ...([
      "return",
      "return-bytes",
      "bytes-new",
      "bytes-write",
      "bytes-read",
      "bytes-close",
      "bytes-drop",
    ] as const),
    ...(["return-texts", "texts-new", "texts-write", "texts-read", "texts-close", "texts-drop"] as const),
    ...(["return-later", "later-new", "later-write", "later-read", "later-close"] as const),
  ],
  code: `
    (data (i32.const 64) "alphabeta")
    (func $high (param i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32))))
    (func (export "count") (param $to i32) (local $ends i64) (local $next i32) (local $result i32)
      (local.set $ends (call $bytes-new))
      (call $return-bytes (i32.wrap_i64 (local.get $ends)))
      (loop $l
        (if (i32.lt_u (local.get $next) (local.get $to))
          (then
            (i32.store8 (i32.const 512) (local.get $next))
            (local.set $result (call $bytes-write (call $high (local.get $ends)) (i32.const 512) (i32.const 1)))
            (local.set $next (i32.add (local.get $next) (i32.const 1)))
            (br_if $l (i32.eqz (i32.and (local.get $result) (i32.const 1)))))))
      (call $bytes-close (call $high (local.get $ends))))
    (func (export "sum") (param $stream i32) (local $packed i32) (local $at i32) (local $sum i32)
      (loop $more
        (local.set $packed (call $bytes-read (local.get $stream) (i32.const 512) (i32.const 3)))
        (local.set $at (i32.const 0))
        (loop $each
          (if (i32.lt_u (local.get $at) (i32.shr_u (local.get $packed) (i32.const 4)))
            (then
              (local.set $sum (i32.add (local.get $sum) (i32.load8_u offset=512 (local.get $at))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $each))))
        (br_if $more (i32.eqz (i32.and (local.get $packed) (i32.const 1)))))
      (call $bytes-drop (local.get $stream))
      (call $return (local.get $sum)))
    (func (export "texts") (local $ends i64)
      (local.set $ends (call $texts-new))
      (call $return-texts (i32.wrap_i64 (local.get $ends)))
      (i32.store (i32.const 512) (i32.const 64)) (i32.store (i32.const 516) (i32.const 5))
      (i32.store (i32.const 520) (i32.const 69)) (i32.store (i32.const 524) (i32.const 4))
      (drop (call $texts-write (call $high (local.get $ends)) (i32.const 512) (i32.const 2)))
      (call $texts-close (call $high (local.get $ends))))
    (func (export "lengths") (param $stream i32) (local $packed i32) (local $sum i32)
      (loop $more
        (local.set $packed (call $texts-read (local.get $stream) (i32.const 512) (i32.const 1)))
        (if (i32.shr_u (local.get $packed) (i32.const 4))
          (then (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 516))))))
        (br_if $more (i32.eqz (i32.and (local.get $packed) (i32.const 1)))))
      (call $texts-drop (local.get $stream))
      (call $return (local.get $sum)))
    (func (export "promise") (param $value i32) (local $ends i64)
      (local.set $ends (call $later-new))
      (call $return-later (i32.wrap_i64 (local.get $ends)))
      (i32.store (i32.const 512) (local.get $value))
      (drop (call $later-write (call $high (local.get $ends)) (i32.const 512)))
      (call $later-close (call $high (local.get $ends))))
    (func (export "await") (param $future i32)
      (drop (call $later-read (local.get $future) (i32.const 512)))
      (call $return (i32.load (i32.const 512))))
    (func (export "echo") (param i32) (call $return-bytes (local.get 0)))`,
  exports: `
    ${stackful("count", '(param "to" u32) (result $bytes)')}
    ${stackful("sum", '(param "bytes" $bytes) (result u32)')}
    ${stackful("texts", "(result $texts)")}
    (func (export "lengths") async (param "texts" $texts) (result u32)
      (canon lift (core func $i "lengths") async ${memory} ${realloc}))
    ${stackful("promise", '(param "value" u32) (result $later)')}
    ${stackful("await", '(param "value" $later) (result u32)')}
    ${stackful("echo", '(param "bytes" $bytes) (result $bytes)')}`,
};

interface Streaming {
  count(to: number): Promise<AsyncIterable<Uint8Array>>;
  sum(bytes: AsyncIterable<Uint8Array>): Promise<number>;
  texts(): Promise<AsyncIterable<string>>;
  lengths(texts: AsyncIterable<string>): Promise<number>;
  promise(value: number): Promise<number>;
  await(value: Promise<number>): Promise<number>;
  echo(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>>;
}

const streamingBytes = await componentOf(streaming);
const streams = (limits = {}) => load<Streaming>(streamingBytes, { limits });

async function* chunks(...all: Uint8Array[]) {
  yield* all;
}

test("bytes that a guest writes after its result come to the host in chunks", async () => {
  const { exports } = await streams();
  const seen: number[] = [];
  for await (const chunk of await exports.count(5)) seen.push(...chunk);
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
});

test("a host that leaves the loop lets go of the stream, and the guest is told", async () => {
  const { exports } = await streams();
  for await (const chunk of await exports.count(1_000_000)) if (chunk[0] === 2) break;
  assert.equal(await exports.sum(chunks(Uint8Array.of(1, 2))), 3);
});

test("bytes that the host gives are read in the pieces that the guest asks for", async () => {
  const { exports } = await streams();
  assert.equal(await exports.sum(chunks(Uint8Array.of(1, 2, 3, 4), new Uint8Array(0), Uint8Array.of(5))), 15);
  assert.equal(await exports.sum(chunks()), 0);
});

test("streams of other values are copied one by one, both ways", async () => {
  const { exports } = await streams();
  const seen: string[] = [];
  for await (const text of await exports.texts()) seen.push(text);
  assert.deepEqual(seen, ["alpha", "beta"]);
  async function* texts() {
    yield* ["one", "three"];
  }
  assert.equal(await exports.lengths(texts()), 8);
});

test("futures are promises, both ways", async () => {
  const { exports } = await streams();
  assert.equal(await exports.promise(41), 41);
  assert.equal(await exports.await(Promise.resolve(42)), 42);
});

test("a stream that comes back to the host is the one that it gave", async () => {
  const { exports } = await streams();
  const seen: number[] = [];
  for await (const chunk of await exports.echo(chunks(Uint8Array.of(7, 8)))) seen.push(...chunk);
  assert.deepEqual(seen, [7, 8]);
});

test("a stream of a guest's is handed back to it without the host between", async () => {
  const { exports } = await streams();
  const stream = await exports.echo(chunks(Uint8Array.of(1, 2, 3)));
  assert.equal(await exports.sum(stream), 6);
});

test("what is no stream, no promise, or carries the wrong values is refused by its path or fails the call", async () => {
  const { exports } = await streams();
  // biome-ignore lint/suspicious/noExplicitAny: what a caller without types might pass
  const wrong = exports as any;
  await assert.rejects(wrong.sum([1, 2]), { code: "component/type-mismatch" });
  await assert.rejects(wrong.await(5), { code: "component/type-mismatch" });
  async function* numbers() {
    yield 5;
  }
  await assert.rejects(wrong.lengths(numbers()), { code: "component/host-result" });
});

test("a source of the host's that throws fails the call: half a stream does not pass for all of it", async () => {
  const { exports } = await streams();
  async function* failing() {
    yield Uint8Array.of(1);
    throw new Error("lost");
  }
  await assert.rejects(exports.sum(failing()), { code: "component/host-failed" });
});

test("what a guest does after its result is paid from the fuel of that call", async () => {
  const { exports } = await streams({ fuelMax: 2_000 });
  const stream = await exports.count(1_000_000);
  await assert.rejects(
    async () => {
      for await (const _ of stream);
    },
    { code: "engine/out-of-fuel" },
  );
});

test("a reader that waits when its guest fails is told how it failed", async () => {
  const instance = await streams({ deadlineMs: 5 });
  const stream = await instance.exports.count(3);
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  instance.close();
  await assert.rejects(iterator.next(), { code: "engine/closed" });
});

test("an object of a guest's that is let go of while a call waits is destroyed when the guest has paused", async () => {
  const bytes = await parse(`(component
    (import "nap" (func $nap async))
    (core module $d (global $count (mut i32) (i32.const 0))
      (func (export "dtor") (param i32) (global.set $count (i32.add (global.get $count) (local.get 0))))
      (func (export "count") (result i32) (global.get $count)))
    (core instance $d (instantiate $d))
    (type $thing (resource (rep i32) (dtor (core func $d "dtor"))))
    (core func $new (canon resource.new $thing))
    (core func $nap-core (canon lower (func $nap)))
    (core module $m (import "h" "new" (func $new (param i32) (result i32))) (import "h" "nap" (func $nap))
      (func (export "make") (result i32) (call $new (i32.const 5)))
      (func (export "sleep") (call $nap)))
    (core instance $i (instantiate $m
      (with "h" (instance (export "new" (func $new)) (export "nap" (func $nap-core))))))
    (export $exported "thing" (type $thing))
    (func (export "make") async (result (own $exported)) (canon lift (core func $i "make")))
    (func (export "sleep") async (canon lift (core func $i "sleep")))
    (func (export "count") (result u32) (canon lift (core func $d "count"))))`);
  interface Exports {
    make(): Promise<Disposable>;
    sleep(): Promise<void>;
    count(): number;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  const { exports } = await load<Exports>(bytes, { imports: { nap: () => promise } });
  const thing = await exports.make();
  const asleep = exports.sleep();
  thing[Symbol.dispose]();
  resolve();
  await asleep;
  assert.equal(exports.count(), 5);
});
