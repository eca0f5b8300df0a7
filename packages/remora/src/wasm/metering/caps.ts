/** Bounds that hold because the module itself says so: sizes of memories and tables. Metering specification 4.10. */

import { wasmErrors } from "../errors.ts";
import type { SizeLimits } from "../module.ts";

/**
 * The sizes with maximums that no growth of one can exceed while the others stay at their minimum. The sum over
 * several is kept by the allowance that growth takes from.
 *
 * @throws wasm/over-cap when the minimums alone are too much
 */
export function capSizes(sizes: readonly SizeLimits[], cap: number, what: string): SizeLimits[] {
  const min = sumOfMins(sizes);
  const max = BigInt(cap);
  if (min > max) throw wasmErrors["over-cap"]({ what, found: Number(min), max: cap });
  return sizes.map((size) => {
    const most = size.min + max - min;
    return { ...size, max: size.max === undefined || size.max > most ? most : size.max };
  });
}

export function sumOfMins(sizes: readonly SizeLimits[]): bigint {
  return sizes.reduce((sum, size) => sum + size.min, 0n);
}
