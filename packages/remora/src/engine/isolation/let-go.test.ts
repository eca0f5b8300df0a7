/** Futures that somebody lets go of before they have a value: nobody owes it any more, and the guest is told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forget } from "../../component/async/forgettable.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits } from "../limits.ts";
import { componentOf, neverSettles } from "../testing/async-guests.test.ts";
import { CrossingEnds, type EndsPeer, type EndType } from "./crossing-ends.ts";
import { openIsolation } from "./open.ts";

// `offer` gives the host a future; `finish` writes to it and says what became of that: 0 when somebody has it, 1 when nobody.
const offering = await componentOf({
  uses: ["return", "later-new", "later-write", "later-close"],
  imports: '(import "take" (func $take-host (param "later" $later)))',
  hostImports: { take: { core: "(param i32)", canon: "lower (func $take-host)" } },
  code: `
    (global $end (mut i32) (i32.const 0))
    (func (export "offer") (local $ends i64)
      (local.set $ends (call $later-new))
      (global.set $end (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (call $take (i32.wrap_i64 (local.get $ends))))
    (func (export "finish") (local $result i32)
      (local.set $result (call $later-write (global.get $end) (i32.const 512)))
      (call $later-close (global.get $end))
      (call $return (local.get $result)))`,
  exports: `
    (func (export "offer") (canon lift (core func $i "offer")))
    (func (export "finish") async (result u32) (canon lift (core func $i "finish") async))`,
});

for (const level of ["inline", "worker", "process"] as const) {
  test(`${level}: a guest is told that its future was let go of, however many were before`, async () => {
    await using isolation = openIsolation(level);
    let isKept = true;
    const guest = await isolation.instantiate(openArtifact(offering, { plugin: "async" }), {
      limits: defaultLimits,
      imports: {
        take: (later: Promise<unknown>) => {
          if (!isKept) forget(later);
        },
      },
    });
    const outcome = async () => {
      await guest.call("offer", []);
      return (await guest.call("finish", [])).result;
    };
    assert.equal(await outcome(), 0);
    isKept = false;
    assert.equal(await outcome(), 1);
    // More than a guest may have given at a time.
    for (let at = 0; at < 1_100; at++) await guest.call("offer", []);
    assert.equal(await outcome(), 1);
    guest.close();
  });
}

/** Two sides: what one gives the other has. */
function joined() {
  const peerOf = (giver: () => CrossingEnds): EndsPeer => ({
    want: async (number) => (await giver().next(number))?.result ?? { done: true, value: undefined },
    letGo: (number) => giver().letGo(number),
  });
  const giver: CrossingEnds = new CrossingEnds(peerOf(() => taker));
  const taker: CrossingEnds = new CrossingEnds(peerOf(() => giver));
  return { giver, taker };
}

const future: EndType = { kind: "future", element: undefined };
const stream: EndType = { kind: "stream", element: undefined };

test("a value that was asked for is owed no more when its future or its stream is let go of", async () => {
  const { giver, taker } = joined();
  const later = giver.fromHost(neverSettles(), future);
  const promise = taker.toHost(later, future) as Promise<unknown>; // As a future is.
  forget(promise);
  assert.equal(await promise, undefined);

  async function* silent() {
    yield await neverSettles();
  }
  const values = taker.toHost(giver.fromHost(silent(), stream), stream) as AsyncIterator<unknown>; // As a stream is.
  const next = values.next();
  await values.return?.();
  assert.deepEqual(await next, { done: true, value: undefined });
});

test("whoever gave a future is told through two walls that it was let go of", async () => {
  const [outer, inner] = [joined(), joined()];
  const { promise, resolve } = Promise.withResolvers<void>();
  const source = outer.giver.fromHost(neverSettles(), future);
  const told = outer.giver.letGo.bind(outer.giver);
  outer.giver.letGo = (number) => {
    told(number);
    resolve();
  };
  const between = inner.giver.fromHost(outer.taker.toHost(source, future), future);
  forget(inner.taker.toHost(between, future) as Promise<unknown>);
  await promise;
});
