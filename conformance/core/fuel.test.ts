import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CoreFunction, CoreImports } from "../../packages/remora/src/component/core.ts";
import { webAssembly } from "../../packages/remora/src/engine/webassembly.ts";
import { type FuelCase, fuelCases } from "./fuel-cases.ts";
import { meteredSide, type Side } from "./side.ts";
import { variants } from "./variants.ts";

// Our own file, written by `record-fuel.py`.
const { cases: recorded } = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/fuel.json"), "utf8"),
) as { cases: Record<string, (number | null)[]> };

/** Fuel of each call that returned. */
function fuelOf({ module, caller, calls }: FuelCase, side: Side): (number | null)[] {
  const imports: CoreImports = {};
  for (const { module: from, name } of webAssembly.Module.imports(new webAssembly.Module(module))) {
    imports[from] = { ...imports[from], [name]: () => 0 };
  }
  const exports = side.instantiate(module, imports);
  const functions = side.instantiate(caller, { m: { ...exports } });
  return calls.map((name) => {
    try {
      side.call(functions[name] as CoreFunction);
      return side.fuelUsed ?? null;
    } catch {
      // A call that traps has no figure: the two engines differ in what they charge for a block cut short.
      return null;
    }
  });
}

test("the fuel of every call is wasmtime's, to the unit", async () => {
  const [variant] = variants;
  assert.ok(variant);
  let compared = 0;
  const differing: string[] = [];
  for (const entry of await fuelCases()) {
    const expected = recorded[entry.name];
    if (expected === undefined) continue;
    for (const [index, ours] of fuelOf(entry, meteredSide(variant)).entries()) {
      const theirs = expected[index];
      if (typeof theirs !== "number") continue;
      compared++;
      if (ours !== theirs) differing.push(`${entry.name}, call ${index}: ${ours}, wasmtime ${theirs}`);
    }
  }
  assert.deepEqual(differing, []);
  assert.ok(compared >= 1_000, `${compared} calls`);
});
