/** What somebody asks to be told of (specification 1.7, "Subscription protocol"), read from a stranger's JSON. */

import { isRecord } from "../delta/delta.ts";
import { isPattern } from "./pattern.ts";

export type Policy = "instant" | "ideal" | "fixed";

export interface PathRequest {
  readonly path: string;
  /**
   * `instant`: each change at once. `ideal`: the same, and the last value again when a period went by without one.
   * `fixed`: the last value, once a period.
   */
  readonly policy: Policy;
  readonly periodMs: number;
  /** At most one value of a path in that time; the last one is not lost. 0: no such bound. */
  readonly minPeriodMs: number;
}

export interface SubscribeRequest {
  readonly context: string;
  readonly paths: readonly PathRequest[];
}

/** Of one request. */
const pathsMax = 100;
const periodMsMax = 24 * 3_600_000;
/** A shorter period is a flood that somebody asked for. */
const periodMsMin = 50;
const periodMsDefault = 1_000;

/**
 * Reads `{context, subscribe: [{path, period, policy, minPeriod}]}`. What is missing has the specification's default.
 *
 * @returns undefined when it is no such request
 */
export function readSubscribe(data: unknown): SubscribeRequest | undefined {
  if (!isRecord(data)) return undefined;
  const context = readContext(data.context);
  const list = data.subscribe;
  if (context === undefined || !Array.isArray(list) || list.length > pathsMax) return undefined;
  const paths: PathRequest[] = [];
  for (const entry of list) {
    const path = readPath(entry);
    if (path === undefined) return undefined;
    paths.push(path);
  }
  return { context, paths };
}

/** Reads `{context, unsubscribe: [{path}]}`; the paths are compared with those that were subscribed to. */
export function readUnsubscribe(data: unknown): { context: string; paths: readonly string[] } | undefined {
  if (!isRecord(data)) return undefined;
  const context = readContext(data.context);
  const list = data.unsubscribe;
  if (context === undefined || !Array.isArray(list) || list.length > pathsMax) return undefined;
  const paths = list.map((entry: unknown) => (isRecord(entry) ? entry.path : undefined));
  return paths.every((path): path is string => typeof path === "string") ? { context, paths } : undefined;
}

function readContext(context: unknown): string | undefined {
  if (context === undefined) return "vessels.self";
  return typeof context === "string" && isPattern(context) ? context : undefined;
}

function readPath(entry: unknown): PathRequest | undefined {
  if (!isRecord(entry) || typeof entry.path !== "string" || !isPattern(entry.path)) return undefined;
  const minPeriodMs = readMs(entry.minPeriod, 0);
  const periodMs = readMs(entry.period, periodMsDefault);
  const policy = readPolicy(entry.policy, entry.period !== undefined);
  if (minPeriodMs === undefined || periodMs === undefined || policy === undefined) return undefined;
  return { path: entry.path, policy, periodMs: Math.max(periodMs, periodMsMin), minPeriodMs };
}

function readPolicy(policy: unknown, hasPeriod: boolean): Policy | undefined {
  if (policy === undefined) return hasPeriod ? "fixed" : "ideal";
  return policy === "instant" || policy === "ideal" || policy === "fixed" ? policy : undefined;
}

function readMs(value: unknown, byDefault: number): number | undefined {
  if (value === undefined) return byDefault;
  return typeof value === "number" && value >= 0 && value <= periodMsMax ? value : undefined;
}
