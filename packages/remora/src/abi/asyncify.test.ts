import assert from "node:assert/strict";
import { test } from "node:test";
import { asFetchImports, type FetchRequest } from "./as-fetch.ts";
import { newObject, stringId } from "./assemblyscript.ts";
import { Asyncify } from "./asyncify.ts";
import { openTextGuest } from "./open-text-guest.ts";
import { asyncified, fetching, managedRuntime, moduleOf } from "./text-guest.fixture.ts";
import type { TextGuest } from "./text-guest.ts";

/** A guest whose "waited" waits for a text, which each `resolve` gives. */
async function waitingGuest(fields = managedRuntime) {
  const asyncify = new Asyncify();
  const waits: ((text: string) => void)[] = [];
  let guest: TextGuest | undefined;
  const wait = () =>
    asyncify.wait(
      () => new Promise<string>((resolve) => waits.push(resolve)),
      (functions, text) => {
        const pointer = newObject(functions, 2 * text.length, stringId);
        guest?.bytes.setUtf16(pointer, text, "the answer");
        return pointer;
      },
    );
  const instance = await moduleOf(asyncified + fields, { imports: () => ({ host: { wait } }) });
  guest = openTextGuest(instance, asyncify);
  asyncify.keepStack(guest.bytes, 512, { from: 600, to: 1_000 });
  return { guest, instance, waits };
}

test("a guest that waits gives a promise, and its answer is what the host function gave", async () => {
  const { guest, waits, instance } = await waitingGuest();
  const answer = guest.ask("waited", "request", 1_000);
  assert.ok(answer instanceof Promise);
  assert.ok(guest.isWaiting);
  assert.equal(waits.length, 1);
  waits[0]?.("depth 4.2 m");
  assert.equal(await answer, "depth 4.2 m");
  assert.equal(waits.length, 1, "what is waited for is started once although the guest comes there twice");
  assert.ok(!guest.isWaiting);
  assert.equal(instance.exports.pinned?.(), 0);
});

test("while a guest waits it takes no other call, and it takes them again afterwards", async () => {
  const { guest, waits } = await waitingGuest();
  const answer = guest.ask("waited", "", 1_000);
  assert.throws(() => guest.ask("same", "", 10), { code: "abi/suspended" });
  waits[0]?.("done");
  await answer;
  assert.equal(guest.ask("same", "again", 100), "again");
});

test("two guests wait at the same time, each for its own", async () => {
  const [first, second] = [await waitingGuest(), await waitingGuest()];
  const answers = [first.guest.ask("waited", "", 100), second.guest.ask("waited", "", 100)];
  second.waits[0]?.("second");
  first.waits[0]?.("first");
  assert.deepEqual(await Promise.all(answers), ["first", "second"]);
});

test("a guest that is closed while it waits ends its call with that, and is never rewound", async () => {
  const { guest, instance, waits } = await waitingGuest();
  const answer = guest.ask("waited", "", 100);
  instance.close();
  waits[0]?.("too late");
  await assert.rejects(async () => answer, { code: "engine/closed" });
});

test("a guest that goes on although it was told to unwind is stopped", async () => {
  const stubborn = `${managedRuntime}
    (func (export "twice") (param i32) (result i32) (drop (call $wait (local.get 0))) (call $wait (local.get 0)))`;
  const { guest, instance } = await waitingGuest(stubborn);
  assert.throws(() => guest.ask("twice", "", 100), { code: "abi/did-not-stop" });
  assert.ok(instance.isPoisoned);
});

test("a guest that waits for ever in one call is ended", async () => {
  const again = `${managedRuntime}
    (func (export "forever") (param i32) (result i32)
      (loop $more
        (drop (call $wait (local.get 0)))
        (if (i32.eq (global.get $state) (i32.const 1)) (then (return (i32.const 0))))
        (br $more))
      (i32.const 0))`;
  const { guest, instance, waits } = await waitingGuest(again);
  const answer = guest.ask("forever", "", 100);
  const ended = assert.rejects(async () => answer, { code: "abi/too-many-waits" });
  for (let count = 0; count < waits.length; count++) {
    waits[count]?.("");
    // The guest goes on in a microtask of its own, and waits again.
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  }
  await ended;
  assert.equal(waits.length, 65);
  assert.throws(() => guest.ask("same", "", 10), { code: /^(engine\/closed|abi\/suspended)$/ });
  assert.throws(() => instance.exports.pinned?.(), { code: "engine/closed" });
});

test("a module without asyncify, or without a frame, is told so", async () => {
  const asyncify = new Asyncify();
  const wait = () =>
    asyncify.wait(
      async () => 0,
      () => 0,
    );
  const plain = `(import "host" "wait" (func $wait (result i32))) ${managedRuntime}
    (func (export "waited") (result i32) (call $wait))`;
  const guest = openTextGuest(await moduleOf(plain, { imports: () => ({ host: { wait } }) }), asyncify);
  assert.throws(() => guest.ask("waited", "", 10), { code: "abi/not-asyncified" });
  const frameless = new Asyncify();
  const other = await moduleOf(asyncified + managedRuntime, {
    imports: () => ({
      host: {
        wait: () =>
          frameless.wait(
            async () => 0,
            () => 0,
          ),
      },
    }),
  });
  assert.throws(() => openTextGuest(other, frameless).ask("waited", "", 10), { code: "abi/no-frame" });
});

async function fetchingGuest(send: (request: FetchRequest) => Promise<Uint8Array>) {
  const asyncify = new Asyncify();
  const instance = await moduleOf(fetching + managedRuntime, {
    imports: ({ memory }) => ({ "as-fetch": asFetchImports({ asyncify, memory, send }) }),
  });
  return openTextGuest(instance, asyncify);
}

test("as-fetch: address, headers and body reach the host, and the response's body the guest", async () => {
  const sent: FetchRequest[] = [];
  const guest = await fetchingGuest(async (request) => {
    sent.push(request);
    return new TextEncoder().encode("o\0k\0");
  });
  // The string's first units are the address of the array of headers.
  assert.equal(await guest.ask("waited", "\u0100\u0000", 1_000), "ok");
  assert.deepEqual(sent, [
    { method: "POST", url: "http://a.b/cde", headers: [["X", "1"]], body: Uint8Array.of(1, 2, 3) },
  ]);
});

test("as-fetch: headers at a wild address end the call before anything is sent", async () => {
  const guest = await fetchingGuest(() => assert.fail("nothing may be sent"));
  assert.throws(() => guest.ask("waited", "\uffff\uffff", 1_000), { code: "abi/out-of-bounds" });
});
