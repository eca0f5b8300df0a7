/** `node bench/manager/hundred.ts FOLDER`: a hundred plugins of 20 KB, from their files to their first calls. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { bundleOf, moduleOf } from "./guests.ts";
import { type Calls, openBench, run, smallKb } from "./host.ts";

const [, , folder = ""] = process.argv;
const count = 100;

v8.setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

await using manager = await openBench(folder);
const paths: string[] = [];
for (let plugin = 0; plugin < count; plugin++) {
  const path = join(folder, `${plugin}.bundle`);
  writeFileSync(path, bundleOf(await moduleOf(smallKb, 2_000 + plugin), `plugin-${plugin}`));
  paths.push(path);
}
collect();
const before = process.memoryUsage.rss();
const startedMs = performance.now();
for (const path of paths) (await manager.install<Calls>(path)).use(run, 1);
const load100Ms = performance.now() - startedMs;
collect();
const load100Mb = (process.memoryUsage.rss() - before) / 2 ** 20;
console.log(JSON.stringify({ load100Ms, load100Mb }));
