/** Imports that read the model and write deltas and notifications. Each path that is touched passes the gate. */

import { isRemoraError } from "remora/base";
import {
  checkDelta,
  type Delta,
  isPath,
  isRecord,
  type PathValue,
  parseDelta,
  type Update,
} from "../delta/delta.ts";
import { DeltaScanner } from "../delta/scan-delta.ts";
import { alarmStates } from "../notifications/alarm.ts";
import { jsonBytesMax, readJson, readPath, writeText } from "./env-texts.ts";
import type { GuestHost, GuestImports } from "./host.ts";

export function dataImports({ host, bytes }: GuestImports) {
  const scanner = new DeltaScanner();
  const scan = (all: Uint8Array, from: number, end: number) => scanner.scan(all, from, end);
  const read = (find: (path: string) => unknown) =>
    function readValue(pointer: number, length: number, buffer: number, lengthMax: number): number {
      const path = readPath(bytes, pointer, length);
      const value = host.gate.act(
        "data.read",
        path,
        () => find(path),
        () => undefined,
      );
      if (value === undefined || value === null) return 0;
      return writeText(bytes, JSON.stringify(plainValue(value)), { pointer: buffer, lengthMax });
    };
  return {
    /** Guests give two or three arguments; without the third it is version 1. */
    sk_handle_message(pointer: number, length: number, version?: number): void {
      const plain = length >>> 0 > jsonBytesMax ? undefined : bytes.read(pointer, length, "JSON", scan);
      const kind = version === 2 ? 2 : 1;
      if (plain === undefined) emit(host, readJson(bytes, pointer, length), kind);
      else send(host, plain, kind);
    },
    sk_publish_notification(path: number, pathLength: number, value: number, valueLength: number): number {
      return notify(host, readPath(bytes, path, pathLength), readJson(bytes, value, valueLength));
    },
    sk_get_self_path: read((path) => host.server.selfPath(path)),
    sk_get_path: read((path) => host.server.path(path)),
    sk_read_config(buffer: number, lengthMax: number): number {
      return writeText(bytes, host.settings.read(), { pointer: buffer, lengthMax });
    },
    sk_save_config(pointer: number, length: number): number {
      if (length >>> 0 > jsonBytesMax) return -1;
      return host.settings.save(readJson(bytes, pointer, length)) ? 0 : -1;
    },
  };
}

/** Of a place that has a value, the value: what a plugin asks for when it asks for a speed. */
export function plainValue(found: unknown): unknown {
  return isRecord(found) && "value" in found && "$source" in found ? found.value : found;
}

/** Takes a guest's delta. It has no way to learn that something was refused, so the log says it. */
export function emit(host: GuestHost, json: string, version: 1 | 2): void {
  let delta: Delta;
  try {
    delta = parseDelta(json);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    host.log("warn", error.message);
    return;
  }
  send(host, delta, version);
}

/** Sends what of a delta the plugin may write. */
export function send(host: GuestHost, delta: Delta, version: 1 | 2): boolean {
  const updates: Update[] = [];
  let isWhole = true;
  for (const update of delta.updates) {
    const values = granted(host, update.values);
    const meta = granted(host, update.meta);
    isWhole &&= values?.length === update.values?.length && meta?.length === update.meta?.length;
    if (values !== undefined || meta !== undefined) updates.push(updateOf(values, meta));
  }
  if (updates.length === 0) return isWhole;
  const { context } = delta;
  host.server.handleMessage(host.plugin, context === undefined ? { updates } : { context, updates }, version);
  return isWhole;
}

function updateOf(values: readonly PathValue[] | undefined, meta: readonly PathValue[] | undefined): Update {
  if (meta === undefined) return values === undefined ? {} : { values };
  return values === undefined ? { meta } : { values, meta };
}

function granted(host: GuestHost, items: readonly PathValue[] | undefined): readonly PathValue[] | undefined {
  if (items === undefined) return undefined;
  // The root of a context is a target that only "*" covers.
  let allowed: PathValue[] | undefined;
  for (const [index, item] of items.entries()) {
    const isAllowed = host.gate.act("data.write", item.path || ".", isGranted, isRefused);
    if (!isAllowed) allowed ??= items.slice(0, index);
    else allowed?.push(item);
  }
  if (allowed === undefined) return items;
  return allowed.length === 0 ? undefined : allowed;
}

const isGranted = () => true;
const isRefused = () => false;

/** @returns 0, or -1 when it is no notification or may not be written */
export function notify(host: GuestHost, path: string, json: string): number {
  if (!isPath(path) || path === "") return -1;
  try {
    const delta = checkDelta({ updates: [{ values: [{ path, value: JSON.parse(json) }] }] });
    const value = delta.updates[0]?.values?.[0]?.value;
    if (!isRecord(value) || !alarmStates.has(value.state)) return -1;
    return send(host, delta, 1) ? 0 : -1;
  } catch (error) {
    // No JSON, or nested too deeply: the interface has one number for all of it.
    if (error instanceof SyntaxError || isRemoraError(error)) return -1;
    throw error;
  }
}
