/**
 * What the manager costs: loading a plugin from its file to its first call, replacing one under load, a hundred of them, the start
 * of a host with twenty, and a managed call beside one that the engine makes.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultLimits, load } from "remora/engine";
import type { Figures } from "./main.ts";
import { bundleOf, moduleOf } from "./manager/guests.ts";
import { type Calls, run as callRun, openBench, smallKb } from "./manager/host.ts";
import { loads } from "./manager/loads.ts";
import { measure, median } from "./measure.ts";

export async function run(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "remora-bench-"));
  try {
    const reload = await reloads(join(folder, "reload"));
    return {
      ...(await loads(join(folder, "loads"))),
      ...reload,
      ...hundred(join(folder, "hundred")),
      startOverhead20: await startOverhead(join(folder, "start")),
      overheadNs: await overheadNs(join(folder, "overhead")),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const callsPerSecond = 10_000;

/** A small plugin with state is replaced by another version again and again, while calls come at their rate. */
async function reloads(folder: string): Promise<{ reloadMedianMs: number; reloadFailedCalls: number }> {
  await using manager = await openBench(folder);
  const versions = await Promise.all(
    [1, 1].map(async (constant, at) => bundleOf(await moduleOf(smallKb, constant), "counter", `1.0.${at}`)),
  );
  const plugin = await manager.install<Calls>({ bytes: versions[0] as Uint8Array, origin: "bench" });
  let failed = 0;
  let made = 0;
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) * callsPerSecond) / 1_000;
    for (; made < due; made++) {
      try {
        if (plugin.use(callRun, made) !== made + 1) failed++;
      } catch {
        failed++;
      }
    }
  }, 1);
  const samples: number[] = [];
  for (let round = 0; round < 40; round++) {
    const reloadedMs = performance.now();
    const bytes = versions[(round + 1) % 2] as Uint8Array; // there are two
    await (round % 4 === 0 ? manager.reload("counter") : manager.install({ bytes, origin: "bench" }));
    samples.push(performance.now() - reloadedMs);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  clearInterval(timer);
  return { reloadMedianMs: median(samples), reloadFailedCalls: failed };
}

/** In processes of their own, where nothing else has taken memory: the fastest, and the most memory. */
function hundred(folder: string): Figures {
  const script = fileURLToPath(new URL("manager/hundred.ts", import.meta.url));
  const runs = Array.from({ length: 3 }, (_, at): { load100Ms: number; load100Mb: number } =>
    JSON.parse(execFileSync(process.execPath, [script, `${folder}-${at}`], { encoding: "utf8" })),
  );
  const ms = runs.map((run) => run.load100Ms);
  return {
    load100Ms: Math.min(...ms),
    load100MedianMs: median(ms),
    load100Mb: Math.max(...runs.map((run) => run.load100Mb)),
  };
}

/**
 * From the start of the process to a host that is ready, with twenty plugins that ran before and with none; the process says when
 * that is, so that its end does not count.
 */
async function startOverhead(folder: string): Promise<number> {
  const script = fileURLToPath(new URL("manager/start.ts", import.meta.url));
  const start = (count: number, prepares: boolean) => {
    const args = [script, `${folder}-${count}`, String(count), ...(prepares ? ["prepare"] : [])];
    return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
  };
  for (const count of [0, 20]) start(count, true);
  // In pairs, since a machine with moods has the same one for both of a pair more often than for the best of each.
  const ratios = Array.from({ length: 51 }, () => {
    const none = start(0, false);
    return start(20, false) / none;
  });
  return median(ratios) - 1;
}

async function overheadNs(folder: string): Promise<number> {
  const module = await moduleOf(0, 1);
  await using manager = await openBench(folder);
  const plugin = await manager.install<Calls>({ bytes: bundleOf(module, "adder"), origin: "bench" });
  const bare = await load<Calls>(module, { limits: defaultLimits });
  const exports = bare.exports;
  const timings = measure([
    {
      name: "bare",
      run(count) {
        let sum = 0;
        for (let call = 0; call < count; call++) sum = exports.run(sum & 0xff);
        return sum;
      },
    },
    {
      name: "managed",
      run(count) {
        let sum = 0;
        for (let call = 0; call < count; call++) sum = plugin.use(callRun, sum & 0xff);
        return sum;
      },
    },
  ]);
  bare.close();
  return (timings.get("managed")?.min ?? 0) - (timings.get("bare")?.min ?? 0);
}
