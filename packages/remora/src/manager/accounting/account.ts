/** What a plugin has done and holds, live, in one value of plain data: for metrics, for `top`, for whoever bills. */

import type { ManagedPlugin } from "../managed-plugin.ts";
import type { PluginCounts } from "../plugin-counts.ts";

/** Counts since the manager was opened, over all versions; what is held, and the latencies, are those of now. */
export interface PluginAccount extends Omit<PluginCounts, "cpuNs"> {
  /** Milliseconds in calls, estimated from one call in sixteen. */
  readonly cpuMs: number;
  /** What the memories of its live instances have. */
  readonly memoryBytes: number;
  /** What its own files take. */
  readonly storedBytes: number;
  /** Nanoseconds of a call, lowering and lifting included; 0 before the first. */
  readonly p50ns: number;
  readonly p95ns: number;
  readonly p99ns: number;
}

export function accountOf(plugin: ManagedPlugin): PluginAccount {
  const { cpuNs, ...counts } = plugin.counts();
  const { metrics, serving } = plugin;
  const percentile = (share: number) => metrics?.latency.percentile(share) ?? 0;
  return {
    ...counts,
    cpuMs: cpuNs / 1e6,
    memoryBytes: metrics?.memoryBytes ?? 0,
    storedBytes: serving?.sandbox.usage().reduce((sum, { bytesUsed }) => sum + bytesUsed, 0) ?? 0,
    p50ns: percentile(0.5),
    p95ns: percentile(0.95),
    p99ns: percentile(0.99),
  };
}
