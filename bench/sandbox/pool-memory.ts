/**
 * `node bench/sandbox/pool-memory.ts ENGINE`: megabytes of the whole program, Node and Remora included, with fifty
 * different plugins live on the pool of threads and each called once. One figure of `bench -- sandbox`, which names the
 * engine's entry: as it is published, or the sources.
 */

import { readFile } from "node:fs/promises";
import type * as Engine from "remora/engine";
import { componentPath } from "../../examples/build.ts";

// The same names, wherever the entry is.
const { defaultLimits, openArtifact, openIsolation } = (await import(process.argv[2] ?? "")) as typeof Engine;

const imports = { "omnitak:plugin/host@0.1.0": { log() {}, getCurrentTimeMs: () => 0n } };
const bytes = await readFile(componentPath("tak/geofence-filter"));
const message = { cotType: "a-f-G", uid: "u", lat: 52.08, lon: 4.31, time: "2026-06-01T12:00:00.000Z" };
const isolation = openIsolation("worker");

for (let index = 0; index < 50; index++) {
  // A custom section, "x" and its number: another plugin, of other bytes.
  const own = Uint8Array.from([...bytes, 0, 3, 1, 0x78, index]);
  const artifact = openArtifact(own, { plugin: `plugin-${index}` });
  const guest = await isolation.instantiate(artifact, { imports, limits: defaultLimits });
  await guest.call(["filter", "evaluate"], [message]);
}
console.log((process.memoryUsage.rss() / 1e6).toFixed(1));
await isolation.close();
