/**
 * Whether it is worth looking for a while before one goes to sleep. Where both sides have a processor, the answer is
 * there sooner than one could be woken; where they share one, looking is what keeps the other from answering. So each
 * look in vain makes the next ones rarer, up to one in so many, and a look that finds something brings them back.
 */

const skipsMax = 64;

export class Patience {
  #skips = 0;
  #skipped = 0;

  /** Asked before each wait. */
  get isWorthwhile(): boolean {
    if (this.#skipped >= this.#skips) return true;
    this.#skipped++;
    return false;
  }

  /** What came of a look. */
  learn(hasFound: boolean): void {
    this.#skipped = 0;
    this.#skips = hasFound ? 0 : Math.min(2 * this.#skips + 1, skipsMax);
  }
}
