/** `node bench/tak-instance.ts`: the resident memory of one more geofence, in KiB. One figure of `bench -- tak`. */

import { readFile } from "node:fs/promises";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { filterInterfaces, noElevation, takHostImports } from "@remora/tak";
import { defaultLimits, openArtifact } from "remora/engine";
import { componentPath } from "../examples/build.ts";

const count = 200;
const imports = takHostImports("bench", { log: () => {}, nowMs: Date.now, elevation: noElevation });
const message = { cotType: "a-f-G", uid: "u", lat: 52.08, lon: 4.31, time: "2026-06-01T12:00:00.000Z" };

interface Filter {
  evaluate(message: unknown): "pass" | "block";
}

const artifact = openArtifact(await readFile(componentPath("tak/geofence-filter")));

/** Called once, so that its lazily compiled code counts. */
function make() {
  const instance = artifact.instantiate({ imports, limits: defaultLimits });
  // Exported under this name by the world of the example.
  (instance.exports[filterInterfaces.record] as Filter).evaluate(message);
  return instance;
}

v8.setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const kept = [make()];
collect();
const before = process.memoryUsage.rss();
while (kept.length <= count) kept.push(make());
collect();
const grown = process.memoryUsage.rss() - before;
for (const instance of kept) instance.close();
console.log((grown / count / 1_024).toFixed(2));
