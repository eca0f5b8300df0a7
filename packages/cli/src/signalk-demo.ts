/** The demonstration of the Signal K host: a trip under sail, and the example plugins that watch it. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processorClock, type RunningSignalk, runSignalk } from "@remora/signalk";
import { type BuildReport, fromExamples, logBuild } from "./from-examples.ts";
import type { Running } from "./run-view.ts";

interface SignalkBuilder {
  buildSignalkExamples(): Promise<BuildReport>;
}

/** Settings and files of the plugins go to a folder that is gone when it ends. */
export async function startSignalkDemo(
  exampleFolder: string,
  { port, log }: { readonly port: number; readonly log: (line: string) => void },
): Promise<Running> {
  const { buildSignalkExamples } = await fromExamples<SignalkBuilder>(exampleFolder, "signalk/build.ts");
  logBuild(await buildSignalkExamples(), log);
  const dataFolder = await mkdtemp(join(tmpdir(), "remora-signalk-demo-"));
  const host = await runSignalk({
    dataFolder,
    modulesFolders: [join(exampleFolder, "signalk")],
    port,
    log,
    plugins: { guestClock: processorClock(() => process.threadCpuUsage()) },
    settingsDefault: { enabled: true, enableDebug: false, configuration: {} },
    inputs: [{ label: "trip", decoder: "nmea0183", from: { kind: "recording" } }],
  });
  return running(host, dataFolder);
}

function running(host: RunningSignalk, dataFolder: string): Running {
  const { address, port } = host.http;
  const ended = Promise.withResolvers<void>();
  const rates = new Rates();
  return {
    title: `Signal K host on a trip of ten minutes; listening on http://${address}:${port}/signalk`,
    stats: () => statsOf(host, rates),
    ended: ended.promise,
    async close() {
      await host.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

function statsOf(host: RunningSignalk, rates: Rates) {
  const { deltas, refused, plugins } = host.stats();
  const next = rates.since(performance.now());
  return {
    messages: deltas,
    passed: deltas,
    blocked: refused,
    changed: 0,
    messagesPerSecond: next("", deltas),
    plugins: plugins.map((plugin) => ({ ...plugin, callsPerSecond: next(plugin.id, plugin.calls) })),
  };
}

/** How much each count grew a second since it was last looked at. */
class Rates {
  #atMs: number | undefined;
  readonly #counts = new Map<string, number>();

  since(nowMs: number): (name: string, count: number) => number {
    const seconds = this.#atMs === undefined ? 0 : (nowMs - this.#atMs) / 1_000;
    this.#atMs = nowMs;
    return (name, count) => {
      const before = this.#counts.get(name) ?? count;
      this.#counts.set(name, count);
      return seconds === 0 ? 0 : (count - before) / seconds;
    };
  }
}
