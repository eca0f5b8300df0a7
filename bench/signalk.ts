/**
 * Signal K's plugins on its own loader and on ours, each behind the same event emitter as signalk-server has it: deltas
 * through one subscribed plugin, and deltas that a plugin emits. Ours runs with its limits on, theirs has none.
 *
 * Two plugins, since a loader and a guest are two things. `deltas`, `moving` and `emit` are of one with next to no work of
 * its own, in the convention of Rust and C: these compare the loaders. `alarm` and `alarmMoving` are of the depth alarm of
 * `examples/signalk`, in AssemblyScript, which searches each text as plugins do: half of such a delta is the guest's own work, and
 * here it pays for its meter as well. `deltas` and `alarm` say one delta again and again, whose text is then found to be that of
 * the last; in the two `moving` ones time, place, speed and course are others each time, which is what a boat under way says.
 *
 * On one machine, of two cores: deltasRatio 2.1, movingRatio 1.2, alarmRatio 1.7, alarmMovingRatio 1.1, emitRatio 2.4.
 * RATIONALE.md, "Where does the time of a delta go?", says why.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSignalkExamples, wasmPath } from "../examples/signalk/build.ts";
import type { Figures } from "./main.ts";
import { compareAlarms, compareSums, compareTexts } from "./signalk/compare-outputs.ts";
import { countingPlugin, emitsPerPoll } from "./signalk/counting-plugin.ts";
import { moving, still } from "./signalk/deltas.ts";
import { installedMb } from "./signalk/installed.ts";
import type { Loaded } from "./signalk/loaded.ts";
import { openOurs } from "./signalk/ours.ts";
import { openTheirs } from "./signalk/theirs.ts";

/** Short and many, so that some of both are disturbed by nothing. */
const rounds = 201;
/** V8 compiles what is called often, in the background, when the machine has time. */
const warmUpRounds = 100;
const deltasPerRound = 2_000;
/** Between these the event loop turns, for both. */
const deltasPerTurn = 100;
const pollsPerRound = 100;

export async function run(): Promise<Figures> {
  await buildSignalkExamples();
  const folder = await mkdtemp(join(tmpdir(), "remora-bench-signalk-"));
  const openBoth = async (wasm: string): Promise<Pair> => [
    await openOurs(wasm, folder),
    await openTheirs(wasm, folder),
  ];
  try {
    const echoes = await openBoth(await countingPlugin(folder, "echoing"));
    await compareTexts(echoes, [...still, ...moving]);
    await closeBoth(echoes);

    const counting = await openBoth(await countingPlugin(folder, "counting"));
    const through = await compare(counting, {
      still: (loaded) => feed(loaded, still),
      moving: (loaded) => feed(loaded, moving),
      emitted: poll,
    });
    await closeBoth(counting);
    compareSums(counting);

    const alarms = await openBoth(wasmPath("depth-alarm"));
    await compareAlarms(alarms);
    const alarm = await compare(alarms, {
      still: (loaded) => feed(loaded, still),
      moving: (loaded) => feed(loaded, moving),
    });
    await closeBoth(alarms);
    return {
      ...figures("deltas", through.still),
      ...figures("moving", through.moving),
      ...figures("alarm", alarm.still),
      ...figures("alarmMoving", alarm.moving),
      ...figures("emit", through.emitted),
      installMb: rounded(installedMb()),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Pair = readonly [ours: Loaded, theirs: Loaded];

/** Things a second in each round. */
interface Rates {
  readonly ours: number[];
  readonly theirs: number[];
}

/** Of the fastest round of each: what else the machine does, and how fast it is for a while, only makes others slower. */
function figures(name: string, rates: Rates): Figures {
  const [ours, theirs] = [Math.max(...rates.ours), Math.max(...rates.theirs)];
  return {
    [`${name}PerSecond`]: Math.round(ours),
    [`${name}PerSecondTheirs`]: Math.round(theirs),
    [`${name}Ratio`]: rounded(ours / theirs),
  };
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

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
