/** Programs in C, built by clang: `meter/kernels`. Each is one export that takes a size and gives a checksum. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreFunction } from "../../packages/remora/src/component/core.ts";
import type { Program } from "./program.ts";

/** Sizes that take a few milliseconds each. */
const sizes: Readonly<Record<string, number>> = {
  crc32: 1_500_000,
  distance: 512,
  fib: 24,
  floyd: 4,
  gemm: 6,
  interp: 25_000,
  jacobi: 40,
  json: 30,
  lu: 6,
  lz: 50_000,
  matmul: 8,
  mix: 30,
  nbody: 8_000,
  nussinov: 3,
  polygon: 20_000,
  qsort: 20_000,
  regex: 3_000,
  sha256: 4_000,
  sieve: 500_000,
};

export function kernelBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, "kernels", `${name}.wasm`)));
}

export const kernels: readonly Program[] = Object.entries(sizes).map(([name, size]) => ({
  name,
  load: async (loader) => {
    // Every kernel exports `run`.
    const run = loader.instantiate(kernelBytes(name), {}).exports.run as CoreFunction;
    return () => loader.run(() => String(run(size)));
  },
}));

export const kernelSizes = sizes;
