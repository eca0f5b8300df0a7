/** Tries that follow failures, each after a longer wait than the one before. */

import type { ManagerClock } from "../clock.ts";
import { type BackOffOptions, backOffMs } from "./back-off.ts";

export interface RetryOptions {
  readonly clock: ManagerClock;
  readonly backOff: BackOffOptions;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export class Retries {
  readonly #options: RetryOptions;
  #attempt = 0;
  #cancel = () => {};

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** The next try, in place of one that is due already. @returns In how many milliseconds it comes. */
  plan(retry: () => void): number {
    const { clock, backOff, random } = this.#options;
    const inMs = backOffMs(this.#attempt++, backOff, random());
    this.#cancel();
    this.#cancel = clock.after(inMs, retry);
    return inMs;
  }

  /** Somebody else has a try, or nobody. */
  cancel(): void {
    this.#cancel();
  }

  /** What failed is over: the next wait is the first one again. */
  reset(): void {
    this.#attempt = 0;
  }
}
