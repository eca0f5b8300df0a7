/**
 * `node bench/signalk/rates.ts texts|counting|alarm FOLDER`: one plugin on both loaders, in a process where V8 has seen no other. What
 * they do is compared first; printed are the rates of each round, as JSON.
 */

import { wasmPath } from "../../examples/signalk/build.ts";
import { compareAlarms, compareSums, compareTexts } from "./compare-outputs.ts";
import { countingPlugin, emitsPerPoll } from "./counting-plugin.ts";
import { moving, still } from "./deltas.ts";
import type { Loaded } from "./loaded.ts";
import { openOurs } from "./ours.ts";
import { openTheirs } from "./theirs.ts";

/** Short and many, so that some of both are disturbed by nothing. */
const rounds = 201;
/** V8 compiles what is called often, in the background, when the machine has time. */
const warmUpRounds = 100;
const deltasPerRound = 2_000;
/** Between these the event loop turns, for both. */
const deltasPerTurn = 100;
const pollsPerRound = 100;

type Pair = readonly [ours: Loaded, theirs: Loaded];

/** Things a second in each round. */
export interface Rates {
  readonly ours: number[];
  readonly theirs: number[];
}

const parts = { texts, counting, alarm };
export type Part = keyof typeof parts;

async function texts(folder: string): Promise<Record<string, Rates>> {
  const echoes = await openBoth(await countingPlugin(folder, "echoing"), folder);
  await compareTexts(echoes, [...still, ...moving]);
  await closeBoth(echoes);
  return {};
}

async function counting(folder: string): Promise<Record<string, Rates>> {
  const pair = await openBoth(await countingPlugin(folder, "counting"), folder);
  const rates = await compare(pair, {
    deltas: (loaded) => feed(loaded, still),
    moving: (loaded) => feed(loaded, moving),
    emit: poll,
  });
  await closeBoth(pair);
  compareSums(pair);
  return rates;
}

async function alarm(folder: string): Promise<Record<string, Rates>> {
  const pair = await openBoth(wasmPath("depth-alarm"), folder);
  await compareAlarms(pair);
  const rates = await compare(pair, {
    alarm: (loaded) => feed(loaded, still),
    alarmMoving: (loaded) => feed(loaded, moving),
  });
  await closeBoth(pair);
  return rates;
}

async function openBoth(wasm: string, folder: string): Promise<Pair> {
  return [await openOurs(wasm, folder), await openTheirs(wasm, folder)];
}

type Use = (loaded: Loaded) => Promise<number>;

/** Interleaved rounds of both. */
async function compare<Name extends string>(
  [ours, theirs]: Pair,
  uses: Readonly<Record<Name, Use>>,
): Promise<Record<Name, Rates>> {
  const names = Object.keys(uses) as Name[];
  const entries = names.map((name): [Name, Rates] => [name, { ours: [], theirs: [] }]);
  // One for each name.
  const rates = Object.fromEntries(entries) as Record<Name, Rates>;
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    for (const name of names) {
      const [our, their] = [await uses[name](ours), await uses[name](theirs)];
      if (round < warmUpRounds) continue;
      rates[name].ours.push(our);
      rates[name].theirs.push(their);
    }
  }
  return rates;
}

async function closeBoth(pair: Pair): Promise<void> {
  for (const loaded of pair) await loaded.close();
}

async function feed(loaded: Loaded, deltas: readonly object[]): Promise<number> {
  const before = loaded.delivered();
  const startedMs = performance.now();
  for (let sent = 0; sent < deltasPerRound; sent++) {
    loaded.say(deltas[sent % deltas.length] ?? {});
    if (sent % deltasPerTurn === 0) await new Promise(setImmediate);
  }
  while (loaded.delivered() < before + deltasPerRound) {
    if (!loaded.isRunning()) throw new Error(`the plugin does not run any more: ${loaded.status()}`);
    await new Promise(setImmediate);
  }
  return perSecond(deltasPerRound, startedMs);
}

async function poll(loaded: Loaded): Promise<number> {
  const before = loaded.emitted();
  const startedMs = performance.now();
  for (let polls = 0; polls < pollsPerRound; polls++) await loaded.poll();
  const emitted = loaded.emitted() - before;
  // The host polls on its own as well, once a second.
  if (emitted < pollsPerRound * emitsPerPoll) throw new Error(`${emitted} deltas were emitted`);
  return perSecond(emitted, startedMs);
}

function perSecond(count: number, startedMs: number): number {
  return (1_000 * count) / (performance.now() - startedMs);
}

if (import.meta.main) {
  const [, , part = "", folder = ""] = process.argv;
  process.stdout.write(`${JSON.stringify(await parts[part as Part](folder))}\n`); // as bench/signalk.ts calls it
}
