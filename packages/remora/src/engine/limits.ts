/**
 * All that a guest may spend. A budget is for one call and can differ from call to call; the other limits are
 * part of the rewritten module or of the instance and hold for its whole life.
 */

import type { CancelSignal } from "../component/async/abortable.ts";

/** What one call may spend; whichever ends first traps the guest. */
export interface Budget {
  /**
   * WebAssembly instructions, counted as wasmtime counts fuel; an integer up to 2^53 - 1, or Infinity. Without effect
   * for an artifact that was opened in the mode `deadline`, which does not count.
   */
  readonly fuelMax: number;
  /** Milliseconds on the monotonic clock, fractions allowed, or Infinity. */
  readonly deadlineMs: number;
}

/** What one call may spend, where it is not the limits' own; and how its caller ends it. */
export interface CallOptions extends Partial<Budget> {
  /** Ends the call with `component/cancelled`: see `abortable`. */
  readonly signal?: CancelSignal | undefined;
}

export interface Limits extends Budget {
  /** Pages of 64 KiB, summed over all memories of an instance. Growth beyond it answers -1. */
  readonly memoryPagesMax: number;
  /** Elements, summed over all tables of an instance. Growth beyond it answers -1. */
  readonly tableElementsMax: number;
  /** Stack slots of 8 bytes that recursion may use; beyond it the guest traps with `engine/stack`. */
  readonly stackSlotsMax: number;
}

/** On by default: a plugin without a policy of its own gets these. */
export const defaultLimits: Limits = {
  fuelMax: 100_000_000,
  deadlineMs: 1_000,
  memoryPagesMax: 1_024,
  tableElementsMax: 10_000,
  stackSlotsMax: 65_536,
};
