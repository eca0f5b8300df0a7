/** When a plugin that crashed is started again, and when that is given up. */

export interface BackOff {
  /** Of the first wait; each further one is twice as long. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** Crashes in a row after which the plugin stays stopped until somebody starts it. */
  readonly crashesMax: number;
  /** A plugin that ran for so long is forgiven its crashes. */
  readonly forgivenAfterMs: number;
}

/** Signal K's own figures for the waits. */
export const backOffDefault: BackOff = {
  firstMs: 2_000,
  longestMs: 30_000,
  crashesMax: 5,
  forgivenAfterMs: 60_000,
};

/** @returns milliseconds until the next start, or undefined when there shall be none */
export function waitAfter(crashes: number, backOff: BackOff): number | undefined {
  if (crashes >= backOff.crashesMax) return undefined;
  return Math.min(backOff.firstMs * 2 ** (crashes - 1), backOff.longestMs);
}
