/**
 * A delta with places for its numbers. Most plugins say the same again and again with other numbers; then the bytes
 * between the numbers are compared, and nothing else has to be read.
 */

import { ByteRun } from "./byte-run.ts";
import { type Delta, isRecord, type PathValue, type Update } from "./delta.ts";

export interface DeltaTemplate {
  /** The bytes before, between and after the numbers. */
  readonly segments: readonly ByteRun[];
  readonly delta: Delta;
}

/** Larger deltas are rare, and comparing them in vain would cost. */
const bytesMax = 2_048;

/**
 * @param places Where its numbers are among the bytes: from and end of each, in order.
 * @returns      undefined for a delta that cannot be written from its numbers alone, in this order
 */
export function templateOf(
  delta: Delta,
  bytes: Uint8Array,
  { from, end, places }: { readonly from: number; readonly end: number; readonly places: readonly number[] },
): DeltaTemplate | undefined {
  if (end - from > bytesMax || numbersIn(delta) !== places.length / 2) return undefined;
  const segments: ByteRun[] = [];
  let at = from;
  for (let index = 0; index < places.length; index += 2) {
    segments.push(new ByteRun(bytes.slice(at, places[index])));
    at = places[index + 1] ?? end;
  }
  segments.push(new ByteRun(bytes.slice(at, end)));
  return { segments, delta };
}

/** A new delta like that of the template, with these numbers. */
export function written({ delta: { context, updates } }: DeltaTemplate, numbers: readonly number[]): Delta {
  const source = { numbers, next: 0 };
  const copies: Update[] = [];
  for (const { values = [] } of updates) {
    const items: PathValue[] = [];
    for (const { path, value } of values) items.push({ path, value: numbered(value, source) });
    copies.push({ values: items });
  }
  return context === undefined ? { updates: copies } : { context, updates: copies };
}

function numbered(value: unknown, source: { readonly numbers: readonly number[]; next: number }): unknown {
  if (typeof value === "number") return source.numbers[source.next++];
  if (!isRecord(value)) return value;
  const record: Record<string, unknown> = {};
  for (const name in value) record[name] = numbered(value[name], source);
  return record;
}

/** Numbers that `written` would put in; NaN when there is something that it would not write as it was. */
function numbersIn({ updates }: Delta): number {
  let count = 0;
  for (const update of updates) {
    if (update.values === undefined || Object.keys(update).length > 1) return Number.NaN;
    for (const { value } of update.values) count += numbersOf(value);
  }
  return count;
}

function numbersOf(value: unknown): number {
  if (typeof value === "number") return 1;
  if (Array.isArray(value)) return Number.NaN;
  if (!isRecord(value)) return 0;
  let count = 0;
  // Names that are numbers come first in an object, wherever they were written.
  for (const [name, item] of Object.entries(value)) count += /^\d/.test(name) ? Number.NaN : numbersOf(item);
  return count;
}
