/**
 * Signal K's plugins on its own loader and on ours, each behind the same event emitter as signalk-server has it: deltas
 * through one subscribed plugin, and deltas that a plugin emits. Ours runs with its limits on, theirs has none.
 *
 * Two plugins, since a loader and a guest are two things. `deltas`, `moving` and `emit` are of one with next to no work of
 * its own, in the convention of Rust and C: these compare the loaders. `alarm` and `alarmMoving` are of the depth alarm of
 * `examples/signalk`, in AssemblyScript, which searches each text as plugins do: a good part of such a delta is the guest's own work,
 * and here it pays for its meter as well. `deltas` and `alarm` say one delta again and again, whose text is then found to be that of
 * the last; in the two `moving` ones time, place, speed and course are others each time, which is what a boat under way says.
 *
 * Each plugin has a process of its own. On one machine, of two cores: deltasRatio 2.2, movingRatio 1.25, alarmRatio 1.9,
 * alarmMovingRatio 1.25, emitRatio 2.35. RATIONALE.md, "Where does the time of a delta go?", says why.
 */

import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSignalkExamples } from "../examples/signalk/build.ts";
import type { Figures } from "./main.ts";
import { rounded } from "./measure.ts";
import { installedMb } from "./signalk/installed.ts";
import type { Part, Rates } from "./signalk/rates.ts";

export async function run(): Promise<Figures> {
  await buildSignalkExamples();
  const folder = await mkdtemp(join(tmpdir(), "remora-bench-signalk-"));
  try {
    ratesOf("texts", folder);
    const rates = { ...ratesOf("counting", folder), ...ratesOf("alarm", folder) };
    const all = Object.entries(rates).map(([name, each]) => figures(name, each));
    return { ...Object.assign({}, ...all), installMb: rounded(installedMb()) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of one plugin, in a process of its own. */
function ratesOf(part: Part, folder: string): Record<string, Rates> {
  const script = fileURLToPath(new URL("signalk/rates.ts", import.meta.url));
  const printed = execFileSync(process.execPath, [script, part, folder], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "");
}

/** Of the fastest round of each: what else the machine does, and how fast it is for a while, only makes others slower. */
function figures(name: string, rates: Rates): Figures {
  const [ours, theirs] = [Math.max(...rates.ours), Math.max(...rates.theirs)];
  return {
    [`${name}PerSecond`]: Math.round(ours),
    [`${name}PerSecondTheirs`]: Math.round(theirs),
    [`${name}Ratio`]: rounded(ours / theirs),
  };
}
