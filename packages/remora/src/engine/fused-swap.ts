/**
 * The counters of several modules read and topped up in one call. From JavaScript each exchange is a call into
 * WebAssembly of 8 to 15 ns; this tiny module, made for as many counters as there are, imports them all and does
 * it in one. Making it takes about 10 µs, so it is for instances that are called again and again.
 */

import type { CoreImports } from "../component/core.ts";
import { type WasmGlobal, type WasmModule, webAssembly } from "./webassembly.ts";

/** Sets every counter to its standing number and gives back the sum of what they were. */
export interface FusedSwap {
  readonly swap: () => number;
  /** One a counter, in the order in which they were given. */
  readonly standing: readonly WasmGlobal[];
}

/** Counters beyond this are exchanged one by one; the encoding below has one byte for each number. */
export const fusedCountersMax = 9;

const compiled: (WasmModule | undefined)[] = [];

export function fusedSwap(counters: readonly WasmGlobal[]): FusedSwap {
  const count = counters.length;
  const module = compiled[count] ?? new webAssembly.Module(fusedModule(count));
  compiled[count] = module;
  const given: CoreImports[string] = {};
  counters.forEach((counter, index) => {
    given[index] = counter;
  });
  const { exports } = new webAssembly.Instance(module, { g: given });
  // The module below exports these under these names.
  const standing = counters.map((_, index) => exports[index] as WasmGlobal);
  return { swap: exports.s as () => number, standing };
}

/**
 * Imports "g" "0" to "count - 1": mutable i32; defines as many and exports them under the same names; exports
 * "s": () -> f64. A sum of several i32 does not fit an i32, and is exact in an f64.
 */
function fusedModule(count: number): Uint8Array {
  const section = (id: number, ...content: number[]) => [id, ...leb(content.length), ...content];
  const each = (entry: (index: number) => number[]) =>
    Array.from({ length: count }, (_, index) => entry(index)).flat();
  const digit = (index: number) => [1, 0x30 + index];
  const type = section(1, 1, 0x60, 0, 1, 0x7c);
  const imports = section(2, count, ...each((index) => [1, 0x67, ...digit(index), 3, 0x7f, 1]));
  const functions = section(3, 1, 0);
  const globals = section(6, count, ...each(() => [0x7f, 1, 0x41, 0, 0x0b]));
  const exports = section(
    7,
    count + 1,
    ...each((index) => [...digit(index), 3, count + index]),
    1,
    0x73,
    0,
    0,
  );
  // `global.get counter`, `f64.convert_i32_s`, and an `f64.add` from the second on.
  const sum = each((index) => [0x23, index, 0xb7, ...(index === 0 ? [] : [0xa0])]);
  // `global.get standing`, `global.set counter`.
  const set = each((index) => [0x23, count + index, 0x24, index]);
  const body = [0, ...sum, ...set, 0x0b];
  const code = section(10, 1, ...leb(body.length), ...body);
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[...type, ...imports, ...functions, ...globals, ...exports, ...code],
  );
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}
