/** The demonstration of the Signal K host: a trip under sail, and the example plugins that watch it. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { processorClock, type RunningSignalk, type RunSignalkOptions, runSignalk } from "@remora/signalk";
import { openBundle } from "remora/bundle";
import { giveAll, type Manager } from "remora/manager";
import { type BuildReport, fromExamples, logBuild } from "./from-examples.ts";
import { waitingWith, whenFree } from "./held-folder.ts";
import { type HostAdmin, openHostAdmin } from "./host-admin.ts";
import type { Running } from "./run-view.ts";

interface SignalkBuilder {
  buildSignalkExamples(): Promise<BuildReport>;
  /** Those that could be built here. */
  builtBundles(): readonly string[];
}

interface DemoOptions {
  readonly port: number;
  readonly log: (line: string) => void;
  /** Ends the waiting for a command that holds the folder. */
  readonly signal: AbortSignal;
}

/** What the operator makes of the plugins stays in the repository's cache, as TAK's does. */
export async function startSignalkDemo(exampleFolder: string, options: DemoOptions): Promise<Running> {
  const { port, log, signal } = options;
  const builder = await fromExamples<SignalkBuilder>(exampleFolder, "signalk/build.ts");
  logBuild(await builder.buildSignalkExamples(), log);
  const dataFolder = await mkdtemp(join(tmpdir(), "remora-signalk-demo-"));
  const run: RunSignalkOptions = {
    dataFolder,
    modulesFolders: [],
    port,
    log,
    plugins: { guestClock: processorClock(() => process.threadCpuUsage()) },
    bundles: {
      folder: resolve(exampleFolder, "../.cache/demo-signalk"),
      // Whoever may use this machine's demonstration may try what they built.
      policy: { trust: "unsigned" },
      asker: giveAll,
      who: "the demonstration of the Signal K host",
    },
    inputs: [{ label: "trip", decoder: "nmea0183", from: { kind: "recording" } }],
  };
  const removeData = () => rm(dataFolder, { recursive: true, force: true });
  const host = await whenFree(() => runSignalk(run), waitingWith(log, signal)).catch(
    async (error: unknown) => {
      await removeData();
      throw error;
    },
  );
  const close = async () => {
    await host.close();
    await removeData();
  };
  try {
    const { manager } = bundlesOf(host);
    for (const path of builder.builtBundles()) await installNew(path, manager);
    return running(host, await openHostAdmin({ manager, log }), close);
  } catch (error) {
    await close();
    throw error;
  }
}

function bundlesOf({ bundles }: RunningSignalk) {
  if (bundles === undefined) throw new Error("Invariant broken: a host that was given a folder has bundles");
  return bundles;
}

/** A version that the manager keeps already is what the operator made of it. */
async function installNew(path: string, manager: Manager): Promise<void> {
  const bytes = await readFile(path);
  const { digest, manifest } = openBundle(bytes);
  const { name } = manifest;
  const { current, previous } = manager.has(name)
    ? manager.versions(name)
    : { current: undefined, previous: [] };
  if ([current, ...previous].some((version) => version?.digest === digest)) return;
  await manager.install({ bytes, origin: path }, { isEnabled: true });
}

function running(host: RunningSignalk, admin: HostAdmin, close: () => Promise<void>): Running {
  const { address, port } = host.http;
  const ended = Promise.withResolvers<void>();
  const rates = new Rates();
  return {
    title: `Signal K host on a trip of ten minutes; listening on http://${address}:${port}/signalk\n${admin.line}`,
    stats: () => statsOf(host, rates),
    ended: ended.promise,
    async close() {
      await admin.close();
      await close();
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
      // A plugin that was removed and is there again counts anew.
      return seconds === 0 ? 0 : Math.max(0, count - before) / seconds;
    };
  }
}
