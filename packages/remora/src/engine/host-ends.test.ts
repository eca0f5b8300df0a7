/** Streams and futures of the host's that a guest drops, or whose host misbehaves, at every level. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openArtifact } from "./artifact.ts";
import type { IsolatedInstance } from "./isolation/isolation.ts";
import { openIsolation } from "./isolation/open.ts";
import { defaultLimits } from "./limits.ts";
import { load } from "./load.ts";
import { componentOf, neverSettles, stackful } from "./testing/async-guests.test.ts";

const dropping = await componentOf({
  uses: ["return", "return-none", "return-bytes", "bytes-new", "bytes-write", "bytes-close", "bytes-drop"],
  imports: '(import "note" (func $note-host))',
  hostImports: {
    note: { core: "", canon: "lower (func $note-host)" },
    "error-drop": { core: "(param i32)", canon: "error-context.drop" },
    "later-drop": { core: "(param i32)", canon: "future.drop-readable $later" },
  },
  code: `
    (global $held (mut i32) (i32.const 0))
    (func (export "hold") (param i32) (global.set $held (local.get 0)) (call $return (i32.const 1)))
    (func (export "drop-held") (result i32) (call $bytes-drop (global.get $held)) (i32.const 2))
    (func (export "drop-bytes") (param i32) (call $bytes-drop (local.get 0)) (call $return (i32.const 1)))
    (func (export "drop-later") (param i32) (call $later-drop (local.get 0)) (call $return (i32.const 1)))
    (func (export "blame") (param i32) (call $error-drop (local.get 0)))
    (func (export "plain") (result i32) (call $note) (i32.const 7))
    (func (export "give") (local $ends i64) (local $end i32)
      (local.set $ends (call $bytes-new))
      (call $return-bytes (i32.wrap_i64 (local.get $ends)))
      (local.set $end (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (i32.store8 (i32.const 512) (i32.const 9))
      (drop (call $bytes-write (local.get $end) (i32.const 512) (i32.const 1)))
      (call $bytes-close (local.get $end)))`,
  exports: `
    ${stackful("drop-bytes", '(param "bytes" $bytes) (result u32)')}
    ${stackful("hold", '(param "bytes" $bytes) (result u32)')}
    (func (export "drop-held") (result u32) (canon lift (core func $i "drop-held")))
    ${stackful("drop-later", '(param "value" $later) (result u32)')}
    ${stackful("give", "(result $bytes)")}
    (func (export "blame") (param "why" error-context) (canon lift (core func $i "blame")))
    (func (export "plain") (result u32) (canon lift (core func $i "plain")))`,
});

/** A source that has been asked for a value and has not given it, and says whether it was let go of. */
function waitingSource(returned: () => unknown) {
  const next = Promise.withResolvers<IteratorResult<Uint8Array>>();
  const begun = Promise.withResolvers<void>();
  const iterator = {
    next() {
      begun.resolve();
      return next.promise;
    },
    return: returned,
  };
  return { source: { [Symbol.asyncIterator]: () => iterator }, next, begun: begun.promise };
}

const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level, { threadsMax: 1 });
  test.after(() => isolation.close());

  const open = (note: () => void = () => {}) =>
    isolation.instantiate(openArtifact(dropping, { plugin: "dropping" }), {
      imports: { note },
      limits: defaultLimits,
    });
  const call = async (guest: IsolatedInstance, name: string, ...args: unknown[]) =>
    (await guest.call(name, args)).result;

  test(`${level}: a source whose stream the guest drops is let go of, also when it has given nothing yet`, async () => {
    const guest = await open();
    const returned = Promise.withResolvers<void>();
    const { source, begun } = waitingSource(() => {
      returned.resolve();
      return { done: true, value: undefined };
    });
    assert.equal(await call(guest, "hold", source), 1);
    await begun;
    assert.equal(await call(guest, "dropHeld"), 2);
    await returned.promise;
    guest.close();
  });

  for (const [what, returned] of Object.entries({
    "gives no promise": () => ({ done: true }),
    throws: () => {
      throw new Error("no");
    },
    rejects: () => Promise.reject(new Error("no")),
  })) {
    test(`${level}: a source whose return ${what} does no harm`, async () => {
      const guest = await open();
      assert.equal(await call(guest, "hold", waitingSource(returned).source), 1);
      await turns();
      assert.equal(await call(guest, "dropHeld"), 2);
      await turns();
      assert.equal(await call(guest, "plain"), 7);
      guest.close();
    });
  }

  test(`${level}: what fails late, of what the guest has dropped, is no failure of its`, async () => {
    const guest = await open();
    const { source, next, begun } = waitingSource(async () => ({ done: true, value: undefined }));
    assert.equal(await call(guest, "hold", source), 1);
    await begun;
    assert.equal(await call(guest, "dropHeld"), 2);
    const later = Promise.withResolvers<number>();
    assert.equal(await call(guest, "dropLater", later.promise), 1);
    next.reject(new Error("late"));
    later.reject(new Error("late"));
    await turns();
    assert.equal(await call(guest, "plain"), 7);
    assert.equal(guest.isPoisoned, false);
    guest.close();
  });

  test(`${level}: dropped ends of the host's leave nothing behind, however many there were`, async () => {
    const guest = await open();
    let returned = 0;
    const source = () => waitingSource(() => ++returned).source;
    // Each is more than may cross a wall at one time.
    for (let round = 0; round < 1_100; round++) {
      assert.equal(await call(guest, "dropBytes", source()), 1);
      assert.equal(await call(guest, "dropLater", neverSettles()), 1);
    }
    await turns();
    assert.equal(await call(guest, "plain"), 7);
    assert.equal(returned, 1_100);
    guest.close();
  });

  test(`${level}: a source that cannot begin fails the call`, async () => {
    const guest = await open();
    await assert.rejects(call(guest, "dropBytes", { [Symbol.asyncIterator]: 5 }), {
      code: "component/type-mismatch",
    });
    assert.equal(guest.isPoisoned, false);
    guest.close();
  });

  test(`${level}: an error whose message is no text is refused, and leaves the guest as it was`, async () => {
    const guest = await open();
    await call(guest, "blame", new Error("no"));
    for (const message of [undefined, null, 5, {}]) {
      const wrong = Object.assign(new Error("no"), { message });
      await assert.rejects(call(guest, "blame", wrong), { code: "component/type-mismatch" });
    }
    assert.equal(await call(guest, "plain"), 7);
    guest.close();
  });

  test(`${level}: a host function of a call that gives its result at once may read from a stream meanwhile`, async () => {
    let read: Promise<IteratorResult<Uint8Array>> | undefined;
    let iterator: AsyncIterator<Uint8Array> | undefined;
    const guest = await open(() => {
      read ??= iterator?.next();
    });
    iterator = ((await call(guest, "give")) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    assert.equal(await call(guest, "plain"), 7);
    assert.deepEqual((await read)?.value, Uint8Array.of(9));
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    guest.close();
  });
}

test("inline: of a source that is dropped before it began, nothing is read", async () => {
  const { exports } = await load<{ dropBytes(bytes: AsyncIterable<Uint8Array>): Promise<number> }>(dropping, {
    imports: { note() {} },
  });
  let hasBegun = false;
  async function* source() {
    hasBegun = true;
    yield Uint8Array.of(1);
  }
  assert.equal(await exports.dropBytes(source()), 1);
  await turns();
  assert.equal(hasBegun, false);
});
