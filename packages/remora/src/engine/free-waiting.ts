/**
 * What of the time in which a guest waits for the host does not count towards its deadline: so many milliseconds a call
 * (`Limits.waitMsFree`).
 */

export class FreeWaiting {
  readonly #msMax: number;
  // A fraction to begin with, so that V8 never has to change how it stores this field.
  /** What the running call may still wait for free. */
  msLeft = 0.5;
  #since: number | undefined;

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** A call begins. */
  begin(): void {
    this.msLeft = this.#msMax;
    this.#since = undefined;
  }

  /** Nothing of the guest's runs from `nowMs` on. */
  rest(nowMs: number): void {
    this.#since ??= nowMs;
  }

  /** Code of it runs: another thread went on in the place of the one that waits, so that its time is not free. */
  interrupt(): void {
    this.#since = undefined;
  }

  /** Since when it waits; undefined when it does not. From now on it does not. */
  wake(): number | undefined {
    const since = this.#since;
    this.#since = undefined;
    return since;
  }

  /** Takes what is free of so many milliseconds of waiting. */
  take(waitedMs: number): number {
    const free = Math.min(waitedMs, this.msLeft);
    // Not what is no number, either.
    if (!(free > 0)) return 0;
    this.msLeft -= free;
    return free;
  }
}
