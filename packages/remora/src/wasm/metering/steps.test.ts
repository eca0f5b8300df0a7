import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import type { MeterOptions } from "./contract.ts";
import { meterModule, meterSteps } from "./meter-module.ts";
import { meterOptions } from "./rig.test.ts";

/** Loops, calls and branches, in bodies enough for several steps. */
function program(functions: number, factor: number): Promise<Uint8Array> {
  const body = (index: number) => `(func $f${index} (param i32 i32) (result i32) (local i32)
    (loop $again (if (i32.lt_u (local.get 2) (local.get 1)) (then
      (i32.store offset=${index} (local.get 2) (i32.mul (local.get 0) (i32.const ${factor + index})))
      (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br $again))))
    ${index === 0 ? "" : `(if (local.get 0) (then (return (call $f${index - 1} (local.get 1) (i32.const 3)))))`}
    (i32.add (local.get 0) (local.get 1)))`;
  const bodies = Array.from({ length: functions }, (_, index) => body(index));
  return parse(`(module (memory 1) ${bodies.join("\n")} (export "run" (func $f${functions - 1})))`);
}

test("modules that are rewritten in turns become what each becomes alone, whatever their options", async () => {
  const variants: readonly MeterOptions[] = [
    meterOptions,
    { ...meterOptions, mode: "deadline" },
    { ...meterOptions, profile: "strict", sharesCounters: true },
  ];
  const modules = await Promise.all(variants.map((_, index) => program(1_200 + 300 * index, 7 + index)));
  const alone = modules.map((bytes, index) => meterModule(bytes, variants[index] ?? meterOptions));
  const running = new Map(
    modules.map((bytes, index) => [index, meterSteps(bytes, variants[index] ?? meterOptions)]),
  );
  let turns = 0;
  while (running.size > 0) {
    for (const [index, steps] of running) {
      const step = steps.next();
      turns++;
      if (step.done !== true) continue;
      assert.deepEqual(step.value, alone[index]);
      running.delete(index);
    }
  }
  // Reading and writing, each several steps.
  assert.ok(turns > 8 * modules.length, `${turns} steps`);
});
