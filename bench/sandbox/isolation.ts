/**
 * What a wall costs: a call and a record of a batch through a thread, starts of threads and processes, how fast a guest
 * that loops is stopped, and the memory of fifty plugins on the pool. `…FirstMs` has what a program pays once: the code
 * of the guest's side is read and stripped of its types then.
 */

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { noElevation, takHostImports } from "@remora/tak";
import {
  defaultLimits,
  type IsolatedInstance,
  type Isolation,
  type IsolationLevel,
  type Limits,
  openArtifact,
  openIsolation,
} from "remora/engine";
import { buildExamples, componentPath } from "../../examples/build.ts";
import type { Figures } from "../main.ts";
import { measureAwaited, median, type Timing } from "../measure.ts";
import { message as record } from "../message.ts";
import { looping } from "./looping.ts";

const limits: Limits = { ...defaultLimits, fuelMax: 1_000_000, deadlineMs: 50, memoryPagesMax: 64 };
const host = { log: () => {}, nowMs: Date.now, elevation: noElevation, audit: { write: () => {} } };
const imports = takHostImports("bench", host);
const evaluate = ["filter", "evaluate"];

export async function isolationFigures(): Promise<Figures> {
  await buildExamples();
  return {
    ...(await callFigures("worker")),
    ...(await callFigures("process")),
    ...(await startFigures("worker")),
    ...(await startFigures("process")),
    ...(await killFigures()),
    workerPool50Mb: poolMb("dist/engine/index.js"),
    workerPool50SourcesMb: poolMb("src/engine/index.ts"),
  };
}

async function geofence(isolation: Isolation): Promise<IsolatedInstance> {
  const artifact = openArtifact(await readFile(componentPath("tak/geofence-filter")));
  return isolation.instantiate(artifact, { imports, limits });
}

/** Medians of many short rounds. */
async function callFigures(level: IsolationLevel): Promise<Figures> {
  await using isolation = openIsolation(level);
  const guest = await geofence(isolation);
  const call = await timed(1_000, () => guest.call(evaluate, [record]));
  const batch = new Array(64).fill([record]);
  const each = await timed(100, () => guest.callBatch(evaluate, batch));
  return {
    [`${level}CallUs`]: call.median,
    [`${level}CallMinUs`]: call.min,
    [`${level}BatchRecordUs`]: each.median / batch.length,
    [`${level}BatchRecordMinUs`]: each.min / batch.length,
  };
}

/** Microseconds. */
async function timed(count: number, call: () => Promise<unknown>): Promise<Timing> {
  const { median: middle, min } = await measureAwaited(count, call);
  return { median: middle / 1_000, min: min / 1_000 };
}

/** From nothing to the answer of a first call. */
async function startFigures(level: IsolationLevel): Promise<Figures> {
  const starts: number[] = [];
  for (let round = 0; round < 15; round++) {
    const startedMs = performance.now();
    const isolation = openIsolation(level);
    const guest = await geofence(isolation);
    await guest.call(evaluate, [record]);
    starts.push(performance.now() - startedMs);
    await isolation.close();
  }
  return { [`${level}StartMs`]: median(starts), [`${level}StartMinMs`]: Math.min(...starts) };
}

/** A guest without fuel limit or deadline loops and is closed: until its call has ended and its thread serves again. */
async function killFigures(): Promise<Figures> {
  await using isolation = openIsolation("worker", { threadsMax: 1 });
  const endless = { ...limits, fuelMax: Infinity, deadlineMs: Infinity };
  const artifact = openArtifact(looping);
  const kills: number[] = [];
  for (let round = 0; round < 100; round++) {
    const guest = await isolation.instantiate(artifact, { imports: {}, limits: endless });
    const other = await isolation.instantiate(artifact, { imports: {}, limits });
    const looped = guest.call("spin", []).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const startedMs = performance.now();
    guest.close();
    await looped;
    await other.call("idle", []);
    kills.push(performance.now() - startedMs);
    other.close();
  }
  kills.sort((a, b) => a - b);
  return { workerKillMedianMs: kills[50], workerKillP99Ms: kills[98] };
}

/**
 * In a program of its own, so that nothing else is in the figure: as it is published, and from sources, where Node
 * strips types with a compiler of some 40 MB.
 */
function poolMb(entry: string): number {
  const workspace = new URL("../../", import.meta.url);
  execFileSync(
    process.execPath,
    [fileURLToPath(new URL("node_modules/typescript/bin/tsc", workspace)), "-b"],
    {
      cwd: fileURLToPath(new URL("packages/remora/src/engine", workspace)),
    },
  );
  const script = fileURLToPath(new URL("pool-memory.ts", import.meta.url));
  const engine = new URL(`packages/remora/${entry}`, workspace).href;
  return Number(execFileSync(process.execPath, [script, engine], { encoding: "utf8" }));
}
