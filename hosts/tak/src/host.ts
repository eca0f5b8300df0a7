/**
 * The TAK host: a stream of events in, duplicates taken out, the configured chain of native filters and plugins,
 * and what comes through handed to those it is for. It knows nothing of sockets: whoever receives events calls
 * `accept`, whoever sends them is added as an outlet.
 */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { RemoraError } from "remora/base";
import { Aggregator } from "./aggregate.ts";
import { Chain } from "./chain/chain.ts";
import { nativeStage, type Stage } from "./chain/stage.ts";
import type { ChainEntry, PluginSettings, TakConfig } from "./config/settings.ts";
import type { CotMessage } from "./cot/message.ts";
import { Distributor, type Outlet } from "./distribute.ts";
import { takErrors } from "./errors.ts";
import type { TakHostOptions } from "./plugin/host-functions.ts";
import { openPluginStage, type PluginStage } from "./plugin/plugin-stage.ts";
import { RouteTable } from "./routes/route-table.ts";

export interface OpenTakHostOptions {
  /** What the plugins may ask of the host. */
  readonly host: TakHostOptions;
  /** Told of each failure of a stage, after it was counted. */
  readonly onFailed?: (stage: Stage, message: CotMessage, error: RemoraError) => void;
}

/** Counts since the start. */
export interface TakHostStats {
  /** Events that arrived. */
  readonly messages: number;
  /** Of those, the ones that had arrived before. */
  readonly duplicates: number;
  readonly passed: number;
  /** By a verdict, or because a stage failed and blocks then. */
  readonly blocked: number;
  /** Passed, but not as they came. */
  readonly changed: number;
  /** Failures of stages; what becomes of such an event is the stage's `on_failure`. */
  readonly failed: number;
  readonly plugins: readonly PluginStats[];
}

export interface PluginStats {
  readonly id: string;
  readonly calls: number;
  readonly traps: number;
  /** Mean over all calls, in WebAssembly instructions. */
  readonly fuelPerCall: number;
  /** Of a call with lowering and lifting; one in sixteen is timed. */
  readonly p50ns: number;
  readonly p99ns: number;
}

/**
 * Events of one turn of the event loop that wait for a stage that takes many at once; more are handed over at
 * once, so that a burst does not make the first of them wait.
 */
const batchMax = 256;

export class TakHost {
  readonly config: TakConfig;
  readonly #aggregator: Aggregator;
  readonly #chain: Chain;
  readonly #distributor: Distributor;
  readonly #plugins: readonly PluginStage[];
  readonly #close: () => void;
  readonly #isBatched: boolean;
  readonly #waiting: CotMessage[] = [];
  readonly #origins: (Outlet | undefined)[] = [];
  readonly #decided: CotMessage[] = [];
  readonly #from: number[] = [];
  #messages = 0;

  /** Use `openTakHost`, which reads the plugins. */
  constructor(
    config: TakConfig,
    stages: readonly Stage[],
    plugins: readonly PluginStage[],
    options: OpenTakHostOptions,
  ) {
    this.config = config;
    this.#aggregator = new Aggregator(config.aggregation);
    this.#chain = new Chain(stages, options.onFailed === undefined ? {} : { onFailed: options.onFailed });
    this.#distributor = new Distributor(config.routing && new RouteTable(config.routing));
    this.#plugins = plugins;
    this.#isBatched = stages.some((stage) => stage.kind === "filter" && stage.decideBatch !== undefined);
    this.#close = options.host.elevation.close;
  }

  /** Takes one event. Where it came from is where it is not sent back to; undefined for a recording. */
  accept(message: CotMessage, origin: Outlet | undefined): void {
    this.#messages++;
    if (!this.#aggregator.isNew(message)) return;
    if (this.#isBatched) {
      this.#wait(message, origin);
      return;
    }
    const decided = this.#chain.run(message);
    if (decided !== undefined) this.#distributor.distribute(decided, origin);
  }

  /** @param destination The id of the listener that accepted the connection, or of the server that it goes to. */
  addOutlet(destination: string, outlet: Outlet): void {
    this.#distributor.add(destination, outlet);
  }

  removeOutlet(destination: string, outlet: Outlet): void {
    this.#distributor.remove(destination, outlet);
  }

  stats(): TakHostStats {
    const { passed, blocked, changed, failed } = this.#chain.counts();
    return {
      messages: this.#messages,
      duplicates: this.#aggregator.duplicates,
      passed,
      blocked,
      changed,
      failed,
      plugins: this.#plugins.map(pluginStats),
    };
  }

  distribution() {
    return this.#distributor.counts();
  }

  /** Decides what still waits, then closes the plugins. */
  close(): void {
    this.#flush();
    for (const plugin of this.#plugins) plugin.close();
    this.#close();
  }

  #wait(message: CotMessage, origin: Outlet | undefined): void {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    this.#waiting.push(message);
    this.#origins.push(origin);
    if (this.#waiting.length >= batchMax) this.#flush();
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const messages = this.#waiting.splice(0);
    const origins = this.#origins.splice(0);
    this.#chain.runBatch(messages, this.#decided, this.#from);
    for (const [index, decided] of this.#decided.entries()) {
      this.#distributor.distribute(decided, origins[this.#from[index] ?? 0]);
    }
  }
}

/**
 * Reads and starts the plugins of a configuration, in the order of its chain.
 *
 * @throws tak/plugin-file        a plugin's file cannot be read
 * @throws tak/… policy/… engine/… component/… wasm/… a plugin cannot be started; nothing is left behind
 */
export async function openTakHost(config: TakConfig, options: OpenTakHostOptions): Promise<TakHost> {
  const plugins: PluginStage[] = [];
  try {
    const stages: Stage[] = [];
    for (const entry of config.chain) stages.push(await openStage(config, entry, options, plugins));
    return new TakHost(config, stages, plugins, options);
  } catch (error) {
    for (const plugin of plugins) plugin.close();
    throw error;
  }
}

async function openStage(
  config: TakConfig,
  entry: ChainEntry,
  options: OpenTakHostOptions,
  plugins: PluginStage[],
): Promise<Stage> {
  if (entry.kind === "native") return nativeStage(entry.id, entry.filter, entry.onFailure);
  const { plugin } = entry;
  const stage = openPluginStage({
    id: plugin.id,
    kind: plugin.kind,
    bytes: await readPlugin(config, plugin),
    settings: plugin.config,
    onFailure: plugin.onFailure,
    limits: plugin.limits,
    grants: plugin.grants,
    givesXml: plugin.givesXml,
    host: options.host,
  });
  plugins.push(stage);
  return stage;
}

async function readPlugin(config: TakConfig, plugin: PluginSettings): Promise<Uint8Array> {
  const path = resolve(dirname(config.file), config.pluginDir, plugin.path);
  try {
    return await readFile(path);
  } catch (cause) {
    throw takErrors["plugin-file"]({ plugin: plugin.id, path }, cause);
  }
}

function pluginStats(stage: PluginStage): PluginStats {
  const { calls, traps, fuelUsed, latency } = stage.metrics();
  return {
    id: stage.id,
    calls,
    traps,
    fuelPerCall: calls === 0 ? 0 : fuelUsed / calls,
    p50ns: latency.percentile(0.5),
    p99ns: latency.percentile(0.99),
  };
}
