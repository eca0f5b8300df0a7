/**
 * How much a guest may use before its meter looks at the clock again. A slice is cut so that even a guest that turns as
 * slow as guests can be (a page fault for every few instructions) spends it before the deadline comes: long slices far
 * from the deadline, short ones near it. The first is short enough to need no look at the clock at all, so most calls
 * never pay for one.
 */

/**
 * Units a millisecond that no guest is trusted to exceed, however fast it was in its last slice: it may turn to stores that
 * each touch a fresh page. Their ten units take 1 to 4 µs, by the machine; half of this speed is still in time.
 * Everything else (cache misses, divisions, chunks of bulk operations) is faster.
 */
const trustedUnitsPerMs = 5_000;

/** Granted without a look at the clock: 0.1 to 0.2 ms of the slowest guest. */
export const unclockedUnits = 500;

/**
 * Set aside with each slice for the bytes of bulk operations, which are units of fuel too, but take a nanosecond at most, fresh
 * pages included: 0.02 ms together. Without them a guest that copies a kilobyte had to look at the clock for it.
 */
export const asideUnits = 16_384;

/** At most so much of its time, a quarter of all, is given to a guest whose speed is not known yet, as trusted units. */
const unmeasuredMsMax = 25;

/** A guest that was slower than trusted gets slices by its own speed, but none shorter than this. */
const sliceUnitsMin = 100;

/** Half of the time that is left, and this: slices get shorter towards the deadline without becoming nothing. */
const marginMs = 0.1;

/** Granted at once when there is no deadline: a refill a few milliseconds costs nothing. */
export const undatedUnits = 1_000_000;

/** The same for a guest that another thread may stop: it asks more often whether it is to. */
export const stoppableUnits = 100_000;

/** The counter is an i32, and a charge of up to 2^30 is subtracted before it is looked at. */
const sliceUnitsMax = 2 ** 30;

/** After the first look at the clock, which says nothing about the guest's speed yet. */
export function unmeasuredSlice(deadlineMs: number): number {
  return Math.max(unclockedUnits, Math.min(deadlineMs / 4, unmeasuredMsMax) * trustedUnitsPerMs);
}

/** After each further look: `used` units took `elapsedMs`, and `leftMs` are left until the deadline. */
export function measuredSlice(used: number, elapsedMs: number, leftMs: number): number {
  const unitsPerMs = elapsedMs > 0 ? Math.min(used / elapsedMs, trustedUnitsPerMs) : trustedUnitsPerMs;
  const units = unitsPerMs * (leftMs / 2 + marginMs);
  return Math.max(sliceUnitsMin, Math.min(units, sliceUnitsMax));
}
