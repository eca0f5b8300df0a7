/**
 * The accounts of all plugins in the text format of Prometheus. A series a plugin and metric, and no label that a guest
 * could make up: however many plugins there are, those beyond a bound are told together, as `other`.
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

  constructor(plugins: Plugins, options: PrometheusOptions = {}) {
    this.#plugins = plugins;
    this.#pluginsMax = options.pluginsMax ?? 200;
    const registers = [this.#registry];
    const labelNames = ["plugin"];
    const accounts = () => this.#accounts();
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
    return this.#registry.metrics();
  }

  /** By name, in the order of names; those beyond the bound as one. */
  #accounts(): Map<string, PluginAccount> {
    const accounts = new Map<string, PluginAccount>();
    for (const { name } of this.#plugins.list()) {
      const account = accountOf(this.#plugins.get(name));
      const label = accounts.size < this.#pluginsMax ? name : OTHER;
      const before = accounts.get(label);
      accounts.set(label, before === undefined ? account : together(before, account));
    }
    return accounts;
  }
}

/** No plugin has this name: names begin with a lower-case letter. */
const OTHER = "_other";

/** Counts add up; of latencies the worst is kept. */
function together(one: PluginAccount, other: PluginAccount): PluginAccount {
  const sum = { ...one };
  for (const key of Object.keys(other) as (keyof PluginAccount)[]) {
    sum[key] = key.endsWith("ns") ? Math.max(one[key], other[key]) : one[key] + other[key];
  }
  return sum;
}
