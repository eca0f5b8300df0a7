/** Promises of host functions that were not marked: nobody waits for them, and every level says so. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction } from "../../component/index.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits } from "../limits.ts";
import { isolationLevels } from "./isolation.ts";
import { openIsolation } from "./open.ts";

const moduleText = `(module
  (import "host" "tell" (func $tell)) (import "host" "ask" (func $ask (result i32)))
  (func (export "tell") (call $tell))
  (func (export "ask") (result i32) (call $ask)))`;

const componentText = `(component
  (import "host" (instance $host
    (export "tell" (func)) (export "ask" (func (result s32))) (export "try" (func (result (result (error string)))))))
  (core module $libc (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $libc (instantiate $libc))
  (core func $tell (canon lower (func $host "tell")))
  (core func $ask (canon lower (func $host "ask")))
  (core func $try (canon lower (func $host "try") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "host" "tell" (func $tell)) (import "host" "ask" (func $ask (result i32)))
    (import "host" "try" (func $try (param i32)))
    (func (export "tell") (call $tell)) (func (export "ask") (result i32) (call $ask))
    (func (export "try") (call $try (i32.const 8))))
  (core instance $m (instantiate $m (with "host" (instance
    (export "tell" (func $tell)) (export "ask" (func $ask)) (export "try" (func $try))))))
  (func (export "tell") (canon lift (core func $m "tell")))
  (func (export "ask") (result s32) (canon lift (core func $m "ask")))
  (func (export "try") (canon lift (core func $m "try"))))`;

const guests = [
  {
    what: "a core module",
    artifact: openArtifact(await parse(moduleText), { plugin: "waits" }),
    names: ["tell", "ask"],
    code: "engine/host-result",
  },
  {
    what: "a component",
    artifact: openArtifact(await parse(componentText), { plugin: "waits" }),
    names: ["tell", "ask", "try"],
    code: "component/host-result",
  },
];

/** One is rejected: that must not end the process. */
const promises = [() => Promise.resolve(7), () => Promise.reject(new Error("later"))];

for (const level of isolationLevels) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());
  for (const { what, artifact, names, code } of guests) {
    const call = async (name: string, given: () => unknown) => {
      const host = { tell: () => {}, ask: () => 0, try: () => undefined, [name]: given };
      const guest = await isolation.instantiate(artifact, { limits: defaultLimits, imports: { host } });
      return guest.call(name, []).finally(() => guest.close());
    };

    test(`${level}: a promise that was not announced to ${what} is refused, also where nothing is expected`, async () => {
      for (const name of names) {
        for (const promise of promises) await assert.rejects(call(name, promise), { code }, name);
      }
    });

    test(`${level}: ${what} waits for a promise of a function that is marked`, async () => {
      for (const name of names) {
        const { result } = await call(
          name,
          asyncHostFunction(() => Promise.resolve(7)),
        );
        assert.equal(result, name === "ask" ? 7 : undefined);
      }
    });
  }
}
