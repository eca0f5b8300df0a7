/**
 * What metering costs: the same programs unmetered, with exact fuel, and with a deadline alone. Beside them the price
 * of one call, the speed of the rewrite, how late a deadline is noticed, and what wasmtime's own fuel and epochs
 * cost on the same kernels where its Python wheel is installed.
 */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { meterModule } from "remora/wasm";
import type { Figures } from "./main.ts";
import { measure, rounded } from "./measure.ts";
import { callVariants } from "./meter/call.ts";
import { kernelBytes, kernelSizes, kernels } from "./meter/kernels.ts";
import { latenessOfLoops } from "./meter/lateness.ts";
import { meterOptions } from "./meter/loaders.ts";
import { installPackages, npmModules, npmPrograms } from "./meter/npm-programs.ts";
import { geomean, type Overhead, overheadOf } from "./meter/overhead.ts";
import type { Program } from "./meter/program.ts";

export async function run(): Promise<Figures> {
  // First, while V8 has seen one instance; and once more when it has seen thirty programs, as in a host of many plugins.
  const callOverheadNs = callOverhead();
  const hasPackages = installPackages();
  const kernelRows = await overheads(kernels);
  const npmRows = hasPackages ? await overheads(npmPrograms) : [];
  const rows = [...kernelRows, ...npmRows];
  const rewrite = rewriteSpeed(hasPackages);
  const lateness = await latenessOfLoops();
  const wasmtime = wasmtimeOverhead();
  const ratios = (list: readonly Overhead[], mode: "fuel" | "deadline") =>
    thousandths(geomean(list.map((row) => row[mode])));
  return {
    fuelOverheadGeomean: ratios(rows, "fuel"),
    fuelOverheadKernelGeomean: ratios(kernelRows, "fuel"),
    fuelOverheadNpmGeomean: hasPackages ? ratios(npmRows, "fuel") : null,
    deadlineOverheadGeomean: ratios(rows, "deadline"),
    wasmtimeFuelOverheadGeomean: wasmtime?.fuel ?? null,
    wasmtimeEpochOverheadGeomean: wasmtime?.epoch ?? null,
    wasmtimeVersion: wasmtime?.version ?? null,
    ...rewrite,
    callOverheadNs,
    callOverheadAfterManyProgramsNs: callOverhead(),
    deadlineLatenessP99Ms: thousandths(lateness.p99Ms),
    deadlineLatenessMedianMs: thousandths(lateness.medianMs),
    disturbedTrials: lateness.disturbed,
    latenessByLoop: lateness.loops.map(({ name, medianMs, p99Ms }) => ({
      name,
      medianMs: thousandths(medianMs),
      p99Ms: thousandths(p99Ms),
    })),
    programs: rows.map(({ name, source, plainMs, fuel, deadline }) => ({
      name,
      source: source ?? "bench/meter/kernels",
      plainMs: thousandths(plainMs),
      fuel: thousandths(fuel),
      deadline: thousandths(deadline),
    })),
  };
}

async function overheads(programs: readonly Program[]): Promise<Overhead[]> {
  const rows: Overhead[] = [];
  for (const program of programs) rows.push(await overheadOf(program));
  return rows;
}

/** What a call costs beyond the call itself, with fuel alone and with a deadline. */
function callOverhead(): { readonly fuel: number; readonly deadline: number } {
  const timings = measure(callVariants(), { rounds: 100, roundMs: 10 });
  const of = (name: string) => timings.get(name)?.min ?? Number.NaN;
  return { fuel: thousandths(of("fuel") - of("plain")), deadline: thousandths(of("deadline") - of("plain")) };
}

/** V8 has the rewriter in its last tier after some of these; a machine with moods needs more to show its best. */
const rewriteRounds = 40;

/** Warm, over the code sections of real modules: the best of each. */
function rewriteSpeed(hasPackages: boolean): {
  readonly rewriteMegabytesPerSecond: number;
  readonly codeGrowth: number;
} {
  const { resolve } = createRequire(import.meta.url);
  const tools = join(resolve("@bytecodealliance/jco-transpile"), "../../vendor/wasm-tools.core.wasm");
  const modules = [
    ...Object.keys(kernelSizes).map(kernelBytes),
    new Uint8Array(readFileSync(tools)),
    ...(hasPackages ? npmModules() : []),
  ];
  const options = meterOptions("fuel");
  const bestMs = modules.map(() => Number.POSITIVE_INFINITY);
  let code = { before: 0, after: 0 };
  for (let round = 0; round < rewriteRounds; round++) {
    code = { before: 0, after: 0 };
    for (const [index, bytes] of modules.entries()) {
      const start = performance.now();
      const { codeBytes } = meterModule(bytes, options);
      bestMs[index] = Math.min(bestMs[index] ?? 0, performance.now() - start);
      code = { before: code.before + codeBytes.before, after: code.after + codeBytes.after };
    }
  }
  const seconds = bestMs.reduce((sum, ms) => sum + ms, 0) / 1e3;
  return {
    rewriteMegabytesPerSecond: thousandths(code.before / 1e6 / seconds),
    codeGrowth: thousandths(code.after / code.before),
  };
}

interface WasmtimeOverhead {
  readonly version: string;
  readonly fuel: number;
  readonly epoch: number;
}

/** Undefined where Python or the wheel is missing. */
function wasmtimeOverhead(): WasmtimeOverhead | undefined {
  try {
    const script = join(import.meta.dirname, "meter", "wasmtime-overhead.py");
    const output = execFileSync("python3", [script, JSON.stringify(kernelSizes)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    // Our own script's one line.
    const { version, fuel, epoch } = JSON.parse(output) as {
      version: string;
      fuel: number[];
      epoch: number[];
    };
    return { version, fuel: thousandths(geomean(fuel)), epoch: thousandths(geomean(epoch)) };
  } catch {
    // The comparison is extra: without it the figures stay null.
    return undefined;
  }
}

function thousandths(value: number): number {
  return rounded(value, 3);
}
