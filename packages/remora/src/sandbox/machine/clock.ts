/**
 * What time it is for a guest: real, coarse (against measuring what others do) or fixed (for the same result from
 * the same input). Both versions of WASI read this one clock.
 */

export interface Clock {
  /** Nanoseconds since 1970-01-01 UTC, without leap seconds. */
  wallNs(): bigint;
  /** Nanoseconds since some moment; never goes back. */
  monotonicNs(): bigint;
  readonly wallStepNs: bigint;
  readonly monotonicStepNs: bigint;
  /** Present where the time is not the real one: waiting moves the clock on instead. */
  advance?(ns: bigint): void;
}

export type ClockChoice =
  | { readonly kind: "real" }
  /** `stepMs`: both clocks go in such steps, whole milliseconds. */
  | { readonly kind: "coarse"; readonly stepMs: number }
  /**
   * Stands still at `wallNs`, but for waiting and for `stepNs` (default 0) at each reading of the monotonic time.
   */
  | { readonly kind: "fixed"; readonly wallNs: bigint; readonly stepNs?: bigint };

/**
 * The clock that was chosen.
 *
 * @param nowMs Milliseconds since 1970, as `Date.now` gives them.
 * @throws RangeError when the step of a coarse clock is no whole number of milliseconds.
 */
export function clockOf(choice: ClockChoice, nowMs: () => number): Clock {
  switch (choice.kind) {
    case "real":
      return {
        wallNs: () => BigInt(Math.floor(nowMs())) * 1_000_000n,
        monotonicNs: () => BigInt(Math.floor(performance.now() * 1_000)) * 1_000n,
        wallStepNs: 1_000_000n,
        monotonicStepNs: 1_000n,
      };
    case "coarse":
      return coarseClock(choice.stepMs, nowMs);
    case "fixed":
      return fixedClock(choice.wallNs, choice.stepNs ?? 0n);
  }
}

function coarseClock(stepMs: number, nowMs: () => number): Clock {
  if (!Number.isInteger(stepMs) || stepMs < 1) {
    throw new RangeError(`Cannot use a clock step of ${stepMs} ms: expected a whole number of milliseconds`);
  }
  const floorNs = (ms: number): bigint => BigInt(Math.floor(ms / stepMs) * stepMs) * 1_000_000n;
  const stepNs = BigInt(stepMs) * 1_000_000n;
  return {
    wallNs: () => floorNs(nowMs()),
    monotonicNs: () => floorNs(performance.now()),
    wallStepNs: stepNs,
    monotonicStepNs: stepNs,
  };
}

function fixedClock(wallNs: bigint, stepNs: bigint): Clock {
  let elapsedNs = 0n;
  return {
    wallNs: () => wallNs + elapsedNs,
    monotonicNs: () => {
      const now = elapsedNs;
      elapsedNs += stepNs;
      return now;
    },
    wallStepNs: 1n,
    monotonicStepNs: 1n,
    advance(ns) {
      elapsedNs += ns;
    },
  };
}
