/**
 * All that a guest may spend. A budget is for one call and can differ from call to call; the other limits are
 * part of the rewritten module or of the instance and hold for its whole life.
 */

import { didYouMean } from "../base/index.ts";
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
  /**
   * Milliseconds that a call may wait for promises of the host before waiting counts towards its deadline: a deadline is
   * then one on what the guest does, and a call ends at the latest when both are over. 0: all waiting counts.
   */
  readonly waitMsFree: number;
}

/**
 * The most that each may be set to: what V8 takes for a memory (those with 32-bit addresses have a quarter at most) and for a
 * table, what the counter of slots can count. The bounds of a call may be off, which is Infinity.
 */
const bounds = {
  fuelMax: Number.POSITIVE_INFINITY,
  deadlineMs: Number.POSITIVE_INFINITY,
  memoryPagesMax: 262_144,
  tableElementsMax: 10_000_000,
  stackSlotsMax: 2 ** 31 - 1,
  waitMsFree: Number.POSITIVE_INFINITY,
} as const satisfies Record<keyof Limits, number>;

/** On by default: a plugin without a policy of its own gets these. */
export const defaultLimits: Limits = {
  fuelMax: 100_000_000,
  deadlineMs: 1_000,
  memoryPagesMax: 1_024,
  tableElementsMax: 10_000,
  stackSlotsMax: 65_536,
  waitMsFree: 0,
};

/**
 * Limits of which some were set, with the defaults for the others: a limit cannot be switched off by leaving it out.
 *
 * @throws TypeError RangeError as `checkLimits`
 */
export function limitsWith(given: Partial<Limits>): Limits {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const limits: Limits = { ...defaultLimits, ...Object.fromEntries(set) };
  checkLimits(limits);
  return limits;
}

/**
 * Checks what an embedding, and nobody else, has written: a limit that is no number would be none.
 *
 * @param given All limits, or some of them.
 * @throws TypeError  there is no such limit, or it is no number
 * @throws RangeError it is negative, NaN, or more than can be counted
 */
export function checkLimits(given: Partial<Limits>): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(bounds, name)) {
      throw new TypeError(`limits.${name}: there is no such limit${didYouMean(name, Object.keys(bounds))}`);
    }
    // The line above looked.
    const most = bounds[name as keyof Limits];
    const isWhole = Number.isFinite(most);
    const allowed = isWhole ? `a whole number from 0 to ${most}` : "a number from 0 up, or Infinity";
    if (typeof value !== "number") {
      throw new TypeError(
        `limits.${name}: expected ${allowed}, got ${value === null ? "null" : typeof value}`,
      );
    }
    if (!(value >= 0 && value <= most) || (isWhole && !Number.isInteger(value))) {
      throw new RangeError(`limits.${name}: expected ${allowed}, got ${value}`);
    }
  }
}
