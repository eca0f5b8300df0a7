/**
 * Loading a plugin: from a bundle's file to the answer of its first call, with modules that nobody has seen before. And what is
 * loaded beside a real program: a benchmark's module that is easier to compile than those that people have says nothing.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CompileCache, defaultLimits, openArtifact } from "remora/engine";
import type { Figures } from "../main.ts";
import { median } from "../measure.ts";
import { bundleOf, denseModuleOf, moduleOf } from "./guests.ts";
import { type Calls, run as callRun, openBench, smallKb } from "./host.ts";
import { fileOf, firstConstant, type Loaded, loadedOfEach } from "./loaded.ts";

const largeKb = 1_500;
/** Functions of a module that has nothing but small loops, as a hard case. */
const denseFunctions = 14_000;

type MakeModule = (constant: number) => Promise<Uint8Array>;

const smallModule: MakeModule = (constant) => moduleOf(smallKb, constant);
const largeModule: MakeModule = (constant) => moduleOf(largeKb, constant);
const denseModule: MakeModule = (constant) => denseModuleOf(denseFunctions, constant);

/**
 * The fastest of what several processes have loaded, of large ones the fastest of the first five: those find a rewriter that V8 has
 * hardly compiled, as in a host that loads few plugins. Who else is on the machine makes the same loads take twice as long, for
 * minutes, and that is what the medians of them all, beside, are about.
 */
export async function loads(folder: string): Promise<Figures> {
  const runs = await loadedIn(`${folder}-fresh`, 5);
  const small = runs.flatMap((run) => run.small);
  const large = runs.flatMap((run) => run.large.slice(0, 5));
  const warm = runs.flatMap((run) => run.large.slice(-5));
  return {
    loadSmallMs: Math.min(...small),
    loadSmallMedianMs: median(small),
    loadLargeMs: Math.min(...large),
    loadLargeMedianMs: median(large),
    loadLargeWarmMs: Math.min(...warm),
    loadLargeWarmMedianMs: median(warm),
    loadLargeHeldMs: median(await heldMs(`${folder}-held`, largeModule, 9)),
    loadDenseMs: Math.min(...(await loadsMs(`${folder}-dense`, denseModule, 7))),
    largeToRealRatio: await largeToReal(9),
  };
}

/** In processes of their own, where nothing else has taken memory: bundles are made here, and what that leaves is collected here. */
async function loadedIn(folder: string, processes: number): Promise<Loaded[]> {
  mkdirSync(folder, { recursive: true });
  for (let at = 0; at < loadedOfEach; at++) {
    for (const [size, make] of Object.entries({ small: smallModule, large: largeModule })) {
      const bundle = bundleOf(await make(firstConstant + at), `plugin-${at}`);
      writeFileSync(join(folder, fileOf(size as keyof Loaded, at)), bundle);
    }
  }
  const script = fileURLToPath(new URL("loading.ts", import.meta.url));
  return Array.from({ length: processes }, (_, at) => {
    const args = [script, folder, join(folder, `state-${at}`)];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Loaded;
  });
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
    writeFileSync(path, bundleOf(await make(firstConstant + round), `plugin-${round}`));
  }
  return paths;
}

async function loadsMs(folder: string, make: MakeModule, rounds: number): Promise<number[]> {
  await using manager = await openBench(folder);
  const samples: number[] = [];
  for (const [round, path] of (await packed(folder, make, rounds)).entries()) {
    const startedMs = performance.now();
    const plugin = await manager.install<Calls>(path);
    if (plugin.use(callRun, 1) !== firstConstant + round + 1) throw new Error("It is another plugin");
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
  const ours = { bytes: await largeModule(1), bestMs: Number.POSITIVE_INFINITY };
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
