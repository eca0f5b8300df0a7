/**
 * The time of one call: when its deadline is, how long a slice may be until then, and what of it the guest spent waiting for
 * the host. The clock is started when it is first needed: most calls never look at it.
 */

import { FreeWaiting } from "./free-waiting.ts";
import { measuredSlice, unmeasuredSlice } from "./slices.ts";

/** The deadline before the clock was looked at in this call; clocks count from zero up. */
const unread = -1;

export class CallTime {
  readonly #clock: () => number;
  readonly #waiting: FreeWaiting;
  /** The clock was read when the running call began, or the last. */
  #isStarted = false;
  // Fractions to begin with, so that V8 never has to change how it stores these fields.
  #deadlineMs = 0.5;
  #deadlineAt = 0.5;
  #lookedAt = 0.5;

  constructor(clock: () => number, waitMsFree: number) {
    this.#clock = clock;
    this.#waiting = new FreeWaiting(waitMsFree);
  }

  /** Whether a call that begins so needs no `begin`, as long as nothing has changed since the last one began. */
  isAsBefore(deadlineMs: number, isStarted: boolean): boolean {
    return deadlineMs === this.#deadlineMs && isStarted === this.#isStarted;
  }

  /** @param startedMs What the clock says now, where it has just been read. */
  begin(deadlineMs: number, startedMs: number | undefined): void {
    this.#deadlineMs = deadlineMs;
    this.#deadlineAt = deadlineMs === Infinity ? Infinity : unread;
    this.#isStarted = startedMs !== undefined;
    if (startedMs !== undefined) this.startAt(startedMs);
    this.#waiting.begin();
  }

  startAt(nowMs: number): void {
    this.#lookedAt = nowMs;
    this.#deadlineAt = nowMs + this.#deadlineMs;
  }

  /** Reads the clock if nobody has in this call. @returns whether it did */
  start(): boolean {
    if (this.#deadlineAt !== unread) return false;
    this.startAt(this.#clock());
    return true;
  }

  /** Whether there is a deadline. */
  get isTimed(): boolean {
    return this.#deadlineAt !== Infinity;
  }

  /** Milliseconds until the deadline, once the clock was started; Infinity when there is none. */
  get msLeft(): number {
    return this.#deadlineAt - this.#clock();
  }

  /** The same for a guest that does nothing but wait from now on. */
  get waitMsLeft(): number {
    return this.#deadlineAt + this.#waiting.msLeft - this.#clock();
  }

  /** Looks at the clock: units until the next look, or 0 when the time is over. `used` were since the last one. */
  sliceAfter(used: number): number {
    const now = this.#clock();
    const elapsedMs = now - this.#lookedAt;
    this.#lookedAt = now;
    if (this.#deadlineAt === unread) {
      this.#deadlineAt = now + this.#deadlineMs;
      return unmeasuredSlice(this.#deadlineMs);
    }
    const leftMs = this.#deadlineAt - now;
    return leftMs <= 0 ? 0 : measuredSlice(used, elapsedMs, leftMs);
  }

  /** Nothing of the guest's runs from now until `wake`. @returns whether that matters */
  rest(): boolean {
    if (this.#waiting.msLeft <= 0) return false;
    this.#waiting.rest(this.#clock());
    return true;
  }

  /** Code of the guest's goes on. @returns whether the deadline is another one now */
  wake(): boolean {
    const since = this.#waiting.wake();
    return since !== undefined && this.forgive(this.#clock() - since);
  }

  /** Another thread of the guest's went on in the place of the one that waits, so that its time is not free. */
  interrupt(): void {
    this.#waiting.interrupt();
  }

  /** The guest waited for so long, which does not count as far as that is free. @returns whether any of it is */
  forgive(waitedMs: number): boolean {
    const free = this.#waiting.take(waitedMs);
    if (free === 0) return false;
    if (this.#deadlineAt !== unread) {
      this.#deadlineAt += free;
      this.#lookedAt += free;
    }
    return true;
  }
}
