/** How many requests somebody may send: a budget that fills up again, evenly, within a minute. */

interface Level {
  left: number;
  atMs: number;
}

/** Addresses and names come from outside: with more of them the fullest are forgotten, which gives them nothing. */
const knownMax = 10_000;

export class RequestBudget {
  readonly #perMinuteMax: number;
  readonly #nowMs: () => number;
  readonly #levels = new Map<string, Level>();

  /** @param nowMs Of a monotonic clock. */
  constructor(perMinuteMax: number, nowMs: () => number) {
    this.#perMinuteMax = perMinuteMax;
    this.#nowMs = nowMs;
  }

  /** Takes one. @returns False when there is none. */
  spend(who: string): boolean {
    const level = this.#levelOf(who);
    if (level.left < 1) return false;
    level.left--;
    return true;
  }

  /** It was taken for nothing. */
  giveBack(who: string): void {
    const level = this.#levelOf(who);
    level.left = Math.min(this.#perMinuteMax, level.left + 1);
  }

  isSpent(who: string): boolean {
    return this.#levels.has(who) && this.#levelOf(who).left < 1;
  }

  /** How many are left now. */
  left(who: string): number {
    return Math.floor(this.#levelOf(who).left);
  }

  /** Until all of them are there again. */
  secondsUntilFull(who: string): number {
    return Math.ceil(((this.#perMinuteMax - this.#levelOf(who).left) / this.#perMinuteMax) * 60);
  }

  /** Until there is one again. */
  secondsUntil(who: string): number {
    return Math.max(1, Math.ceil(((1 - this.#levelOf(who).left) / this.#perMinuteMax) * 60));
  }

  #levelOf(who: string): Level {
    const nowMs = this.#nowMs();
    let level = this.#levels.get(who);
    if (level === undefined) {
      if (this.#levels.size >= knownMax) this.#forgetFull(nowMs);
      level = { left: this.#perMinuteMax, atMs: nowMs };
      this.#levels.set(who, level);
    }
    const refilled = level.left + ((nowMs - level.atMs) / 60_000) * this.#perMinuteMax;
    level.left = Math.min(this.#perMinuteMax, refilled);
    level.atMs = nowMs;
    return level;
  }

  #forgetFull(nowMs: number): void {
    for (const [who, { atMs }] of this.#levels) if (nowMs - atMs >= 60_000) this.#levels.delete(who);
    // All of them within a minute: the oldest go, so that memory stays bounded.
    for (const who of this.#levels.keys()) {
      if (this.#levels.size < knownMax) break;
      this.#levels.delete(who);
    }
  }
}
