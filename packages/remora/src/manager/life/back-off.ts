/** How long the supervisor waits before it tries again: twice as long each time, up to a bound, and never in step. */

export interface BackOffOptions {
  /** Before the first try, in milliseconds. */
  readonly firstMs: number;
  /** However often it failed. */
  readonly maxMs: number;
}

export const backOffDefault: BackOffOptions = { firstMs: 1_000, maxMs: 300_000 };

/**
 * The wait before a try, in milliseconds.
 *
 * @param attempt 0 for the first one.
 * @param random  From 0 up to 1. Between half of the wait and all of it is left to chance, so that plugins that failed
 *                together do not come back together.
 */
export function backOffMs(attempt: number, options: BackOffOptions, random: number): number {
  const whole = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt, 60));
  return whole * (0.5 + 0.5 * random);
}
