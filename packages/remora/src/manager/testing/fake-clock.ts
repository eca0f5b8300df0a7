/** A clock that a test moves: what is due happens at once, in its order. */

import type { ManagerClock } from "../clock.ts";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class FakeClock implements ManagerClock {
  #nowMs = 1_000;
  /** What the date is ahead of the monotonic clock; a test sets it to make the date jump. */
  dateOffsetMs = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();

  readonly dateMs = () => this.#nowMs + this.dateOffsetMs;
  readonly monotonicMs = () => this.#nowMs;

  readonly after = (ms: number, callback: () => void) => {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  get pendingCount(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs);
      const next = due.reduce<Timer | undefined>(
        (first, one) => (first === undefined || one.atMs < first.atMs ? one : first),
        undefined,
      );
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}
