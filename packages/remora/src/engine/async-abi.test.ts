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
  chunks,
  neverSettles,
  type Streaming,
  streamingBytes,
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

const streams = (limits = {}) => load<Streaming>(streamingBytes, { limits });

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
