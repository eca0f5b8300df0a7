/** What a plugin did, over all of its versions. Plain data. */

import type { RunningVersion } from "./running-version.ts";

/** What all versions of a plugin did together since the manager was opened. */
export interface PluginCounts {
  readonly calls: number;
  readonly traps: number;
  readonly fuelUsed: number;
  readonly instances: number;
  /** Nanoseconds in calls, estimated from one call in sixteen. */
  readonly cpuNs: number;
  /** Calls of host functions, whether they need a capability or not. */
  readonly hostCalls: number;
  /** What its gate refused. */
  readonly refusals: number;
  /** Over the network, by its imports and its host's functions: what it said and was told. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly reloads: number;
  /** Times that a failed version was followed by the one before it. */
  readonly returns: number;
}

export const noCounts: PluginCounts = {
  calls: 0,
  traps: 0,
  fuelUsed: 0,
  instances: 0,
  cpuNs: 0,
  hostCalls: 0,
  refusals: 0,
  sentBytes: 0,
  receivedBytes: 0,
  reloads: 0,
  returns: 0,
};

/** With what one version did. */
export function addCounts(sum: PluginCounts, version: RunningVersion | undefined): PluginCounts {
  if (version === undefined) return sum;
  const { calls, traps, fuelUsed, instances, cpuNs, hostCalls } = version.guests.metrics;
  const { sentBytes, receivedBytes } = version.sandbox.traffic;
  const passages = Object.values(version.sandbox.gate.counts());
  const refusals = passages.reduce((count, { refused }) => count + refused, 0);
  return {
    ...sum,
    calls: sum.calls + calls,
    traps: sum.traps + traps,
    fuelUsed: sum.fuelUsed + fuelUsed,
    instances: sum.instances + instances,
    cpuNs: sum.cpuNs + cpuNs,
    hostCalls: sum.hostCalls + hostCalls,
    refusals: sum.refusals + refusals,
    sentBytes: sum.sentBytes + sentBytes,
    receivedBytes: sum.receivedBytes + receivedBytes,
  };
}
