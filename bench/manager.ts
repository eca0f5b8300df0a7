/**
 * What the manager costs: loading a plugin from its file to its first call, replacing one under load, a hundred of them, the start
 * of a host with twenty, and a managed call beside one that the engine makes.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultLimits, load } from "remora/engine";
import { giveAll, type Manager, openManager } from "remora/manager";
import type { Figures } from "./main.ts";
import { benchHost, bundleOf, type Calls, run as callRun, moduleOf } from "./manager/guests.ts";
import { measure, median } from "./measure.ts";

const smallKb = 20;
const largeKb = 1_500;

export async function run(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "remora-bench-"));
  try {
    const reload = await reloads(join(folder, "reload"));
    return {
      loadSmallMs: median(await loadsMs(join(folder, "small"), smallKb, 15)),
      ...(await largeLoads(join(folder, "large"))),
      ...reload,
      ...hundred(join(folder, "hundred")),
      startOverhead20: await startOverhead(join(folder, "start")),
      overheadNs: await overheadNs(join(folder, "overhead")),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function open(folder: string): Promise<Manager> {
  return openManager({
    folder,
    hosts: [benchHost],
    asker: giveAll,
    policy: { trust: "unsigned", healthEveryMs: 0 },
  });
}

/**
 * The first ones find a rewriter that V8 interprets; a host that has loaded some before finds one that it has compiled. Half of the
 * time is V8's and on both processors, so that the fastest says more of the code, and the medians more of the machine.
 */
async function largeLoads(folder: string): Promise<Figures> {
  const samples = await loadsMs(folder, largeKb, 15);
  return {
    loadLargeMs: median(samples.slice(0, 5)),
    loadLargeWarmMs: median(samples.slice(-5)),
    loadLargeMinMs: Math.min(...samples),
    loadLargeHeldMs: median(await heldMs(`${folder}-held`, largeKb, 9)),
  };
}

/** The longest time in each load in which a host that does something every millisecond could not. */
async function heldMs(folder: string, kilobytes: number, rounds: number): Promise<number[]> {
  await using manager = await open(folder);
  const samples: number[] = [];
  for (const path of await packed(folder, kilobytes, rounds)) {
    let [longestMs, lastMs] = [0, performance.now()];
    const timer = setInterval(() => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }, 1);
    await manager.install<Calls>(path);
    clearInterval(timer);
    samples.push(Math.max(longestMs, performance.now() - lastMs));
  }
  return samples;
}

/** Bundles of modules that nobody has seen before, all of them before the first is loaded, or what is left over from packing is collected within the loads. */
async function packed(folder: string, kilobytes: number, rounds: number): Promise<readonly string[]> {
  const paths = Array.from({ length: rounds }, (_, round) => join(folder, `${round}.bundle`));
  for (const [round, path] of paths.entries()) {
    writeFileSync(path, bundleOf(await moduleOf(kilobytes, 1_000 + round), `plugin-${round}`));
  }
  return paths;
}

/** From a bundle's file to the answer of its first call. */
async function loadsMs(folder: string, kilobytes: number, rounds: number): Promise<number[]> {
  await using manager = await open(folder);
  const samples: number[] = [];
  for (const [round, path] of (await packed(folder, kilobytes, rounds)).entries()) {
    const startedMs = performance.now();
    const plugin = await manager.install<Calls>(path);
    if (plugin.use(callRun, 1) !== 1_001 + round) throw new Error("It is another plugin");
    samples.push(performance.now() - startedMs);
  }
  return samples;
}

const callsPerSecond = 10_000;

/** A small plugin with state is replaced by another version again and again, while calls come at their rate. */
async function reloads(folder: string): Promise<{ reloadMedianMs: number; reloadFailedCalls: number }> {
  await using manager = await open(folder);
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

/** In a process of its own, where nothing else has taken memory. */
function hundred(folder: string): { load100Ms: number; load100Mb: number } {
  const script = fileURLToPath(new URL("manager/hundred.ts", import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [script, folder], { encoding: "utf8" }));
}

/** From the start of the process to a host that is ready, with twenty plugins that ran before and with none. */
async function startOverhead(folder: string): Promise<number> {
  const script = fileURLToPath(new URL("manager/start.ts", import.meta.url));
  const start = (count: number, prepares: boolean) => {
    const args = [script, `${folder}-${count}`, String(count), ...(prepares ? ["prepare"] : [])];
    const startedMs = performance.now();
    execFileSync(process.execPath, args, { stdio: "inherit" });
    return performance.now() - startedMs;
  };
  for (const count of [0, 20]) start(count, true);
  // In pairs, since a machine with moods has the same one for both of a pair more often than for the best of each.
  const ratios = Array.from({ length: 15 }, () => {
    const none = start(0, false);
    return start(20, false) / none;
  });
  return median(ratios) - 1;
}

async function overheadNs(folder: string): Promise<number> {
  const module = await moduleOf(0, 1);
  await using manager = await open(folder);
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
