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
const delta = {
  context: "vessels.urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d",
  updates: [
    {
      $source: "gps.GP",
      timestamp: "2026-01-01T12:00:00.000Z",
      values: [
        { path: "navigation.position", value: { latitude: 53.012_345, longitude: 4.712_345 } },
        { path: "navigation.speedOverGround", value: 3.15 },
        { path: "navigation.courseOverGroundTrue", value: 1.0821 },
      ],
    },
  ],
};

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
    const [through, emitted] = [await compare(watcher, folder, feed), await compare(emitter, folder, poll)];
    return {
      deltasPerSecond: Math.round(through.ours),
      deltasPerSecondTheirs: Math.round(through.theirs),
      deltasRatio: rounded(through.ours / through.theirs),
      emitsPerSecond: Math.round(emitted.ours),
      emitsPerSecondTheirs: Math.round(emitted.theirs),
      emitRatio: rounded(emitted.ours / emitted.theirs),
      installMb: rounded(installedMb()),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Interleaved rounds of both, in things a second. */
async function compare(wasm: string, folder: string, use: (loaded: Loaded) => Promise<number>) {
  const ours = await openOurs(wasm, folder);
  const theirs = await openTheirs(wasm, folder);
  const rates = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    for (const [name, loaded] of [["ours", ours] as const, ["theirs", theirs] as const]) {
      const rate = await use(loaded);
      if (round >= warmUpRounds) rates[name].push(rate);
    }
  }
  await ours.close();
  return { ours: median(rates.ours), theirs: median(rates.theirs) };
}

async function feed(loaded: Loaded): Promise<number> {
  const before = loaded.delivered();
  const startedMs = performance.now();
  for (let sent = 0; sent < deltasPerRound; sent++) {
    loaded.say(delta);
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
