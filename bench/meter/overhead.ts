/**
 * Ratios of metered to unmetered time. All variants of a program run in this process, one after the other in every
 * round, so that the machine's moods hit them alike; the ratio is that of each variant's best round, since what
 * disturbs a round only ever makes it longer.
 */

import { type Loader, meteredLoader, plainLoader } from "./loaders.ts";
import type { Program } from "./program.ts";

export interface Overhead {
  readonly name: string;
  readonly source?: string;
  readonly plainMs: number;
  readonly fuel: number;
  readonly deadline: number;
}

/** Rounds that count, after those in which V8 gets the code to its last tier. */
const rounds = 25;
const warmMs = 500;

export async function overheadOf(program: Program): Promise<Overhead> {
  const shares = program.hasSeveralModules ?? false;
  const loaders: Loader[] = [plainLoader(), meteredLoader("fuel", shares), meteredLoader("deadline", shares)];
  const runs: (() => string)[] = [];
  for (const loader of loaders) runs.push(await program.load(loader));
  if (loaders.some(({ loaded }) => loaded === 0))
    throw new Error(`${program.name} does not load through its loader`);
  const outputs = runs.map((run) => run());
  if (new Set(outputs).size !== 1) throw new Error(`${program.name}: variants give ${outputs.join(" and ")}`);
  for (const run of runs) {
    const until = performance.now() + warmMs;
    while (performance.now() < until) run();
    // Tier-up happens between turns of the event loop as well.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const times: number[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of runs.entries()) {
      const start = performance.now();
      run();
      times[index]?.push(performance.now() - start);
    }
  }
  const [plain = [], fuel = [], deadline = []] = times;
  const best = (list: number[]) => Math.min(...list);
  return {
    name: program.name,
    ...(program.source !== undefined && { source: program.source }),
    plainMs: best(plain),
    fuel: best(fuel) / best(plain),
    deadline: best(deadline) / best(plain),
  };
}

export function geomean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / Math.max(1, ratios.length));
}
