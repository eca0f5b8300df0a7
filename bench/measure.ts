/**
 * Interleaved timing: every round runs every variant once, so that whatever else the machine does hits them
 * alike. Medians and minima over the rounds.
 */

export interface Variant {
  readonly name: string;
  /** Runs the measured thing `count` times and gives back anything that depends on all of it. */
  readonly run: (count: number) => unknown;
}

export interface Timing {
  /** Nanoseconds for one of `count`. */
  readonly median: number;
  readonly min: number;
}

export interface MeasureOptions {
  readonly rounds?: number;
  /** How long one variant runs in one round, in milliseconds. */
  readonly roundMs?: number;
}

/** Times variants against one another. */
export function measure(variants: readonly Variant[], options: MeasureOptions = {}): Map<string, Timing> {
  const { rounds = 25, roundMs = 20 } = options;
  const counts = new Map(variants.map((variant) => [variant, calibrate(variant, roundMs)]));
  const samples = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [variant, count] of counts) {
      const start = process.hrtime.bigint();
      keep(variant.run(count));
      samples.get(variant.name)?.push(Number(process.hrtime.bigint() - start) / count);
    }
  }
  return new Map(Array.from(samples, ([name, values]) => [name, summarise(values)]));
}

/** The first rounds, in which V8 settles on its code, are in the minimum alone. */
const warmUpRounds = 5;

/** Times something that is waited for, `count` times in a row in each round. */
export async function measureAwaited(
  count: number,
  once: () => Promise<unknown>,
  { rounds = 25 }: Pick<MeasureOptions, "rounds"> = {},
): Promise<Timing> {
  const samples: number[] = [];
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < count; index++) await once();
    samples.push(Number(process.hrtime.bigint() - start) / count);
  }
  return { median: median(samples.slice(warmUpRounds)), min: Math.min(...samples) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** For a figure that is printed: to the hundredth, or to so many digits behind the point. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Warms the variant up until it is compiled, and finds how often it runs in `roundMs`. */
function calibrate(variant: Variant, roundMs: number): number {
  let count = 1;
  for (;;) {
    const start = process.hrtime.bigint();
    keep(variant.run(count));
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    if (ms >= roundMs * 2) return Math.max(1, Math.round((count * roundMs) / ms));
    count *= 2;
  }
}

function summarise(values: readonly number[]): Timing {
  return { median: median(values), min: Math.min(...values) };
}

let sink: unknown;
/** Makes the result count as used, so that V8 cannot leave the work out. */
function keep(value: unknown): void {
  sink = value;
  if (sink === measure) throw new Error("never");
}
