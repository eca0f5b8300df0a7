/**
 * The accounts of all plugins in the text format of Prometheus. A series a plugin and metric, and no label that a guest
 * could make up: however many plugins there are, those beyond a bound are told together, as `_other`. Who came first has
 * series of its own for as long as it is there, so that no counter ever goes down, and none jumps when another plugin comes.
 */

import { Counter, Gauge, Registry } from "prom-client";
import { accountOf, type Manager, type PluginAccount } from "remora/manager";

export interface PrometheusOptions {
  /** Plugins with series of their own. Default: 200. */
  readonly pluginsMax?: number;
}

type Plugins = Pick<Manager, "list" | "get">;

const counters: Readonly<Record<string, readonly [keyof PluginAccount, string, number]>> = {
  remora_plugin_calls_total: ["calls", "Calls into the plugin", 1],
  remora_plugin_traps_total: ["traps", "Calls that failed by fault of the guest", 1],
  remora_plugin_fuel_total: ["fuelUsed", "Fuel used, in WebAssembly instructions", 1],
  remora_plugin_cpu_seconds_total: ["cpuMs", "Time in calls, estimated from one call in sixteen", 1e-3],
  remora_plugin_host_calls_total: ["hostCalls", "Calls of host functions", 1],
  remora_plugin_refusals_total: ["refusals", "Passages through the gate that were refused", 1],
  remora_plugin_sent_bytes_total: ["sentBytes", "What the plugin sent over the network", 1],
  remora_plugin_received_bytes_total: ["receivedBytes", "What the plugin took from the network", 1],
  remora_plugin_instances_total: ["instances", "Instances made", 1],
  remora_plugin_reloads_total: ["reloads", "Times that the running version was made anew", 1],
  remora_plugin_returns_total: [
    "returns",
    "Times that a failed version was followed by the one before it",
    1,
  ],
};

const gauges: typeof counters = {
  remora_plugin_memory_bytes: ["memoryBytes", "Memory of live instances", 1],
  remora_plugin_stored_bytes: ["storedBytes", "What the plugin's own files take", 1],
};

const quantiles = [
  ["0.5", "p50ns"],
  ["0.95", "p95ns"],
  ["0.99", "p99ns"],
] as const;

export class PrometheusText {
  readonly #registry = new Registry();
  readonly #plugins: Plugins;
  readonly #pluginsMax: number;
  /** Names with series of their own. */
  readonly #own = new Set<string>();
  /** The accounts of the others, as they were last. */
  readonly #others = new Map<string, PluginAccount>();
  /** What others have counted, also those that are gone; undefined while there were none. */
  #otherCounts: PluginAccount | undefined;
  #accounts: ReadonlyMap<string, PluginAccount> = new Map();

  constructor(plugins: Plugins, options: PrometheusOptions = {}) {
    this.#plugins = plugins;
    this.#pluginsMax = options.pluginsMax ?? 200;
    const registers = [this.#registry];
    const labelNames = ["plugin"];
    const accounts = () => this.#accounts;
    for (const [name, [field, help, factor]] of Object.entries(counters)) {
      new Counter({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset(); // a plugin that was removed has no series any more
          for (const [plugin, account] of accounts()) this.inc({ plugin }, account[field] * factor);
        },
      });
    }
    for (const [name, [field, help, factor]] of Object.entries(gauges)) {
      new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const [plugin, account] of accounts()) this.set({ plugin }, account[field] * factor);
        },
      });
    }
    new Gauge({
      name: "remora_plugin_call_seconds",
      help: "Latency of a call, lowering and lifting included",
      labelNames: ["plugin", "quantile"],
      registers,
      collect() {
        this.reset();
        for (const [plugin, account] of accounts()) {
          for (const [quantile, field] of quantiles) this.set({ plugin, quantile }, account[field] * 1e-9);
        }
      },
    });
    new Gauge({
      name: "remora_plugins",
      help: "Installed plugins by state",
      labelNames: ["state"],
      registers,
      collect() {
        this.reset();
        // States are a closed list of ours.
        for (const { state } of plugins.list()) this.inc({ state });
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** As of now. */
  text(): Promise<string> {
    this.#accounts = this.#read();
    return this.#registry.metrics();
  }

  /** By name; those without series of their own as one. */
  #read(): Map<string, PluginAccount> {
    const there = this.#plugins.list().map(({ name }) => name);
    this.#forgetAllBut(new Set(there));
    const accounts = new Map<string, PluginAccount>();
    let others: PluginAccount | undefined;
    for (const name of there) {
      const account = accountOf(this.#plugins.get(name));
      if (this.#hasOwn(name)) {
        accounts.set(name, account);
        continue;
      }
      this.#otherCounts = countedMore(this.#otherCounts, account, this.#others.get(name));
      this.#others.set(name, account);
      others = others === undefined ? account : together(others, account);
    }
    if (this.#otherCounts !== undefined)
      accounts.set(OTHER, { ...this.#otherCounts, ...levelsOf(others ?? idle) });
    return accounts;
  }

  #forgetAllBut(there: ReadonlySet<string>): void {
    for (const name of this.#own) if (!there.has(name)) this.#own.delete(name);
    for (const name of this.#others.keys()) if (!there.has(name)) this.#others.delete(name);
  }

  /** What one of the others counted is in their sum, and stays there. */
  #hasOwn(name: string): boolean {
    if (this.#own.has(name)) return true;
    if (this.#others.has(name) || this.#own.size >= this.#pluginsMax) return false;
    this.#own.add(name);
    return true;
  }
}

/** No plugin has this name: names begin with a lower-case letter. */
const OTHER = "_other";

/** What goes up and down, of nobody. */
const idle = { memoryBytes: 0, storedBytes: 0, p50ns: 0, p95ns: 0, p99ns: 0 } as const;

type Levels = Pick<PluginAccount, keyof typeof idle>;

function levelsOf({ memoryBytes, storedBytes, p50ns, p95ns, p99ns }: Levels): Levels {
  return { memoryBytes, storedBytes, p50ns, p95ns, p99ns };
}

/** Sums with what an account has counted since it was seen before; one that has less was begun anew. */
function countedMore(
  sums: PluginAccount | undefined,
  account: PluginAccount,
  before: PluginAccount | undefined,
): PluginAccount {
  const sum = { ...account };
  for (const key of Object.keys(account) as (keyof PluginAccount)[]) {
    const seen = before?.[key] ?? 0;
    sum[key] = (sums?.[key] ?? 0) + (account[key] < seen ? account[key] : account[key] - seen);
  }
  return sum;
}

/** What there is of each adds up; of latencies the worst is kept. */
function together(one: PluginAccount, other: PluginAccount): PluginAccount {
  const sum = { ...one };
  for (const key of Object.keys(other) as (keyof PluginAccount)[]) {
    sum[key] = key.endsWith("ns") ? Math.max(one[key], other[key]) : one[key] + other[key];
  }
  return sum;
}
