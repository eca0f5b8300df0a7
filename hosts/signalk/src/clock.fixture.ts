/** A clock that stands still until a test moves it. */

import type { Clock } from "./clock.ts";

export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #epochMs: number;
  readonly #waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  constructor(epoch = "2026-01-01T00:00:00.000Z") {
    this.#epochMs = Date.parse(epoch);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  date(): Date {
    return new Date(this.#epochMs + this.#nowMs);
  }

  epochMs(): number {
    return this.#epochMs + this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const entry = { atMs: this.#nowMs + ms, callback };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Moves on, and calls back whatever comes due on the way, in order. */
  move(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#waiting.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.callback();
    }
    this.#nowMs = endMs;
  }
}
