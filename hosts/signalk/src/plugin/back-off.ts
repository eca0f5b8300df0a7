/** When a plugin that crashed is started again, and when that is given up. */

import type { Clock } from "../clock.ts";

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

/** The crashes of one plugin, and its next start. */
export class Restarts {
  readonly #clock: Clock;
  readonly #backOff: BackOff;
  #crashes = 0;
  #runsSinceMs: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, backOff: BackOff = backOffDefault) {
    this.#clock = clock;
    this.#backOff = backOff;
  }

  get crashes(): number {
    return this.#crashes;
  }

  /** It runs now. */
  started(): void {
    this.#runsSinceMs = this.#clock.nowMs();
  }

  /**
   * It crashed: `again` is called when the wait is over.
   *
   * @returns milliseconds until then, or undefined when there will be no other start
   */
  crashed(again: () => void): number | undefined {
    const { firstMs, longestMs, crashesMax, forgivenAfterMs } = this.#backOff;
    const ranMs = this.#runsSinceMs === undefined ? 0 : this.#clock.nowMs() - this.#runsSinceMs;
    this.#runsSinceMs = undefined;
    this.#crashes = ranMs >= forgivenAfterMs ? 1 : this.#crashes + 1;
    if (this.#crashes >= crashesMax) return undefined;
    const waitMs = Math.min(firstMs * 2 ** (this.#crashes - 1), longestMs);
    this.#cancel = this.#clock.after(waitMs, again);
    return waitMs;
  }

  /** Somebody decided otherwise. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Somebody starts it: what was is forgiven. */
  forget(): void {
    this.cancel();
    this.#crashes = 0;
  }
}
