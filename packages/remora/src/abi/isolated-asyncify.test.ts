/** Guests behind a wall that are unwound while they wait, as on the caller's thread. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultLimits, openArtifact, openIsolation } from "../engine/index.ts";
import type { FetchRequest } from "./as-fetch.ts";
import { isolatedAsFetchImports } from "./isolated-as-fetch.ts";
import { IsolatedAsyncify } from "./isolated-asyncify.ts";
import { openIsolatedTextGuest } from "./isolated-text-guest.ts";
import { fetching, managedRuntime } from "./text-guest.fixture.ts";

/** The address of the fixture's headers, as a text. */
const headers = "\u0100\u0000";
const encode = (text: string) => Buffer.from(text, "utf16le");

for (const level of ["worker", "process"] as const) {
  async function guestOf(
    t: TestContext,
    send: (request: FetchRequest) => Promise<Uint8Array>,
    fields = fetching + managedRuntime,
  ) {
    const isolation = openIsolation(level);
    t.after(() => isolation.close());
    const asyncify = new IsolatedAsyncify();
    const artifact = openArtifact(await parse(`(module ${fields})`), { plugin: "test" });
    const instance = await isolation.instantiate(artifact, {
      limits: defaultLimits,
      imports: (guest) => ({ "as-fetch": isolatedAsFetchImports({ asyncify, guest, send }) }),
    });
    return { instance, guest: await openIsolatedTextGuest(instance, asyncify) };
  }

  /** A guest whose requests the test answers. */
  async function waitingGuest(t: TestContext, fields?: string) {
    const asked: ((body: Uint8Array) => void)[] = [];
    let tell = () => {};
    const send = () =>
      new Promise<Uint8Array>((resolve) => {
        asked.push(resolve);
        tell();
      });
    const requests = async (count: number) => {
      while (asked.length < count) {
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
      }
    };
    return { ...(await guestOf(t, send, fields)), asked, requests };
  }

  test(`${level}: address, headers and body reach the host, and the response's body the guest`, async (t) => {
    const sent: FetchRequest[] = [];
    const { guest, instance } = await guestOf(t, async (request) => {
      sent.push(request);
      return encode("ok".repeat(100_000));
    });
    for (let times = 0; times < 2; times++) {
      assert.equal(await guest.ask("waited", headers, 1_000_000), "ok".repeat(100_000));
    }
    const request = { method: "POST", url: "http://a.b/cde", headers: [["X", "1"]] } as const;
    const both = { ...request, body: Uint8Array.of(1, 2, 3) };
    assert.deepEqual(
      sent.map((each) => ({ ...each, body: Uint8Array.from(each.body) })),
      [both, both],
    );
    // The place of its stack.
    assert.equal((await instance.call("pinned", [])).result, 1);
  });

  test(`${level}: while it waits it takes no other call, and it takes them again afterwards`, async (t) => {
    const { guest, asked, requests } = await waitingGuest(t);
    const answer = guest.ask("waited", headers, 1_000);
    await requests(1);
    assert.ok(guest.isWaiting);
    await assert.rejects(async () => guest.ask("same", "", 10), { code: "abi/suspended" });
    asked[0]?.(encode("done"));
    assert.equal(await answer, "done");
    assert.ok(!guest.isWaiting);
    assert.equal(await guest.ask("same", "again", 100), "again");
  });

  test(`${level}: headers at a wild address cost the guest, and nothing is sent`, async (t) => {
    const { guest, instance } = await guestOf(t, () => assert.fail("nothing may be sent"));
    await assert.rejects(async () => guest.ask("waited", "\uffff\uffff", 1_000), {
      code: "abi/out-of-bounds",
    });
    assert.ok(instance.isPoisoned);
  });

  test(`${level}: one that goes on although it was told to unwind is stopped`, async (t) => {
    const stubborn = `${fetching} ${managedRuntime}
      (func $get (result i32) (call $wait (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 0)))
      (func (export "twice") (param i32) (result i32)
        (call $init (i32.const 64) (i32.const 0)) (drop (call $get)) (call $get))`;
    const { guest, instance } = await guestOf(t, () => assert.fail("nothing may be sent"), stubborn);
    await assert.rejects(async () => guest.ask("twice", "", 100), { code: "abi/did-not-stop" });
    assert.ok(instance.isPoisoned);
  });

  test(`${level}: one that waits again and again in one call is ended`, async (t) => {
    const again = `${fetching} ${managedRuntime}
      (func (export "forever") (param i32) (result i32)
        (if (i32.eqz (global.get $state)) (then (call $init (i32.const 64) (i32.const 0))))
        (loop $more
          (drop (call $wait (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 0)))
          (if (i32.eq (global.get $state) (i32.const 1)) (then (return (i32.const 0))))
          (br $more))
        (i32.const 0))`;
    let count = 0;
    const { guest, instance } = await guestOf(t, async () => encode(String(count++)), again);
    await assert.rejects(async () => guest.ask("forever", "", 100), { code: "abi/too-many-waits" });
    assert.equal(count, 64);
    assert.ok(instance.isPoisoned);
  });

  test(`${level}: one that is closed while it waits ends its call with that`, async (t) => {
    const { guest, instance, asked, requests } = await waitingGuest(t);
    const answer = guest.ask("waited", headers, 100);
    await requests(1);
    instance.close();
    asked[0]?.(encode("too late"));
    await assert.rejects(async () => answer, { code: "engine/closed" });
  });

  test(`${level}: one that asks before it has said where its stack is kept, or that lacks a part of asyncify, is told so`, async (t) => {
    const frameless = `${fetching} ${managedRuntime}
      (func (export "early") (param i32) (result i32)
        (call $wait (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 0)))`;
    const { guest } = await guestOf(t, () => assert.fail("nothing may be sent"), frameless);
    await assert.rejects(async () => guest.ask("early", "", 100), { code: "abi/no-frame" });
    const half = `${fetching} ${managedRuntime}`.replace('(export "asyncify_stop_rewind")', "");
    await assert.rejects(
      guestOf(t, () => assert.fail("nothing may be sent"), half),
      { code: "abi/not-asyncified" },
    );
  });
}
