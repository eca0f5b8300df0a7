/** The conventions across a wall: what a guest is given and answers is the same as on the caller's thread. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import {
  defaultLimits,
  type GuestAccess,
  type HostImports,
  type IsolatedInstance,
  openArtifact,
  openIsolation,
  readsGuestMemory,
} from "../engine/index.ts";
import { readString } from "./assemblyscript.ts";
import { GuestBytes } from "./guest-bytes.ts";
import { openIsolatedTextGuest } from "./isolated-text-guest.ts";
import { bufferRuntime, managedRuntime } from "./text-guest.fixture.ts";
import type { TextCalls } from "./text-guest.ts";

async function open(
  t: TestContext,
  level: "inline" | "worker" | "process",
  fields: string,
  imports: (guest: GuestAccess) => HostImports = () => ({}),
): Promise<IsolatedInstance> {
  const isolation = openIsolation(level);
  t.after(() => isolation.close());
  const artifact = openArtifact(await parse(`(module ${fields})`), { plugin: "test" });
  return isolation.instantiate(artifact, { limits: defaultLimits, imports });
}

const conventions: readonly (readonly [name: TextCalls["convention"], runtime: string])[] = [
  ["assemblyscript", managedRuntime],
  ["buffer", bufferRuntime],
];

for (const level of ["inline", "worker", "process"] as const) {
  for (const [name, runtime] of conventions) {
    test(`${level}, ${name}: texts come back as they went in, and nothing of them is held`, async (t) => {
      const instance = await open(t, level, runtime);
      const guest = await openIsolatedTextGuest(instance);
      assert.equal(guest.convention, name);
      for (const text of [
        "",
        "navigation",
        "x".repeat(100_000),
        "Törn à Zürich 船 ⛵ 🐟",
        '{"a":"\u0000\\""}',
      ]) {
        assert.equal(await guest.ask("same", text, 400_000), text);
      }
      assert.equal((await instance.call("pinned", [])).result, 0);
      assert.equal((await instance.call("freed", [])).result, name === "buffer" ? 9 : 0);
    });

    test(`${level}, ${name}: an answer longer than was agreed costs the guest, and a name that is not there nothing`, async (t) => {
      const instance = await open(t, level, runtime);
      const guest = await openIsolatedTextGuest(instance);
      await assert.rejects(async () => guest.ask("sane", "", 10), { code: "abi/no-such-export" });
      assert.equal(await guest.ask("same", "four", 400), "four");
      await assert.rejects(async () => guest.ask("same", "longer than four", 4), {
        code: name === "buffer" ? /^(abi|engine)\// : "abi/too-long",
      });
      await assert.rejects(async () => guest.ask("same", "four", 400));
    });
  }

  test(`${level}: a string that the guest says lies outside of its memory costs the guest`, async (t) => {
    const wild = `(func (export "wild") (param i32) (result i32) (i32.const -1))
      (func (export "low") (param i32) (result i32) (i32.const 3))`;
    for (const name of ["wild", "low"]) {
      const guest = await openIsolatedTextGuest(await open(t, level, `${managedRuntime} ${wild}`));
      await assert.rejects(async () => guest.ask(name, "", 100), { code: "abi/out-of-bounds" });
    }
  });

  test(`${level}: a host function reads a managed string by its own count, and writes what the guest then finds`, async (t) => {
    const told: string[] = [];
    const fields = `(import "env" "tell" (func $tell (param i32)))
      (import "env" "fill" (func $fill (param i32 i32)))
      ${managedRuntime}
      (func (export "pass") (param $text i32) (result i32) (local $answer i32)
        (call $tell (local.get $text))
        (local.set $answer (call $new (i32.const 4) (i32.const 2)))
        (call $fill (local.get $answer) (i32.const 4)) (local.get $answer))`;
    const instance = await open(t, level, fields, (guest) => {
      const bytes = new GuestBytes(guest.memory);
      const tell = (pointer: number) => void told.push(readString(bytes, pointer, "a text", 1_000));
      const fill = (pointer: number) => bytes.set(pointer, Buffer.from("ok", "utf16le"), "an answer");
      return {
        env: {
          tell: readsGuestMemory(tell, [{ pointer: 0, isCounted: true }]),
          fill: readsGuestMemory(fill, []),
        },
      };
    });
    const guest = await openIsolatedTextGuest(instance);
    assert.equal(await guest.ask("pass", "Törn", 100), "ok");
    assert.deepEqual(told, ["Törn"]);
  });

  test(`${level}: all crossings of a call are in what the guest has spent`, async (t) => {
    const instance = await open(t, level, bufferRuntime);
    const guest = await openIsolatedTextGuest(instance);
    const { fuelUsed } = instance.spent;
    await guest.ask("same", "text", 100);
    const whole = instance.spent.fuelUsed - fuelUsed;
    assert.ok(whole > instance.report.fuelUsed, `${whole} of all, ${instance.report.fuelUsed} of the last`);
    assert.deepEqual(
      ["same", "allocate", "freed", "nobody", "memory"].map((name) => instance.parameterCount(name)),
      [4, 1, 0, undefined, undefined],
    );
  });
}

test("the convention that somebody says is kept is the one that counts", async (t) => {
  const instance = await open(t, "inline", bufferRuntime);
  await assert.rejects(openIsolatedTextGuest(instance, undefined, "assemblyscript"), {
    code: "abi/no-convention",
  });
});

for (const level of ["worker", "process"] as const) {
  test(`${level}: an export that is not there cannot be called next, at once or later`, async (t) => {
    for (const ask of [
      (guest: GuestAccess) => () => guest.callNext?.("nowhere"),
      (guest: GuestAccess) => async () => guest.callNext?.("nowhere"),
    ]) {
      const fields = '(import "h" "ask" (func $ask)) (func (export "f") (call $ask))';
      const instance = await open(t, level, `${fields} ${managedRuntime}`, (guest) => ({
        h: { ask: ask(guest) },
      }));
      await assert.rejects(instance.call("f", []), { code: "component/no-such-export" });
    }
  });
}
