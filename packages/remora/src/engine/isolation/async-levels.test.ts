/** Guests of asynchronous components at every level: functions, streams and futures, and what ends them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { asyncHostFunction } from "../../component/index.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import {
  askingBytes,
  chunks,
  componentOf,
  neverSettles,
  stackful,
  streamingBytes,
} from "../testing/async-guests.test.ts";
import type { IsolatedInstance } from "./isolation.ts";
import { openIsolation } from "./open.ts";
import { moduleArtifact } from "./testing/guests.test.ts";

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());

  const open = (bytes: Uint8Array, imports = {}, limits: Partial<Limits> = {}) =>
    isolation.instantiate(openArtifact(bytes, { plugin: "async" }), {
      imports,
      limits: { ...defaultLimits, ...limits },
    });
  const asking = (ask: (of: number) => unknown, limits: Partial<Limits> = {}) =>
    open(askingBytes, { ask }, limits);
  const call = async (guest: IsolatedInstance, name: string, ...args: unknown[]) =>
    (await guest.call(name, args)).result;

  for (const name of ["both", "bothStackful"]) {
    test(`${level}, ${name}: a guest asks the host twice at once, and waits for both`, async () => {
      const asked: { of: number; answer: (value: number) => void }[] = [];
      const both = Promise.withResolvers<void>();
      const guest = await asking(
        (of) =>
          new Promise<number>((answer) => {
            asked.push({ of, answer });
            if (asked.length === 2) both.resolve();
          }),
      );
      const sum = call(guest, name, 5);
      await both.promise;
      assert.deepEqual(
        asked.map(({ of }) => of),
        [5, 6],
      );
      asked[1]?.answer(200);
      asked[0]?.answer(100);
      assert.equal(await sum, 300);
      assert.ok(guest.report.fuelUsed > 0);
      guest.close();
    });
  }

  test(`${level}: what the host has at once, a synchronous call of it, and a function of synchronous type`, async () => {
    const guest = await asking((of) => of + 1);
    assert.equal(await call(guest, "both", 5), 13);
    assert.equal(await call(guest, "one", 5), 6);
    assert.equal(await call(guest, "plain"), 7);
    const { results } = await guest.callBatch("both", [[1], [2], [3]]);
    assert.deepEqual(results, [5, 7, 9]);
    guest.close();
  });

  test(`${level}: while a guest waits another one is called, and itself takes no second call`, async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const asked = Promise.withResolvers<void>();
    const guest = await asking(() => {
      asked.resolve();
      return promise;
    });
    const other = await asking((of) => of);
    const first = call(guest, "both", 1);
    await asked.promise;
    await assert.rejects(call(guest, "both", 2), { code: "engine/re-entered" });
    assert.equal(await call(other, "both", 1), 3);
    resolve(4);
    assert.equal(await first, 8);
    guest.close();
    other.close();
  });

  test(`${level}: a call that waits ends at its deadline, and so does its instance`, async () => {
    const guest = await asking(neverSettles, { deadlineMs: 20 });
    await assert.rejects(call(guest, "both", 5), { code: "engine/deadline", fault: "guest" });
    assert.ok(guest.isPoisoned);
    await assert.rejects(call(guest, "both", 5), { code: "engine/poisoned" });
    guest.close();
  });

  test(`${level}: what the host's promise is rejected with fails the call`, async () => {
    const guest = await asking(() => Promise.reject(new Error("no")));
    await assert.rejects(call(guest, "both", 1), { code: "component/host-failed" });
    assert.ok(guest.isPoisoned);
    guest.close();
  });

  test(`${level}: closing an instance ends a call that waits`, async () => {
    const asked = Promise.withResolvers<void>();
    const guest = await asking(() => {
      asked.resolve();
      return neverSettles();
    });
    const waiting = call(guest, "both", 1);
    await asked.promise;
    guest.close();
    await assert.rejects(waiting, { code: "engine/closed" });
  });

  test(`${level}: bytes that a guest writes after its result come to the host in chunks`, async () => {
    const guest = await open(streamingBytes);
    const seen: number[] = [];
    for await (const chunk of (await call(guest, "count", 5)) as AsyncIterable<Uint8Array>)
      seen.push(...chunk);
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
    guest.close();
  });

  test(`${level}: a host that leaves the loop lets go of the stream, and the guest is told`, async () => {
    const guest = await open(streamingBytes);
    for await (const chunk of (await call(guest, "count", 1_000_000)) as AsyncIterable<Uint8Array>)
      if (chunk[0] === 2) break;
    assert.equal(await call(guest, "sum", chunks(Uint8Array.of(1, 2))), 3);
    guest.close();
  });

  test(`${level}: streams of the host's are read in the pieces that the guest asks for, and let go of`, async () => {
    const guest = await open(streamingBytes);
    const given = [Uint8Array.of(1, 2, 3, 4), new Uint8Array(0), Uint8Array.of(5)];
    assert.equal(await call(guest, "sum", chunks(...given)), 15);
    assert.equal(await call(guest, "sum", chunks()), 0);
    guest.close();
  });

  test(`${level}: streams of other values are copied one by one, both ways`, async () => {
    const guest = await open(streamingBytes);
    const seen: string[] = [];
    for await (const text of (await call(guest, "texts")) as AsyncIterable<string>) seen.push(text);
    assert.deepEqual(seen, ["alpha", "beta"]);
    async function* texts() {
      yield* ["one", "three"];
    }
    assert.equal(await call(guest, "lengths", texts()), 8);
    guest.close();
  });

  test(`${level}: futures are promises, both ways`, async () => {
    const guest = await open(streamingBytes);
    assert.equal(await call(guest, "promise", 41), 41);
    assert.equal(await call(guest, "await", Promise.resolve(42)), 42);
    guest.close();
  });

  test(`${level}: a stream that comes back, to the host or to the guest, gives the same values`, async () => {
    const guest = await open(streamingBytes);
    const seen: number[] = [];
    const back = (await call(guest, "echo", chunks(Uint8Array.of(7, 8)))) as AsyncIterable<Uint8Array>;
    for await (const chunk of back) seen.push(...chunk);
    assert.deepEqual(seen, [7, 8]);
    const stream = await call(guest, "echo", chunks(Uint8Array.of(1, 2, 3)));
    assert.equal(await call(guest, "sum", stream), 6);
    guest.close();
  });

  test(`${level}: what is no stream and no promise is refused, and a source that throws fails the call`, async () => {
    const guest = await open(streamingBytes);
    await assert.rejects(call(guest, "sum", [1, 2]), { code: "component/type-mismatch" });
    await assert.rejects(call(guest, "await", 5), { code: "component/type-mismatch" });
    async function* failing() {
      yield Uint8Array.of(1);
      throw new Error("lost");
    }
    await assert.rejects(call(guest, "sum", failing()), { code: "component/host-failed" });
    assert.ok(guest.isPoisoned);
    guest.close();
  });

  test(`${level}: what a guest does after its result is paid from the fuel of that call`, async () => {
    const guest = await open(streamingBytes, {}, { fuelMax: 2_000 });
    const stream = (await call(guest, "count", 1_000_000)) as AsyncIterable<Uint8Array>;
    await assert.rejects(
      async () => {
        for await (const _ of stream);
      },
      { code: "engine/out-of-fuel" },
    );
    guest.close();
  });

  test(`${level}: a reader of a guest that is closed is told`, async () => {
    const guest = await open(streamingBytes);
    const stream = (await call(guest, "count", 3)) as AsyncIterable<Uint8Array>;
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    guest.close();
    await assert.rejects(iterator.next(), { code: "engine/closed" });
  });
}

/** Never ends, and never waits. */
const spinning = await componentOf({
  uses: [],
  code: '(func (export "spin") (loop (br 0)))',
  exports: stackful("spin", ""),
});

for (const level of ["worker", "process"] as const) {
  test(`${level}: closing an asynchronous guest that loops without a deadline ends its call`, async () => {
    await using isolation = openIsolation(level, { threadsMax: 1 });
    const limits = { ...defaultLimits, fuelMax: Infinity, deadlineMs: Infinity };
    const open = () =>
      isolation.instantiate(openArtifact(spinning, { plugin: "async" }), { imports: {}, limits });
    const guest = await open();
    const call = guest.call("spin", []);
    const inLine = guest.call("spin", []);
    await new Promise((turn) => setImmediate(turn));
    guest.close();
    await assert.rejects(call, { code: "engine/closed" });
    await assert.rejects(inLine, { code: "engine/closed" });
    // Its thread serves again.
    const next = await open();
    next.close();
  });
}

test("worker: an asynchronous guest goes on when a guest below that waits for the host does", async () => {
  await using isolation = openIsolation("worker", { threadsMax: 1 });
  const { promise, resolve } = Promise.withResolvers<number>();
  const asked = Promise.withResolvers<void>();
  const below = await isolation.instantiate(moduleArtifact(), {
    limits: defaultLimits,
    imports: {
      env: {
        note: asyncHostFunction(() => {
          asked.resolve();
          return promise;
        }),
        shout: () => {},
      },
    },
  });
  const guest = await isolation.instantiate(openArtifact(askingBytes, { plugin: "async" }), {
    limits: defaultLimits,
    imports: { ask: (of: number) => of },
  });
  const waiting = below.call("note", [1]);
  await asked.promise;
  const sum = guest.call("both", [5]);
  resolve(8);
  assert.equal((await waiting).result, 8);
  assert.equal((await sum).result, 11);
});
