/**
 * Memory, each figure in a process of its own: what 50 plugins keep, and what is left of instances that were closed.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Artifact, openArtifact } from "remora/engine";
import { cacheFolder } from "./cache-folder.ts";
import type { Contestant } from "./contestant.ts";
import { jco, jcoVersions, openTranspiled, transpiledFolder } from "./jco.ts";
import { limits, remora, remoraUnlimited } from "./remora.ts";
import { renamed } from "./renamed.ts";

const pluginsCount = 50;

/** What the allocator still holds of work that is over differs by half from process to process. */
const processesCount = 5;

/** Megabytes that each of 50 different plugins keeps, by contestant: of several processes each. */
export async function residentEach(
  component: Uint8Array,
  contestants: readonly Contestant[],
): Promise<Map<string, readonly number[]>> {
  for (const version of jcoVersions) {
    if (!contestants.some(({ name }) => name === version.name)) continue;
    // Transpiled here, so that the transpiler's own memory does not count; by one that has forgotten nothing yet.
    const { prepare } = await jco(version);
    for (const plugin of [...plugins(component, "rehearsal"), ...plugins(component, "plugin")])
      await prepare(plugin);
  }
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < processesCount; round++) {
    for (const [name, each] of samples) each.push(inProcess<number>("resident", name, component));
  }
  return samples;
}

export interface Unloading {
  /** Instances of one component, each made, called and closed. */
  readonly instances: number;
  readonly grownKbPerInstance: number;
  /** Components, each of other bytes, loaded, called and closed: hot reload. */
  readonly reloads: number;
  readonly grownKbPerReload: number;
}

export function unloading(component: Uint8Array): Unloading {
  return inProcess("unload", "remora", component);
}

function inProcess<Result>(task: string, contestant: string, component: Uint8Array): Result {
  const file = join(cacheFolder, "resident.wasm");
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(file, component);
  const output = execFileSync(
    process.execPath,
    // A small young generation: what the process holds in reserve would hide what plugins take.
    ["--expose-gc", "--max-semi-space-size=1", import.meta.filename, task, contestant, file],
    { encoding: "utf8" },
  );
  // This file's own last line.
  return JSON.parse(output) as Result;
}

function* plugins(component: Uint8Array, name: string): Generator<Uint8Array> {
  for (let index = 0; index < pluginsCount; index++) yield renamed(component, `${name} ${index}`);
}

async function measureResident(name: string, component: Uint8Array): Promise<number> {
  const load = loaderOf(name);
  const kept: unknown[] = [];
  const open = async (plugin: Uint8Array) => {
    const instance = (await load(plugin))();
    instance.exports.run("the quick brown fox");
    kept.push(instance);
  };
  // They pay for what the process needs once, such as room to compile in.
  for (const plugin of plugins(component, "rehearsal")) await open(plugin);
  const before = await settledBytes();
  for (const plugin of plugins(component, "plugin")) await open(plugin);
  return ((await settledBytes()) - before) / pluginsCount / 1_048_576;
}

function loaderOf(name: string): Contestant["prepare"] {
  if (name === "remora") return remora(name, limits).prepare;
  if (name === "remora, limits off") return remoraUnlimited(name).prepare;
  return (plugin) => openTranspiled(transpiledFolder(name, plugin));
}

async function measureUnload(component: Uint8Array): Promise<Unloading> {
  const instances = 2_000;
  const reloads = 300;
  const one = openArtifact(component, { plugin: "bench" });
  const grownKbPerInstance = await grownKb(instances, () => useOnce(one));
  let index = 0;
  const grownKbPerReload = await grownKb(reloads, () => {
    useOnce(openArtifact(renamed(component, `reload ${index++}`)));
  });
  return { instances, grownKbPerInstance, reloads, grownKbPerReload };
}

/** Does it once as a rehearsal, which fills what is kept on purpose: the cache of compiled modules. */
async function grownKb(count: number, once: () => void): Promise<number> {
  const rehearse = async () => {
    for (let index = 0; index < count; index++) {
      once();
      // Finalizers run between the turns of the event loop.
      if (index % 50 === 0) await setImmediate();
    }
    return settledBytes();
  };
  const before = await rehearse();
  return Number((((await rehearse()) - before) / count / 1_024).toFixed(2));
}

function useOnce(artifact: Artifact): void {
  const instance = artifact.instantiate({ imports: {}, limits });
  instance.call("run", ["the quick brown fox"]);
  instance.close();
}

/** There because of the flag above. */
const { gc: collect } = globalThis as { gc?: () => void };

async function settledBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collect?.();
    await setImmediate();
  }
  return process.memoryUsage.rss();
}

if (import.meta.main) {
  const [, , task, contestant = "", file = ""] = process.argv;
  const component = new Uint8Array(readFileSync(file));
  const result =
    task === "resident" ? await measureResident(contestant, component) : await measureUnload(component);
  console.log(JSON.stringify(result));
}
