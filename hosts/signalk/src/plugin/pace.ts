/**
 * How long guests may hold the event loop in one turn. Work for guests is cut into turns, so that whatever plugins do,
 * timers and sockets are served between. All plugins of a host share one pace, in a circle: who got no time in one turn is
 * first in the next, so that one whose work never ends cannot keep the others waiting for ever.
 */

/** Milliseconds of one turn; one call of a guest may add its own deadline. */
const turnMsMax = 8;

export class Pace {
  /** The clock, in milliseconds. */
  readonly nowMs: () => number;
  readonly #nextTurn: (callback: () => void) => void;
  #startedMs: number | undefined;
  #lookedMs = 0;
  #waiting: (() => void)[] = [];
  #isScheduled = false;
  /** A guest is running: another one called now would spend its time. */
  isGuestRunning = false;

  constructor(nowMs = () => performance.now(), nextTurn: (callback: () => void) => void = setImmediate) {
    this.nowMs = nowMs;
    this.#nextTurn = nextTurn;
  }

  /** What the clock said when `hasTime` was asked last. */
  get lookedMs(): number {
    return this.#lookedMs;
  }

  /** Whether this turn has time for another call. */
  hasTime(): boolean {
    const nowMs = this.nowMs();
    this.#lookedMs = nowMs;
    if (this.#startedMs === undefined) {
      this.#startedMs = nowMs;
      this.#schedule();
    }
    return nowMs - this.#startedMs < turnMsMax;
  }

  /** Calls back in a later turn. */
  later(callback: () => void): void {
    this.#waiting.push(callback);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#nextTurn(() => {
      this.#isScheduled = false;
      this.#startedMs = undefined;
      const due = this.#waiting;
      this.#waiting = [];
      let served = 0;
      while (served < due.length && this.hasTime()) due[served++]?.();
      // In front of those that were served and want more.
      this.#waiting.unshift(...due.slice(served));
    });
  }
}
