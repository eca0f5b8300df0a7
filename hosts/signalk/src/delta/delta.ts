/**
 * Deltas: what changed, as Signal K exchanges it (specification 1.7, "Delta format"). Values are JSON; a delta that
 * was checked is bounded in every direction, so that whatever walks through it later can do so without asking.
 */

import { signalkErrors } from "../errors.ts";

export interface PathValue {
  /** Dots between its parts; empty for the root of a context. */
  readonly path: string;
  readonly value: unknown;
}

export interface Update {
  readonly $source?: string;
  /** Where it came from in detail, as decoders say it. */
  readonly source?: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly timestamp?: string;
  readonly values?: readonly PathValue[];
  readonly meta?: readonly PathValue[];
}

export interface Delta {
  readonly context?: string;
  readonly updates: readonly Update[];
}

/** An update whose origin and time are known. */
export interface StampedUpdate extends Update {
  readonly $source: string;
  readonly timestamp: string;
}

export interface StampedDelta {
  readonly context: string;
  readonly updates: readonly StampedUpdate[];
}

export const pathLengthMax = 256;
export const updatesMax = 1_000;
export const valuesMax = 1_000;
/** Arrays and objects within one another in one value. */
export const depthMax = 32;

/** Characters that a path may have: nothing that a terminal, a URL or a glob takes for its own. */
const pathPattern = /^[^\s*/\\\p{Cc}]*$/u;

/** Paths that were found good: they are few and come again. A stranger names them, so beyond this it starts afresh. */
const rememberedMax = 512;
const remembered = new Set<string>();

export function isPath(text: string): boolean {
  if (remembered.has(text)) return true;
  if (text.length > pathLengthMax || !pathPattern.test(text)) return false;
  if (remembered.size >= rememberedMax) remembered.clear();
  remembered.add(text);
  return true;
}

/**
 * Reads a delta from JSON that a stranger wrote.
 *
 * @throws signalk/bad-delta with the place
 */
export function parseDelta(json: string): Delta {
  return checkDelta(parseJson(json));
}

/** Checks data that claims to be a delta, and takes out of it what a delta has. */
export function checkDelta(data: unknown): Delta {
  if (!isRecord(data)) throw bad("the delta", data, "an object");
  const { context, updates } = data;
  if (context !== undefined && (typeof context !== "string" || !isPath(context))) {
    throw bad("context", context, `a path of at most ${pathLengthMax} characters`);
  }
  const checked = list(updates, () => "updates", updatesMax).map(checkUpdate);
  return context === undefined ? { updates: checked } : { context, updates: checked };
}

function checkUpdate(data: unknown, index: number): Update {
  const at = (name: string) => `updates[${index}]${name}`;
  if (!isRecord(data)) throw bad(at(""), data, "an object");
  const { $source, source, timestamp, values, meta } = data;
  if ($source !== undefined && (typeof $source !== "string" || $source.length > pathLengthMax)) {
    throw bad(at(".$source"), $source, "a short text");
  }
  if (timestamp !== undefined && (typeof timestamp !== "string" || Number.isNaN(Date.parse(timestamp)))) {
    throw bad(at(".timestamp"), timestamp, "a time");
  }
  if (source !== undefined && (!isRecord(source) || !isShallow(source, depthMax))) {
    throw bad(at(".source"), source, "an object");
  }
  // Every delta of every plugin comes through here: one object an update, without spreads.
  const update: { -readonly [Key in keyof Update]: Update[Key] } = {};
  if ($source !== undefined) update.$source = $source;
  if (timestamp !== undefined) update.timestamp = timestamp;
  if (source !== undefined) update.source = source;
  if (values !== undefined) update.values = checkValues(values, index, "values");
  if (meta !== undefined) update.meta = checkValues(meta, index, "meta");
  return update;
}

/** The place is put together when there is something to say about it. */
function checkValues(data: unknown, update: number, name: "values" | "meta"): PathValue[] {
  const at = (index: number) => `updates[${update}].${name}[${index}]`;
  return list(data, () => `updates[${update}].${name}`, valuesMax).map((entry, index) => {
    if (!isRecord(entry)) throw bad(at(index), entry, "an object");
    const { path, value } = entry;
    if (typeof path !== "string" || !isPath(path)) {
      throw bad(`${at(index)}.path`, path, `a path of at most ${pathLengthMax} characters`);
    }
    // JSON has no such value; a delta that leaves it out clears nothing.
    if (value === undefined) throw bad(`${at(index)}.value`, value, "a value or null");
    if (!isShallow(value, depthMax)) {
      throw bad(`${at(index)}.value`, "nested too deeply", `at most ${depthMax} levels`);
    }
    return { path, value };
  });
}

/** Whether a value of JSON is nested at most so deep. */
export function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  for (const item of Object.values(value)) if (!isShallow(item, levels - 1)) return false;
  return true;
}

export function isRecord(data: unknown): data is Record<string, unknown> {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

function list(data: unknown, where: () => string, lengthMax: number): unknown[] {
  if (Array.isArray(data) && data.length <= lengthMax) return data;
  throw bad(where(), data, `a list of at most ${lengthMax}`);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw signalkErrors["bad-delta"]({ where: "the delta", found: "no JSON", expected: "an object" }, cause);
  }
}

function bad(where: string, found: unknown, expected: string): Error {
  const shown = typeof found === "string" ? "another text" : found === null ? "null" : typeof found;
  return signalkErrors["bad-delta"]({ where, found: Array.isArray(found) ? "a list" : shown, expected });
}
