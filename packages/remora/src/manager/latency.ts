/**
 * Durations in nanoseconds, counted in buckets that grow with the value: eight to each power of two, so that a
 * percentile is exact to 12.5 % from one nanosecond to hours, in a fixed 400 counters.
 */

/** Buckets to a power of two; a power of two itself. */
const bucketsPerOctave = 8;
const octavesMax = 50;

export class LatencyHistogram {
  readonly #counts = new Float64Array(octavesMax * bucketsPerOctave);
  #total = 0;
  // A fraction to begin with, so that V8 never has to change how it stores the field.
  #sumNs = 0.5;

  /** All durations together, in nanoseconds. */
  get sumNs(): number {
    return this.#sumNs - 0.5;
  }

  /** How many durations were recorded. */
  get total(): number {
    return this.#total;
  }

  /** Counts one duration in nanoseconds; negative ones, from a clock that went back, count as zero. */
  record(ns: number): void {
    const index = bucketOf(ns);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total++;
    if (ns > 0) this.#sumNs += ns;
  }

  /** How many of them were within so many nanoseconds, to 12.5 % of it: those whose bucket ends there or before. */
  countWithin(ns: number): number {
    let count = 0;
    for (let index = 0; index < this.#counts.length && bucketEnd(index) <= ns; index++) {
      count += this.#counts[index] ?? 0;
    }
    return count;
  }

  /**
   * The duration that this share of all stayed within, in nanoseconds: the upper end of its bucket; 0 when
   * nothing was recorded.
   *
   * @param share From 0 to 1: 0.99 for the 99th percentile.
   */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index] ?? 0;
      if (seen >= wanted) return bucketEnd(index);
    }
    return 0;
  }
}

/** Below `bucketsPerOctave` a bucket a nanosecond; above, the power of two and the three bits behind it. */
function bucketOf(ns: number): number {
  if (!(ns >= bucketsPerOctave)) return Math.max(0, Math.floor(ns) || 0);
  const octave = Math.floor(Math.log2(ns));
  const step = Math.floor((ns / 2 ** octave - 1) * bucketsPerOctave);
  return Math.min((octave - 2) * bucketsPerOctave + step, octavesMax * bucketsPerOctave - 1);
}

function bucketEnd(index: number): number {
  if (index < bucketsPerOctave) return index;
  const octave = Math.floor(index / bucketsPerOctave) + 2;
  return 2 ** octave * (1 + ((index % bucketsPerOctave) + 1) / bucketsPerOctave);
}
