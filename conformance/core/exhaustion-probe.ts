/**
 * `node conformance/core/exhaustion-probe.ts`, run by `exhaustion.test.ts` in processes with other tiers: where do programs stand when their fuel is spent?
 * Prints one JSON object: by program, budget and slice, the fuel at the end and a hash of the memory.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRemoraError } from "remora/base";
import type { CoreFunction, CoreMemory } from "../../packages/remora/src/component/core.ts";
import { CompileCache, compileRequest } from "../../packages/remora/src/engine/compile-cache.ts";
import { InstanceEngine } from "../../packages/remora/src/engine/core-engine.ts";
import { defaultLimits } from "../../packages/remora/src/engine/limits.ts";

const kernels = join(import.meta.dirname, "../../bench/meter/kernels");
const programs: readonly (readonly [name: string, size: number])[] = [
  ["crc32", 40_000],
  ["distance", 150],
  ["json", 60],
  ["lz", 20_000],
  ["mix", 40],
  ["nbody", 300],
  ["qsort", 4_000],
  ["regex", 300],
  ["sha256", 60],
  ["sieve", 30_000],
];
const budgets = [1, 12_345, 77_777, 150_001];
const slices = [7, 1_000, undefined];

const cache = new CompileCache();
const request = compileRequest("probe", {
  mode: "fuel",
  profile: "strict",
  memoryPagesMax: defaultLimits.memoryPagesMax,
  tableElementsMax: defaultLimits.tableElementsMax,
  stack: true,
});

const outcomes: Record<string, string[]> = {};
for (const [name, size] of programs) {
  const bytes = new Uint8Array(readFileSync(join(kernels, `${name}.wasm`)));
  for (const fuelMax of budgets) {
    outcomes[`${name}, ${fuelMax} units`] = slices.map((sliceUnits) => run(bytes, size, fuelMax, sliceUnits));
  }
}
console.log(JSON.stringify(outcomes));

function run(bytes: Uint8Array, size: number, fuelMax: number, sliceUnits: number | undefined): string {
  const limits = { ...defaultLimits, fuelMax, deadlineMs: 60_000 };
  const engine = new InstanceEngine({
    cache,
    request,
    limits,
    ...(sliceUnits !== undefined && { sliceUnits }),
  });
  const { exports } = engine.instantiate(bytes, {});
  let code = "returned";
  engine.enter();
  try {
    (exports.run as CoreFunction)(size);
    engine.leave();
  } catch (error) {
    const failure: unknown = isRemoraError(error) ? error : engine.fail(error);
    code = isRemoraError(failure) ? failure.code : String(failure);
  }
  const memory = new Uint8Array((exports.memory as CoreMemory).buffer);
  return `${code} at ${engine.fuelUsed}, ${createHash("sha256").update(memory).digest("hex").slice(0, 16)}`;
}
