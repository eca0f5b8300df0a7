/** The same components, called with the same random values, through jco: what comes back is the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import fc from "fast-check";
import { valuesOf, valueTypes } from "./testing/arbitrary.test.ts";
import { load } from "./testing/harness.test.ts";
import { toPlain } from "./testing/reference-abi.test.ts";
import { echoGuest, isPlainWit, padded } from "./testing/wit-of.test.ts";
import type { ValueType } from "./types.ts";

type Echo = (value: unknown) => unknown;

/** The guest's `echo` as jco makes it callable. */
async function echoOfJco(bytes: Uint8Array): Promise<Echo> {
  const { files } = await transpileBytes(bytes, { name: "guest", instantiation: "sync" });
  const source = Buffer.from(files["guest.js"] ?? new Uint8Array()).toString("base64");
  const { instantiate } = await import(`data:text/javascript;base64,${source}`);
  const compile = (path: string) => new WebAssemblyModule(files[path] as Uint8Array);
  return instantiate(compile, {}).echo.echo;
}

const { Module: WebAssemblyModule } = (
  globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } }
).WebAssembly;

/** Each type costs jco some 200 ms. */
const typeCount = 6;
const valueCount = 40;
/** So that a run costs the same each time. */
const seed = 20_260_101;

const compound = new Set<ValueType["kind"]>(["record", "variant", "tuple", "list", "result"]);

const plainTypes = fc.sample(
  valueTypes.filter((type) => isPlainWit(type) && compound.has(type.kind)),
  { numRuns: typeCount, seed },
);

const chosen: readonly ValueType[] = [
  ...plainTypes,
  {
    kind: "record",
    fields: [
      {
        name: "nothing-or-much",
        type: { kind: "option", some: { kind: "list", element: { kind: "string" }, length: undefined } },
      },
      { name: "twice-maybe", type: { kind: "option", some: { kind: "option", some: { kind: "u16" } } } },
      { name: "outcome", type: { kind: "result", ok: { kind: "f64" }, err: { kind: "string" } } },
      { name: "bytes", type: { kind: "list", element: { kind: "u8" }, length: undefined } },
      { name: "words", type: { kind: "list", element: { kind: "u64" }, length: undefined } },
      { name: "flag-set", type: { kind: "flags", names: ["read-only", "hidden", "x"] } },
      {
        name: "choice",
        type: {
          kind: "variant",
          cases: [
            { name: "a-b", type: undefined },
            { name: "c", type: { kind: "char" } },
          ],
        },
      },
    ],
  },
];

for (const [index, type] of chosen.entries()) {
  test(`jco agrees on values of type ${index}, a ${type.kind}`, async () => {
    const bytes = await echoGuest(type);
    const theirs = await echoOfJco(bytes);
    fc.assert(
      fc.property(valuesOf(type), (value) => {
        // A fresh instance, since the guest never frees.
        const ours = load(bytes).exports.echo.echo as Echo;
        const [mine] = ours(padded(value)) as [unknown];
        const [other] = theirs(padded(value)) as [unknown];
        assert.deepEqual(toPlain(type, mine), toPlain(type, value));
        assert.deepEqual(toPlain(type, other), toPlain(type, value));
        assert.deepEqual(mine, other, "in TypeScript too they are alike");
      }),
      { numRuns: valueCount, seed },
    );
  });
}
