/**
 * Loading a plugin: from a bundle's file to the answer of its first call, with modules that nobody has seen before. And what is
 * loaded beside a real program: a benchmark's module that is easier to compile than those that people have says nothing.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CompileCache, defaultLimits, openArtifact } from "remora/engine";
import type { Figures } from "../main.ts";
import { median } from "../measure.ts";
import {
  bundleOf,
  type Calls,
  run as callRun,
  denseModuleOf,
  moduleOf,
  openBench,
  smallKb,
} from "./guests.ts";

const largeKb = 1_500;
/** Functions of a module that has nothing but small loops, as a hard case. */
const denseFunctions = 14_000;

type MakeModule = (constant: number) => Promise<Uint8Array>;

const small: MakeModule = (constant) => moduleOf(smallKb, constant);
const large: MakeModule = (constant) => moduleOf(largeKb, constant);
const dense: MakeModule = (constant) => denseModuleOf(denseFunctions, constant);

/**
 * The first large ones find a rewriter that V8 interprets; a host that has loaded some before finds one that it has compiled. Half of
 * the time is V8's and on both processors, so that the fastest says more of the code, and the medians more of the machine.
 */
export async function loads(folder: string): Promise<Figures> {
  const loadSmallMs = median(await loadsMs(`${folder}-small`, small, 15));
  const samples = await loadsMs(`${folder}-large`, large, 15);
  return {
    loadSmallMs,
    loadLargeMs: median(samples.slice(0, 5)),
    loadLargeWarmMs: median(samples.slice(-5)),
    loadLargeMinMs: Math.min(...samples),
    loadLargeHeldMs: median(await heldMs(`${folder}-held`, large, 9)),
    loadDenseMs: median(await loadsMs(`${folder}-dense`, dense, 7)),
    largeToRealRatio: await largeToReal(9),
  };
}

/** The longest time in each load in which a host that does something every millisecond could not. */
async function heldMs(folder: string, make: MakeModule, rounds: number): Promise<number[]> {
  await using manager = await openBench(folder);
  const samples: number[] = [];
  for (const path of await packed(folder, make, rounds)) {
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

/** All of them before the first is loaded, or what is left over from packing is collected within the loads. */
async function packed(folder: string, make: MakeModule, rounds: number): Promise<readonly string[]> {
  const paths = Array.from({ length: rounds }, (_, round) => join(folder, `${round}.bundle`));
  for (const [round, path] of paths.entries()) {
    writeFileSync(path, bundleOf(await make(1_000 + round), `plugin-${round}`));
  }
  return paths;
}

async function loadsMs(folder: string, make: MakeModule, rounds: number): Promise<number[]> {
  await using manager = await openBench(folder);
  const samples: number[] = [];
  for (const [round, path] of (await packed(folder, make, rounds)).entries()) {
    const startedMs = performance.now();
    const plugin = await manager.install<Calls>(path);
    if (plugin.use(callRun, 1) !== 1_001 + round) throw new Error("It is another plugin");
    samples.push(performance.now() - startedMs);
  }
  return samples;
}

/**
 * Rewriting and compiling a megabyte of the large module, beside one of the core of `wasm-tools`, which Rust's compiler made: in
 * turns, the best of each.
 */
async function largeToReal(rounds: number): Promise<number> {
  const { resolve } = createRequire(import.meta.url);
  const tools = join(resolve("@bytecodealliance/jco-transpile"), "../../vendor/wasm-tools.core.wasm");
  const ours = { bytes: await large(1), bestMs: Number.POSITIVE_INFINITY };
  const real = { bytes: new Uint8Array(readFileSync(tools)), bestMs: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    for (const program of [ours, real]) {
      const startedMs = performance.now();
      await prepared(unlike(program.bytes, round));
      program.bestMs = Math.min(program.bestMs, performance.now() - startedMs);
    }
  }
  return ours.bestMs / ours.bytes.length / (real.bestMs / real.bytes.length);
}

function prepared(bytes: Uint8Array): Promise<void> {
  return openArtifact(bytes, { plugin: "bench", cache: new CompileCache() }).prepare(defaultLimits);
}

/** The same with a custom section of its own: V8 compiles no module twice. */
function unlike(bytes: Uint8Array, round: number): Uint8Array {
  return Buffer.concat([bytes, Uint8Array.of(0, 3, 1, 0x78, round)]);
}
