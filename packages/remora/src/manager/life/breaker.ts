/**
 * The circuit breaker of a plugin. It opens when the guest fails too often, so that a plugin that is broken costs its
 * host nothing; after a wait it is half open, and the next calls decide. Successes cost nothing: how many calls
 * there were is asked only when one fails.
 *
 * ```text
 *   closed → open → half-open → closed
 *             ↑         ↓
 *             └─────────┘
 * ```
 */

export type BreakerState = "closed" | "open" | "half-open";

export interface BreakerOptions {
  /** Failures by fault of the guest, within `windowMs`, that open it … */
  readonly failuresMax: number;
  readonly windowMs: number;
  /** … if they are at least this share of all calls since the first of them. From 0 to 1. */
  readonly failureShareMin: number;
  /** Calls in a row that have to succeed before a half-open one closes. */
  readonly trialCalls: number;
}

export const breakerDefault: BreakerOptions = {
  failuresMax: 5,
  windowMs: 10_000,
  failureShareMin: 0.5,
  trialCalls: 10,
};

interface Failure {
  readonly atMs: number;
  /** Calls before it. */
  readonly calls: number;
}

export class Breaker {
  readonly #options: BreakerOptions;
  readonly #failures: Failure[] = [];
  #state: BreakerState = "closed";
  #trialCallsLeft = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /**
   * A call failed by fault of the guest.
   *
   * @param calls All calls of this version so far, this one with them.
   * @param nowMs Of the monotonic clock.
   * @returns     Whether this opened the breaker.
   */
  failed(calls: number, nowMs: number): boolean {
    if (this.#state === "open") return false;
    const { failuresMax, windowMs, failureShareMin } = this.#options;
    this.#failures.push({ atMs: nowMs, calls: calls - 1 });
    while ((this.#failures[0]?.atMs ?? nowMs) < nowMs - windowMs) this.#failures.shift();
    if (this.#failures.length > failuresMax) this.#failures.shift();
    const callsSince = Math.max(1, calls - (this.#failures[0]?.calls ?? 0));
    const isTooMany =
      this.#failures.length >= failuresMax && this.#failures.length / callsSince >= failureShareMin;
    // Half open, one failure is enough.
    if (this.#state === "closed" && !isTooMany) return false;
    this.open();
    return true;
  }

  /** A call succeeded while half open. @returns Whether that closed the breaker. */
  succeeded(): boolean {
    if (this.#state !== "half-open" || --this.#trialCallsLeft > 0) return false;
    this.close();
    return true;
  }

  open(): void {
    this.#state = "open";
    this.#failures.length = 0;
  }

  /** The wait is over: the next calls decide. */
  halfOpen(): void {
    this.#state = "half-open";
    this.#trialCallsLeft = this.#options.trialCalls;
  }

  /** All is as at the beginning. */
  close(): void {
    this.#state = "closed";
    this.#failures.length = 0;
  }
}
