/**
 * `node bench/manager/loading.ts FOLDER STATE`: loads the bundles in a folder, the small ones and then the large ones, into a new
 * manager with its own folder; prints how many milliseconds each took, from its file to the answer of its first call.
 */

import { join } from "node:path";
import { type Calls, openBench, run } from "./host.ts";
import { fileOf, firstConstant, type Loaded, loadedOfEach } from "./loaded.ts";

const [, , folder = "", state = ""] = process.argv;

console.log(JSON.stringify({ small: await load("small"), large: await load("large") } satisfies Loaded));

async function load(size: keyof Loaded): Promise<number[]> {
  await using manager = await openBench(join(state, size));
  const samples: number[] = [];
  for (let at = 0; at < loadedOfEach; at++) {
    const startedMs = performance.now();
    const plugin = await manager.install<Calls>(join(folder, fileOf(size, at)));
    if (plugin.use(run, 1) !== firstConstant + at + 1) throw new Error("It is another plugin");
    samples.push(performance.now() - startedMs);
  }
  return samples;
}
