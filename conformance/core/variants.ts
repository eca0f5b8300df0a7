/** The ways in which every module of the suite is rewritten. */

import type { MeterOptions } from "remora/wasm";
import type { Variant } from "./side.ts";

/** Caps beyond every module of the suite: they have tests of their own. All features that V8 has. */
const base: MeterOptions = {
  mode: "fuel",
  profile: "default",
  memoryPagesMax: 65_536,
  tableElementsMax: 100_000_000,
  stack: true,
  allow: ["gc", "shared-memory", "stored-exceptions"],
};

const shared: MeterOptions = { ...base, sharesCounters: true };
const strict: MeterOptions = { ...base, profile: "strict", allow: [] };

export const variants: readonly Variant[] = [
  { name: "default", options: base, isCanonical: false },
  { name: "default, slices of 7", options: base, sliceUnits: 7, isCanonical: false },
  { name: "default, shared counters", options: shared, isCanonical: false },
  { name: "default, shared counters, slices of 7", options: shared, sliceUnits: 7, isCanonical: false },
  { name: "default, no stack slots", options: { ...base, stack: false }, isCanonical: false },
  { name: "strict", options: strict, isCanonical: true },
  {
    name: "strict, shared counters, slices of 7",
    options: { ...strict, sharesCounters: true },
    sliceUnits: 7,
    isCanonical: true,
  },
  { name: "deadline only", options: { ...base, mode: "deadline" }, isCanonical: false },
];
