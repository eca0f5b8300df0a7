/** What a plugin has cost: calls, fuel, time, failures. */

import { LatencyHistogram } from "remora/manager";
import type { SignalkGuest } from "../guest/signalk-guest.ts";

/** Two looks at the clock cost as much as a small call, so only every so many calls are timed. */
const timedEvery = 16;

/** What is done with a guest. */
export type Use<Given, Result> = (guest: SignalkGuest, given: Given, startedMs: number | undefined) => Result;

export class Account {
  readonly latency = new LatencyHistogram();
  #calls = 0;
  #traps = 0;
  #fuelUsed = 0;
  /** By remote guests, as far as it is booked. */
  readonly #spent = new WeakMap<SignalkGuest, number>();

  get counts(): { readonly calls: number; readonly traps: number; readonly fuelUsed: number } {
    return { calls: this.#calls, traps: this.#traps, fuelUsed: this.#fuelUsed };
  }

  /** Books a call behind a wall, when it is over: only then is known what it has cost. */
  bookRemote(guest: SignalkGuest, durationMs: number): void {
    this.#calls++;
    this.latency.record(durationMs * 1e6);
    this.#fuelUsed += guest.fuelUsed - (this.#spent.get(guest) ?? 0);
    this.#spent.set(guest, guest.fuelUsed);
    if (guest.isLost) this.#traps++;
  }

  /**
   * Makes a call, and books it however it ends; of one that waits, the part until it does.
   *
   * @param given Handed on to `use`, as `startedMs` is, so that a call makes no closure.
   */
  book<Given, Result>(
    guest: SignalkGuest,
    use: Use<Given, Result>,
    given: Given,
    startedMs?: number,
  ): Result {
    const isTimed = this.#calls++ % timedEvery === 0;
    const timedMs = isTimed ? performance.now() : 0;
    try {
      return use(guest, given, startedMs);
    } catch (error) {
      if (guest.isLost) this.#traps++;
      throw error;
    } finally {
      if (isTimed) this.latency.record((performance.now() - timedMs) * 1e6);
      this.#fuelUsed += guest.fuelUsed;
    }
  }
}
