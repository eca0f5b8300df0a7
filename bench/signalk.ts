/**
 * Signal K's plugins on its own loader and on ours, each behind the same event emitter as signalk-server has it: deltas
 * through one subscribed plugin, and deltas that a plugin emits. Ours runs with its limits on.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSignalkExamples, wasmPath } from "../examples/signalk/build.ts";
import type { Figures } from "./main.ts";
import { median } from "./measure.ts";
import { emitsPerPoll, emitterWasm } from "./signalk/emitter.ts";
import { installedMb } from "./signalk/installed.ts";
import { type Loaded, openOurs } from "./signalk/ours.ts";
import { openTheirs } from "./signalk/theirs.ts";

/** A position with speed, as a GPS gives it every second. */
const deltaAt = (second: number) => ({
  context: "vessels.urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d",
  updates: [
    {
      $source: "gps.GP",
      timestamp: new Date(Date.UTC(2026, 0, 1, 12) + 1_000 * second).toISOString(),
      values: [
        {
          path: "navigation.position",
          value: {
            latitude: (53_012_345 + 11 * second) / 1_000_000,
            longitude: (4_712_345 + 7 * second) / 1_000_000,
          },
        },
        { path: "navigation.speedOverGround", value: (315 + (second % 7)) / 100 },
        { path: "navigation.courseOverGroundTrue", value: (10_821 + (second % 11)) / 10_000 },
      ],
    },
  ],
});

/** The same again and again; and another time, place and speed each. */
const still = [deltaAt(0)];
const moving = Array.from({ length: 600 }, (_, second) => deltaAt(second));

const rounds = 9;
/** V8 compiles what is called often, in the background, when the machine has time. */
const warmUpRounds = 15;
const deltasPerRound = 4_000;
/** Between these the event loop turns, for both. */
const deltasPerTurn = 100;
const pollsPerRound = 250;

export async function run(): Promise<Figures> {
  await buildSignalkExamples();
  const folder = await mkdtemp(join(tmpdir(), "remora-bench-signalk-"));
  try {
    const watcher = wasmPath("depth-alarm");
    const emitter = await emitterWasm(folder);
    const through = await compare(watcher, folder, {
      still: (loaded) => feed(loaded, still),
      moving: (loaded) => feed(loaded, moving),
    });
    const { emitted } = await compare(emitter, folder, { emitted: poll });
    return {
      deltasPerSecond: Math.round(through.still.ours),
      deltasPerSecondTheirs: Math.round(through.still.theirs),
      deltasRatio: rounded(through.still.ours / through.still.theirs),
      movingRatio: rounded(through.moving.ours / through.moving.theirs),
      emitsPerSecond: Math.round(emitted.ours),
      emitsPerSecondTheirs: Math.round(emitted.theirs),
      emitRatio: rounded(emitted.ours / emitted.theirs),
      installMb: rounded(installedMb()),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Use = (loaded: Loaded) => Promise<number>;

/** Interleaved rounds of both, in things a second. */
async function compare<Name extends string>(
  wasm: string,
  folder: string,
  uses: Readonly<Record<Name, Use>>,
): Promise<Record<Name, { readonly ours: number; readonly theirs: number }>> {
  const ours = await openOurs(wasm, folder);
  const theirs = await openTheirs(wasm, folder);
  const names = Object.keys(uses) as Name[];
  const rates = names.map((name) => ({ name, ours: [] as number[], theirs: [] as number[] }));
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    for (const rate of rates) {
      const use = uses[rate.name];
      const [our, their] = [await use(ours), await use(theirs)];
      if (round < warmUpRounds) continue;
      rate.ours.push(our);
      rate.theirs.push(their);
    }
  }
  await ours.close();
  const medians = rates.map((rate) => [rate.name, { ours: median(rate.ours), theirs: median(rate.theirs) }]);
  // One for each name.
  return Object.fromEntries(medians);
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
