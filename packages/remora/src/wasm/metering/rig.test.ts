/**
 * A small meter for tests: fuel alone, in slices of a fixed size, around V8. The real one is the engine's; this one
 * is to compare a rewritten module with the original, and slices with one another.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import type { MeterOptions } from "./contract.ts";
import { meterModule } from "./meter-module.ts";

type Value = number | bigint | object | null;
// biome-ignore lint/suspicious/noExplicitAny: what a test's module exports is known to the test alone
type Exports = Record<string, any>;

interface Api {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Global: new (type: { value: string; mutable: boolean }, value: number) => object;
  Instance: new (module: object, imports?: object) => { exports: Exports };
  RuntimeError: ErrorConstructor;
}

// `globalThis` has it; TypeScript declares it with the DOM only.
export const v8 = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;

export const meterOptions: MeterOptions = {
  mode: "fuel",
  profile: "default",
  memoryPagesMax: 64,
  tableElementsMax: 1_000,
  stack: true,
};

export interface Metered {
  readonly exports: Exports;
  /** Units consumed so far. */
  consumed(): number;
  readonly ticks: () => number;
  /** Most units from one refill to the next: with slices of 0 that is from check to check. */
  readonly longest: () => number;
  readonly stackLeft: () => number | undefined;
  readonly injected: ReturnType<typeof meterModule>["injected"];
  readonly bytes: Uint8Array;
}

export interface RigOptions {
  readonly fuel?: number;
  readonly slice?: number;
  readonly stackSlots?: number;
  readonly imports?: Record<string, Record<string, unknown>>;
  readonly options?: Partial<MeterOptions>;
}

export function meter(original: Uint8Array, rig: RigOptions = {}): Metered {
  assert.ok(v8.validate(original), "the original is valid");
  const rewritten = meterModule(original, { ...meterOptions, ...rig.options });
  assert.ok(v8.validate(rewritten.bytes), "the rewritten module is valid");
  const { exports } = new v8.Instance(new v8.Module(rewritten.bytes), rig.imports);
  const { injected } = rewritten;
  const swap: (units: number) => number = exports[injected.swapFuel];
  const budget = rig.fuel ?? 2 ** 50;
  let granted = 0;
  let isDead = false;
  let ticks = 0;
  let longest = 0;
  exports[injected.refill].set(0, hostFunction(refill));
  if (injected.stack !== undefined) exports[injected.stack].value = rig.stackSlots ?? 65_536;
  if (injected.start !== undefined) exports[injected.start]();
  return {
    exports,
    consumed: () => {
      const left = swap(0);
      swap(left);
      return granted - left;
    },
    ticks: () => ticks,
    longest: () => longest,
    stackLeft: () => (injected.stack === undefined ? undefined : exports[injected.stack].value),
    injected,
    bytes: rewritten.bytes,
  };

  function refill(): number {
    if (isDead) return 1;
    const left = swap(0);
    if (left >= 0) {
      swap(left);
      ticks++;
      return 0;
    }
    const slice = rig.slice ?? 10_000;
    longest = Math.max(longest, slice - left);
    const grant = Math.min(-left + slice, budget - granted);
    granted += grant;
    swap(left + grant);
    isDead = left + grant < 0;
    return isDead ? 1 : 0;
  }
}

/** A WebAssembly function () -> i32 around a JavaScript one: what a funcref table takes. */
function hostFunction(call: () => number): unknown {
  const bytes = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7f],
    ...[2, 7, 1, 1, 0x61, 1, 0x62, 0, 0],
    ...[7, 5, 1, 1, 0x63, 0, 0],
  ]);
  return new v8.Instance(new v8.Module(bytes), { a: { b: call } }).exports.c;
}

export async function assemble(text: string): Promise<Uint8Array> {
  return new Uint8Array(await parse(text));
}

/** Result or trap, as something that can be compared. */
export function outcome(call: () => Value): unknown {
  try {
    return call();
  } catch (error) {
    return error instanceof v8.RuntimeError ? `trap: ${error.message}` : `${error}`;
  }
}

test("a slice of any size gives the same result and the same count", async () => {
  const bytes = await assemble(`(module (func (export "run") (param i32) (result i32) (local i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))`);
  for (const slice of [1, 7, 1_000, 2 ** 30]) {
    const { exports, consumed } = meter(bytes, { slice });
    assert.equal(exports.run(10), 55);
    // Entry 1; ten times 4 for the sum and 5 with the branch; the last local.get.
    assert.equal(consumed(), 1 + 10 * 9 + 1);
  }
});
