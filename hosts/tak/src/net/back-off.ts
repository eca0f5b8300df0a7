/**
 * How long to wait before the next try: ever longer, up to a bound, and from that a random part, so that a thousand
 * clients of a server that comes back do not come back in one moment.
 */

export interface BackOffOptions {
  /** Before the second try, at most. */
  readonly firstMs: number;
  /** Before any try, at most. */
  readonly maxMs: number;
  /** How many times as long each wait is as the one before, at most. Default: 2. */
  readonly factor?: number;
  /** Tries again after a failure; a success starts over. Default: Infinity. */
  readonly triesMax?: number;
}

export const backOffDefault: BackOffOptions = { firstMs: 500, maxMs: 60_000 };

export class BackOff {
  readonly #options: BackOffOptions;
  readonly #random: () => number;
  #failures = 0;

  /** @param random From 0 to below 1. */
  constructor(options: BackOffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** How many tries have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Milliseconds until the next try, or undefined when there have been enough. At least half of the bound for it, so
   * that a small draw is no hammering.
   */
  nextMs(): number | undefined {
    const { firstMs, maxMs, factor = 2, triesMax = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#failures >= triesMax) return undefined;
    const boundMs = Math.min(maxMs, firstMs * factor ** Math.min(this.#failures, 30));
    this.#failures++;
    return boundMs / 2 + (boundMs / 2) * this.#random();
  }

  /** It worked: the next failure starts over. */
  reset(): void {
    this.#failures = 0;
  }
}
