/** What host functions give core modules: at every level, at once and later, a number where one is expected or `engine/host-result`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction } from "../../component/index.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits } from "../limits.ts";
import { openIsolation } from "./open.ts";

const types = ["i32", "i64", "f32", "f64"] as const;

/** Each export asks the host, and goes on with 9 when it can catch what that threw. */
const bytes = await parse(`(module
  ${types.map((type) => `(import "host" "${type}" (func $${type} (result ${type})))`).join("\n")}
  (import "host" "two" (func $two (result i32 i64)))
  ${types
    .map(
      (type) => `(func (export "${type}") (result ${type})
        (block $caught (return (try_table (result ${type}) (catch_all $caught) (call $${type})))) (${type}.const 9))`,
    )
    .join("\n")}
  (func (export "two") (result i64) (local i64)
    (block $caught
      (try_table (result i32 i64) (catch_all $caught) (call $two))
      (local.set 0) (drop) (return (local.get 0)))
    (i64.const 9)))`);

const artifact = openArtifact(bytes, { plugin: "asks" });
const none = { i32: () => 0, i64: () => 0n, f32: () => 0, f64: () => 0, two: () => [0, 0n] };

const misfits: readonly (readonly [name: string, given: unknown])[] = [
  ...["seven", [7], { valueOf: () => 7 }, Symbol("seven")].flatMap((given) =>
    types.map((type) => [type, given] as const),
  ),
  ["i32", 7n],
  ["f32", 7n],
  ["f64", 7n],
  ["i64", 7],
  ["i64", undefined],
  ["i64", null],
  ["two", 7],
  ["two", "77"],
  ["two", [7]],
  ["two", [7, 7n, 7]],
  ["two", ["7", 7n]],
  ["two", [7, 7]],
];

const fits: readonly (readonly [name: string, given: unknown, got: unknown])[] = [
  ["i32", 7.9, 7],
  ["i32", true, 1],
  ["i32", undefined, 0],
  ["f32", null, 0],
  ["f64", undefined, Number.NaN],
  ["i64", -7n, -7n],
  ["i64", true, 1n],
  ["two", [1, 2n], 2n],
  ["two", new Set([1, 2n]), 2n],
];

const ways = {
  "at once": (given: unknown) => () => given,
  "at once, though it may be later": (given: unknown) => asyncHostFunction(() => given),
  later: (given: unknown) => asyncHostFunction(async () => given),
} as const;

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());

  for (const [when, way] of Object.entries(ways)) {
    const ask = async (name: string, given: unknown) => {
      const imports = { host: { ...none, [name]: way(given) } };
      const guest = await isolation.instantiate(artifact, { limits: defaultLimits, imports });
      return guest.call([name], []).finally(() => guest.close());
    };
    // Functions with several results cannot wait on the caller's thread.
    const canBe = (name: string) => name !== "two" || when !== "later" || level !== "inline";

    test(`${level}: what does not fit, given ${when}, is refused, and no guest can catch that`, async () => {
      for (const [name, given] of misfits.filter(([name]) => canBe(name))) {
        const what = `${name}: ${typeof given} ${String(given)}`;
        await assert.rejects(ask(name, given), { code: "engine/host-result" }, what);
      }
    });

    test(`${level}: what JavaScript takes for a number, given ${when}, is one`, async () => {
      for (const [name, given, got] of fits.filter(([name]) => canBe(name))) {
        assert.deepEqual((await ask(name, given)).result, got, name);
      }
    });
  }
}
