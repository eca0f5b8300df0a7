/** How much there was a second, out of a count that somebody else keeps: nothing is done for each message. */

interface Sample {
  readonly atMs: number;
  readonly count: number;
}

/** The rate of one growing count, over a window that slides. */
export class Rate {
  readonly #windowMs: number;
  readonly #samples: Sample[] = [];

  /** @param windowMs Long enough to be steady, short enough to follow. */
  constructor(windowMs = 3_000) {
    this.#windowMs = windowMs;
  }

  /**
   * Takes the count as it is now.
   *
   * @param nowMs Of a monotonic clock.
   * @returns     How much it grew a second, over the window or the time since the first call; 0 at the first.
   */
  next(count: number, nowMs: number): number {
    const samples = this.#samples;
    // Whoever counts began anew: a plugin that was removed and is there again.
    if (count < (samples.at(-1)?.count ?? 0)) samples.length = 0;
    // The oldest sample that is needed is the youngest that is not within the window.
    while ((samples[1]?.atMs ?? nowMs) <= nowMs - this.#windowMs) samples.shift();
    samples.push({ atMs: nowMs, count });
    const oldest = samples[0];
    const ms = oldest === undefined ? 0 : nowMs - oldest.atMs;
    return oldest === undefined || ms <= 0 ? 0 : ((count - oldest.count) * 1_000) / ms;
  }
}
