/** Host functions that are `async` and not marked: at every level a guest waits for them, and none is forgotten. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { openArtifact } from "./artifact.ts";
import { openIsolation } from "./isolation/open.ts";
import { defaultLimits } from "./limits.ts";

const guests = {
  "core module": await parse(`(module
    (import "env" "add" (func $add (param i32) (result i32)))
    (import "env" "note" (func $note (param i32)))
    (func (export "run") (param i32) (result i32) (call $note (local.get 0)) (call $add (local.get 0))))`),
  component: await parse(`(component
    (import "env" (instance $env
      (export "add" (func (param "to" u32) (result u32)))
      (export "note" (func (param "of" u32)))))
    (core func $add (canon lower (func $env "add")))
    (core func $note (canon lower (func $env "note")))
    (core module $m
      (import "env" "add" (func $add (param i32) (result i32)))
      (import "env" "note" (func $note (param i32)))
      (func (export "run") (param i32) (result i32) (call $note (local.get 0)) (call $add (local.get 0))))
    (core instance $i (instantiate $m
      (with "env" (instance (export "add" (func $add)) (export "note" (func $note))))))
    (func (export "run") (param "of" u32) (result u32) (canon lift (core func $i "run"))))`),
};

for (const [kind, bytes] of Object.entries(guests)) {
  for (const level of ["inline", "worker", "process"] as const) {
    const isolation = openIsolation(level);
    test.after(() => isolation.close());
    const open = (env: object) =>
      isolation.instantiate(openArtifact(bytes), { limits: defaultLimits, imports: { env } });

    test(`${level}, ${kind}: the guest gets what the promise is kept with`, async () => {
      const noted: number[] = [];
      const guest = await open({
        add: async (to: number) => to + 1,
        note: async (of: number) => void noted.push(of),
      });
      assert.equal((await guest.call("run", [4])).result, 5);
      assert.deepEqual(noted, [4]);
    });

    test(`${level}, ${kind}: a promise that rejects ends the call, also of a function that gives nothing`, async () => {
      const note = async () => {
        throw new Error("the disk is full");
      };
      const guest = await open({ add: async (to: number) => to, note });
      await assert.rejects(guest.call("run", [4]), { fault: "platform" });
      assert.ok(guest.isPoisoned);
    });

    test(`${level}, ${kind}: whatever a host function throws is told in words`, async () => {
      for (const thrown of [Object.create(null), Symbol("odd"), undefined, 5n]) {
        const note = () => {
          throw thrown;
        };
        const guest = await open({ add: async (to: number) => to, note });
        await assert.rejects(guest.call("run", [4]), { fault: "platform" });
      }
    });
  }
}
