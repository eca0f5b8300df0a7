/** Plugins in OmniTAK's JSON, as its documents have it. */

import { sep } from "node:path";
import { accountOf, type Manager, type PluginDetails, type PluginInfo } from "remora/manager";
import { harmless } from "remora/policy";
import { transformerWorld } from "../plugin/shapes.ts";
import {
  listOf,
  objectWith,
  oneOfTexts,
  orNull,
  someCount,
  someFlag,
  someNumber,
  someText,
  someTime,
} from "./json-schema.ts";
import type { Observations } from "./observations.ts";

export type PluginType = "filter" | "transformer";

/** Undefined where nothing says it: its bundle cannot be read, and it does not run. */
export function typeOf({ manifest }: Pick<PluginDetails, "manifest">): PluginType | undefined {
  if (manifest === undefined) return undefined;
  return manifest.artifacts.some(({ world }) => world === transformerWorld) ? "transformer" : "filter";
}

/** What a list shows of a plugin. */
export interface ListedPlugin extends Pick<PluginDetails, "name" | "manifest" | "current" | "grants"> {
  /** The code of what is wrong with its bundle: the rest is what is known without it. */
  readonly problem?: string;
}

const capabilityOf: Readonly<Record<PluginType, string>> = { filter: "filter", transformer: "transform" };

const infoFields = {
  id: someText,
  name: someText,
  version: someText,
  author: someText,
  description: someText,
  capabilities: listOf(oneOfTexts(["filter", "transform", "network-access", "filesystem-access"])),
  binaryHash: someText,
};

export const infoSchema = objectWith(infoFields);

export const loadedSchema = objectWith({ ...infoFields, warnings: listOf(someText) });

export function infoView(plugin: ListedPlugin) {
  const { name, manifest, current, grants, problem } = plugin;
  const type = typeOf(plugin);
  const has = (area: string) => grants.some(({ capability }) => capability.startsWith(area));
  return {
    id: name,
    name,
    // Of a first version that waits, as all else here.
    version: current?.version ?? manifest?.version ?? "",
    author: manifest?.authors.join(", ") ?? "",
    description:
      problem === undefined ? (manifest?.description ?? "") : `Its bundle cannot be read: ${problem}`,
    capabilities: [
      ...(type === undefined ? [] : [capabilityOf[type]]),
      ...(has("net.") ? ["network-access"] : []),
      ...(has("fs.") ? ["filesystem-access"] : []),
    ],
    binaryHash: current?.sha256 ?? "",
  };
}

export const detailsSchema = objectWith({
  info: infoSchema,
  enabled: someFlag,
  loadedAt: orNull(someTime),
  executionCount: someCount,
  errorCount: someCount,
  avgExecutionTimeMs: someNumber,
});

export function detailsView(details: PluginDetails, manager: Manager, seen: Observations) {
  const { name, isEnabled } = details;
  const { calls, traps, cpuMs } = accountOf(manager.get(name));
  return {
    info: infoView(details),
    enabled: isEnabled,
    loadedAt: timeOf(seen.startedAtMs(name)),
    executionCount: calls,
    errorCount: traps,
    avgExecutionTimeMs: calls === 0 ? 0 : cpuMs / calls,
  };
}

export const metricsSchema = objectWith({
  pluginId: someText,
  executionCount: someCount,
  errorCount: someCount,
  timeoutCount: someCount,
  avgExecutionTimeMs: someNumber,
  p50ExecutionTimeMs: someNumber,
  p95ExecutionTimeMs: someNumber,
  p99ExecutionTimeMs: someNumber,
  lastExecution: orNull(someTime),
  lastError: orNull(someText),
});

export function metricsView(id: string, manager: Manager, seen: Observations) {
  const plugin = manager.get(id);
  const { calls, traps, cpuMs, p50ns, p95ns, p99ns } = accountOf(plugin);
  const lastError = seen.lastError(id);
  const lastTimedMs = plugin.metrics?.lastTimedMs;
  return {
    pluginId: id,
    executionCount: calls,
    errorCount: traps,
    timeoutCount: seen.timeouts(id),
    avgExecutionTimeMs: calls === 0 ? 0 : cpuMs / calls,
    p50ExecutionTimeMs: p50ns / 1e6,
    p95ExecutionTimeMs: p95ns / 1e6,
    p99ExecutionTimeMs: p99ns / 1e6,
    // To within sixteen calls, which is how often one is timed.
    lastExecution: timeOf(lastTimedMs && performance.timeOrigin + lastTimedMs),
    lastError: lastError === undefined ? null : harmless(lastError, 500),
  };
}

/** A plugin whose calls fail now and then is degraded for so long after the last of them. */
const degradedMs = 60_000;

/** Of a plugin that runs beside the chain: nothing is wrong with it, and nothing comes to it. */
export const placeless =
  "it has no place in the chain and gets no events: the host's settings have to name it";

export const healthSchema = objectWith({
  pluginId: someText,
  status: oneOfTexts(["healthy", "degraded", "unhealthy", "disabled"]),
  healthCheckTime: someTime,
  uptimeSeconds: someCount,
  issues: listOf(someText),
});

/**
 * @param more.heldPublisher That a version which waits is by another publisher.
 * @param more.hasPlace      In the chain.
 */
export function healthView(
  info: PluginInfo,
  seen: Observations,
  nowMs: number,
  more: { readonly heldPublisher?: PluginDetails["heldPublisher"]; readonly hasPlace?: boolean } = {},
) {
  const { heldPublisher, hasPlace = true } = more;
  const { name, isEnabled, state, breaker, failure, held } = info;
  const startedAtMs = seen.startedAtMs(name);
  const issues = [
    ...(isEnabled && state !== "running" ? [`it is ${state}`] : []),
    ...(breaker !== "closed" ? [`its breaker is ${breaker}`] : []),
    ...(seen.hasFailedWithin(name, degradedMs) ? ["a call failed within the last minute"] : []),
    ...(failure === undefined ? [] : [harmless(`${failure.code}: ${failure.message}`, 500)]),
    ...(held === undefined ? [] : [heldText(held, heldPublisher)]),
    ...(hasPlace ? [] : [placeless]),
  ];
  return {
    pluginId: name,
    status: statusOf(),
    healthCheckTime: new Date(nowMs).toISOString(),
    uptimeSeconds: startedAtMs === undefined ? 0 : Math.max(0, Math.floor((nowMs - startedAtMs) / 1_000)),
    issues: isEnabled ? issues : [],
  };

  function statusOf(): "healthy" | "degraded" | "unhealthy" | "disabled" {
    if (!isEnabled) return "disabled";
    if (state !== "running") return "unhealthy";
    return breaker !== "closed" || seen.hasFailedWithin(name, degradedMs) ? "degraded" : "healthy";
  }
}

/** That a version waits, and by whom it is where that is somebody else. */
export function heldText(held: string, publisher: PluginDetails["heldPublisher"]): string {
  const by = publisher && `; it is by another publisher: ${publisher.to}, and this one ${publisher.from}`;
  return harmless(`version ${held} waits for consent${by ?? ""}`, 500);
}

/** Where the manager keeps its files is for whoever runs the host; a path inside says enough to all others. */
export function withoutFolder(text: string, folder: string): string {
  return text.replaceAll(`${folder}${sep}`, "");
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
