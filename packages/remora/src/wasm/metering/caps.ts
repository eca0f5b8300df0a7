/** Bounds that hold because the module itself says so: sizes of memories and tables. Metering specification 4.10. */

import { findSection } from "../decode.ts";
import { wasmErrors } from "../errors.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { Module, SizeLimits } from "../module.ts";

/** The most that can be declared where addresses have 32 bits, whatever is allowed: core specification 3.0 §3.2. */
const most32 = { "pages of memory": 65_536n, "table elements": 2n ** 32n - 1n } as const;

export type Sized = keyof typeof most32;

/**
 * The sizes with maximums that no growth of one can exceed while the others stay at their minimum. The sum over
 * several is kept by the allowance that growth takes from.
 *
 * @throws wasm/over-cap when the minimums alone are too much
 */
export function capSizes(sizes: readonly SizeLimits[], cap: number, what: Sized): SizeLimits[] {
  const min = sumOfMins(sizes);
  const max = BigInt(cap);
  if (min > max) throw wasmErrors["over-cap"]({ what, found: Number(min), max: cap });
  return sizes.map((size) => {
    const allowed = size.min + max - min;
    const most = size.is64 || allowed < most32[what] ? allowed : most32[what];
    return { ...size, max: size.max === undefined || size.max > most ? most : size.max };
  });
}

/**
 * V8 writes active segments into tables while it instantiates, and evaluates all of a passive one when it is first
 * used, both without a look at any clock. So together they may fill the tables twice.
 *
 * @throws wasm/over-cap
 */
export function capSegments(module: Module, tableElementsMax: number): void {
  const segments = findSection(module, "element")?.items ?? [];
  const found = segments.reduce(
    (sum, { mode, elements }) => (mode.kind === "declarative" ? sum : sum + elements.length),
    0,
  );
  const max = 2 * tableElementsMax;
  if (found > max) throw wasmErrors["over-cap"]({ what: "elements in segments", found, max });
}

/** @throws wasm/over-cap */
export function capTags({ tags, types }: IndexSpaces, max: number): void {
  for (const tag of tags) {
    const composite = types[tag]?.composite;
    const found = composite?.kind === "func" ? composite.parameters.length : 0;
    if (found > max) throw wasmErrors["over-cap"]({ what: "values in an exception", found, max });
  }
}

export function sumOfMins(sizes: readonly SizeLimits[]): bigint {
  return sizes.reduce((sum, size) => sum + size.min, 0n);
}
