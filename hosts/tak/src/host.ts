/**
 * The TAK host: a stream of events in, duplicates taken out, the configured chain of native filters and plugins,
 * and what comes through handed to those it is for. It knows nothing of sockets: whoever receives events calls
 * `accept`, whoever sends them is added as an outlet.
 */

import { invariant, type RemoraError } from "remora/base";
import type { Asker, Manager, ManagerListener } from "remora/manager";
import { Aggregator } from "./aggregate.ts";
import { Chain } from "./chain/chain.ts";
import { answersLater, nativeStage, type Stage } from "./chain/stage.ts";
import type { TakConfig } from "./config/settings.ts";
import type { CotMessage } from "./cot/message.ts";
import { DecisionLine, type Waiting } from "./decision-line.ts";
import { Distributor, type Outlet, type Watcher } from "./distribute.ts";
import { FilterRules } from "./filters/rules.ts";
import type { ChainPlugin } from "./plugin/chain-plugin.ts";
import type { TakHostOptions } from "./plugin/host-functions.ts";
import { type OpenedPlugins, openPlugins } from "./plugin/open-plugins.ts";
import { managedStage } from "./plugin/plugin-stage.ts";
import { RouteTable } from "./routes/route-table.ts";

export interface OpenTakHostOptions {
  /** What the plugins may ask of the host. */
  readonly host: TakHostOptions;
  /** Told of each failure of a stage, after it was counted. */
  readonly onFailed?: (stage: Stage, message: CotMessage, error: RemoraError) => void;
  /** Of the plugins' manager: who consents, told of what happens, who holds its folder. */
  readonly asker?: Asker;
  readonly onEvent?: ManagerListener;
  readonly who?: string;
}

/** What became of an event that was sent by hand. */
export type Injected =
  | { readonly kind: "sent"; readonly outlets: readonly Outlet[] }
  /** It had arrived before. */
  | { readonly kind: "duplicate" }
  /** By a filter or plugin. */
  | { readonly kind: "blocked" };

/** Counts since the start. */
export interface TakHostStats {
  /** Events that arrived. */
  readonly messages: number;
  /** Of those, the ones that had arrived before. */
  readonly duplicates: number;
  readonly passed: number;
  /** By a verdict or a rule, or because a stage failed and blocks then. */
  readonly blocked: number;
  /** Passed, but not as they came. */
  readonly changed: number;
  /** Failures of stages; what becomes of such an event is the stage's `on_failure`. */
  readonly failed: number;
  /** Not decided at all, because plugins behind walls are slower than the stream. */
  readonly lost: number;
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
  /** Of its plugins. */
  readonly manager: Manager;
  /** Made while it runs, ahead of the chain. */
  readonly rules = new FilterRules();
  /** Those of its plugins that get messages: the places of the chain, in its order. */
  readonly places: readonly ChainPlugin[];
  readonly #aggregator: Aggregator;
  readonly #chain: Chain;
  readonly #distributor: Distributor;
  readonly #close: () => void;
  readonly #line: DecisionLine<Outlet | undefined>;
  #isBatched: boolean;
  #isLate: boolean;
  readonly #waiting: CotMessage[] = [];
  readonly #origins: (Outlet | undefined)[] = [];
  readonly #decided: CotMessage[] = [];
  readonly #from: number[] = [];
  #messages = 0;

  /** Use `openTakHost`, which opens the plugins. */
  constructor(
    config: TakConfig,
    stages: readonly Stage[],
    { manager, plugins }: OpenedPlugins,
    options: OpenTakHostOptions,
  ) {
    this.config = config;
    this.manager = manager;
    this.#aggregator = new Aggregator(config.aggregation);
    this.#chain = new Chain(stages, options.onFailed === undefined ? {} : { onFailed: options.onFailed });
    this.#distributor = new Distributor(config.routing && new RouteTable(config.routing));
    this.places = plugins;
    const isBatched = () =>
      stages.some((stage) => stage.kind === "filter" && stage.decideBatch !== undefined);
    this.#isBatched = isBatched();
    this.#isLate = stages.some(answersLater);
    this.#line = new DecisionLine((batch) => this.#decideLater(batch));
    // Another version may take messages otherwise, and be behind a wall.
    manager.listen(({ kind }) => {
      if (kind !== "state") return;
      this.#isBatched = isBatched();
      this.#isLate = stages.some(answersLater);
    });
    this.#close = options.host.elevation.close;
  }

  /**
   * Takes one event.
   *
   * @param origin Where it came from, which is where it is not sent back to; undefined for a recording.
   * @returns      When to go on, if plugins behind walls are slower than the events; who goes on earlier may lose some.
   */
  accept(message: CotMessage, origin: Outlet | undefined): Promise<void> | undefined {
    this.#messages++;
    if (!this.#aggregator.isNew(message) || !this.rules.isPassed(message)) return undefined;
    if (this.#isLate || !this.#line.isEmpty) {
      this.#flush();
      return this.#line.add(message, origin);
    }
    if (this.#isBatched) {
      this.#wait(message, origin);
      return undefined;
    }
    const decided = this.#chain.run(message);
    if (decided !== undefined) this.#distributor.distribute(decided, origin);
    return undefined;
  }

  /**
   * Decides one event by itself, ahead of what waits, and hands it on: for what people send.
   *
   * @param options.to       Those it is for; without it, as its routes say.
   * @param options.isPassed True: it goes out as it is, whatever filters and plugins would say.
   */
  async inject(
    message: CotMessage,
    { to, isPassed = false }: { readonly to?: (outlet: Outlet) => boolean; readonly isPassed?: boolean } = {},
  ): Promise<Injected> {
    this.#messages++;
    if (!this.#aggregator.isNew(message)) return { kind: "duplicate" };
    if (!isPassed && !this.rules.isPassed(message)) return { kind: "blocked" };
    const decided = isPassed ? message : await this.#decideAlone(message);
    if (decided === undefined) return { kind: "blocked" };
    return { kind: "sent", outlets: this.#distributor.deliver(decided, to) };
  }

  /** Looks at every event that comes through. @returns Ends it. */
  watch(watcher: Watcher): () => void {
    return this.#distributor.watch(watcher);
  }

  /**
   * @param destination The id of the listener that accepted the connection, or of the server that it goes to.
   * @param isForAll    It gets every message, whatever the routes say.
   */
  addOutlet(destination: string, outlet: Outlet, options: { readonly isForAll?: boolean } = {}): void {
    this.#distributor.add(destination, outlet, options);
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
      blocked: blocked + this.rules.blocked,
      changed,
      failed,
      lost: this.#line.lostCount,
      plugins: this.places.map(pluginStats),
    };
  }

  distribution() {
    return this.#distributor.counts();
  }

  /** Decides what still waits, then closes the plugins. */
  async close(): Promise<void> {
    this.#flush();
    await this.#line.ended();
    await this.manager.close();
    this.#close();
  }

  async #decideLater(batch: readonly Waiting<Outlet | undefined>[]): Promise<void> {
    const decided: CotMessage[] = [];
    const from: number[] = [];
    await this.#chain.runBatchLater(
      batch.map(({ message }) => message),
      decided,
      from,
    );
    for (const [index, message] of decided.entries()) {
      this.#distributor.distribute(message, batch[from[index] ?? 0]?.origin);
    }
  }

  async #decideAlone(message: CotMessage): Promise<CotMessage | undefined> {
    if (!this.#isLate) return this.#chain.run(message);
    const decided: CotMessage[] = [];
    await this.#chain.runBatchLater([message], decided, []);
    return decided[0];
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
 * Opens the plugins of a configuration and the chain through them.
 *
 * @throws tak/plugin-file tak/plugin-twice  a plugin's file cannot be read, or stands there for two
 * @throws manager/…  their manager cannot be opened, or one of them cannot be installed; nothing is left open
 */
export async function openTakHost(config: TakConfig, options: OpenTakHostOptions): Promise<TakHost> {
  const opened = await openPlugins(config, options);
  const stages = config.chain.map((entry): Stage => {
    if (entry.kind === "native") return nativeStage(entry.id, entry.filter, entry.onFailure);
    const place = opened.plugins.find(({ id }) => id === entry.id);
    invariant(place !== undefined, "each plugin of the chain was opened");
    return managedStage(entry.plugin, place);
  });
  return new TakHost(config, stages, opened, options);
}

function pluginStats({ id, plugin }: ChainPlugin): PluginStats {
  const { calls, traps, fuelUsed } = plugin.counts();
  return {
    id,
    calls,
    traps,
    fuelPerCall: calls === 0 ? 0 : fuelUsed / calls,
    p50ns: plugin.latency.percentile(0.5),
    p99ns: plugin.latency.percentile(0.99),
  };
}
