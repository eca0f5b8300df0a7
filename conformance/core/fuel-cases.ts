/**
 * Calls whose fuel is compared with wasmtime's: every class of instruction, programs built by clang, and random
 * modules. Each case is a module and a caller module whose functions make the calls, so that both engines run the
 * same two modules; the caller is metered as well.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeModule, externTypeOf, findSection, indexSpaces } from "remora/wasm";
import { flavours, ModuleMaker } from "../../fuzz/random-modules.ts";
import { classes } from "./classes.ts";
import { prepareScript } from "./prepare.ts";

export interface FuelCase {
  readonly name: string;
  readonly module: Uint8Array;
  readonly caller: Uint8Array;
  /** Functions of the caller, to be called in this order. */
  readonly calls: readonly string[];
}

const kernelsFolder = join(import.meta.dirname, "../../bench/meter/kernels");

/** Sizes that keep every call below some million units. */
const kernelArguments: Readonly<Record<string, readonly number[]>> = {
  fib: range(0, 20),
  floyd: [1, 2],
  gemm: [1, 2],
  json: range(0, 12),
  lu: [1, 2],
  matmul: [1, 2],
  mix: range(0, 12),
  nussinov: [1],
};

/** wasmtime has no exceptions of the old proposal. */
const withoutWasmtime = new Set(["old exceptions"]);

const randomModules = 40;

export async function fuelCases(): Promise<FuelCase[]> {
  const scripts: [string, string][] = Object.entries(classes).filter(([name]) => !withoutWasmtime.has(name));
  for (const file of readdirSync(kernelsFolder).filter((name) => name.endsWith(".wasm"))) {
    const name = file.slice(0, -".wasm".length);
    const sizes = kernelArguments[name] ?? [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377];
    const calls = sizes.map((size) => `(invoke "run" (i32.const ${size}))`);
    scripts.push([`kernel ${name}`, scriptOf(readFileSync(join(kernelsFolder, file)), calls)]);
  }
  // Imports of numbers only, so that both engines can give them the same stubs.
  const flavour = flavours.find(({ name }) => name === "what compilers emit");
  using maker = new ModuleMaker();
  for (let seed = 1; seed <= randomModules && flavour !== undefined; seed++) {
    const bytes = await maker.make(seed, flavour);
    if (bytes !== undefined) scripts.push([`random ${seed}`, scriptOf(bytes, invocationsOf(bytes))]);
  }
  const cases: FuelCase[] = [];
  for (const [name, source] of scripts) {
    const { steps } = await prepareScript(source);
    const [first] = steps;
    if (first?.kind !== "instantiate" || first.caller === undefined) continue;
    const calls = steps.flatMap((step) =>
      step.kind === "action" && step.way.by === "caller" ? [step.way.name] : [],
    );
    cases.push({ name, module: first.bytes, caller: first.caller, calls });
  }
  return cases;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function scriptOf(module: Uint8Array, calls: readonly string[]): string {
  const bytes = Array.from(module, (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return `(module binary "${bytes}")\n${calls.join("\n")}`;
}

/** Each export that takes and gives numbers, once with zeros and once with other values. */
function invocationsOf(bytes: Uint8Array): string[] {
  const module = decodeModule(bytes);
  const spaces = indexSpaces(module);
  return (findSection(module, "export")?.items ?? []).flatMap(({ name, kind, index }) => {
    const type = externTypeOf(spaces, kind, index);
    const composite = type?.kind === "func" ? spaces.types[type.type]?.composite : undefined;
    if (composite?.kind !== "func" || composite.parameters.some((parameter) => typeof parameter !== "string"))
      return [];
    return ["0", "3"].map((value) => {
      const constants = composite.parameters.map((parameter) =>
        parameter === "v128" ? `(v128.const i64x2 ${value} 7)` : `(${String(parameter)}.const ${value})`,
      );
      return `(invoke "${name}" ${constants.join(" ")})`;
    });
  });
}
