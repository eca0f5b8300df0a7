/**
 * Reads the objects that hosts give for a record. V8 reads a property by name in 11 ns when all names go through
 * one place, but in 4 ns when the `for … in` loop that gave the name reads it; so the order of the keys is learned
 * from what comes, and expected of the next object.
 */

import type { Context } from "./context.ts";
import { keep, noField, otherKind, type RecordField } from "./record-field.ts";

type RecordValue = Record<string, unknown>;

/** The keys of an object in their order, as a caller was seen to write them, and the field that each is. */
interface KeyOrder {
  readonly keys: readonly string[];
  /** Of the field that each key is: eight times the place where its value is kept, plus its kind or `noField`. */
  readonly codes: readonly number[];
  /** Fields that are no enumerable key: left out, or getters of a class. */
  readonly others: readonly RecordField[];
}

/** Fields of a record, and the order of keys that is expected of the next object. */
interface Shape {
  readonly fields: readonly RecordField[];
  /** Fields whose values are looked into: after all of the record's own are kept. */
  readonly deep: readonly RecordField[];
  order: KeyOrder;
  /** How often another order may still be learned: callers that mix many orders are read the slow way. */
  lessons: number;
}

const lessonsMax = 16;
/** An object with more keys is read the slow way. */
const keysMax = 256;

export function shapeOf(fields: readonly RecordField[]): Shape {
  return {
    fields,
    deep: fields.filter((field) => field.kind === otherKind),
    order: orderOf(
      fields.map((field) => field.key),
      fields,
    ),
    lessons: lessonsMax,
  };
}

/**
 * Checks all fields and keeps their values. Records inside keep theirs behind these, in the order of the fields,
 * which is the order in which they will be stored.
 */
export function checkAndKeep(shape: Shape, value: RecordValue, cx: Context): boolean {
  const { checks } = cx;
  const first = cx.reserveKept(shape.fields.length);
  if (!keepOrdered(shape.order, value, cx, first) && !keepUnordered(shape, value, cx, first)) return false;
  // A getter that calls the same guest has had its own values kept over ours.
  if (cx.checks !== checks) return false;
  const { kept } = cx;
  for (const field of shape.deep) if (!field.codec.check(kept[first + field.place], cx)) return false;
  return true;
}

/** False when the keys are others than expected, or a value does not fit: the slow way tells these apart. */
function keepOrdered(order: KeyOrder, value: RecordValue, cx: Context, first: number): boolean {
  const { keys, codes, others } = order;
  const { kept, numbers } = cx;
  let index = 0;
  for (const key in value) {
    if (key !== keys[index]) return false;
    const code = codes[index] as number; // As many as there are keys.
    const kind = code & 7;
    if (kind !== noField && !keep(kind, value[key], kept, numbers, first + (code >> 3))) return false;
    index++;
  }
  if (index !== keys.length) return false;
  for (const field of others) {
    if (!keep(field.kind, readUnlisted(value, field.key), cx.kept, cx.numbers, first + field.place))
      return false;
  }
  return true;
}

function keepUnordered(shape: Shape, value: RecordValue, cx: Context, first: number): boolean {
  for (const field of shape.fields) {
    if (!keep(field.kind, readUnlisted(value, field.key), cx.kept, cx.numbers, first + field.place))
      return false;
  }
  learn(shape, value);
  return true;
}

/** A getter of a class is a field; what every object has is not: a field may be called `valueOf`. */
function readUnlisted(value: RecordValue, key: string): unknown {
  const found = value[key];
  return typeof found === "function" && found === (Object.prototype as unknown as RecordValue)[key]
    ? undefined
    : found;
}

function learn(shape: Shape, value: RecordValue): void {
  if (shape.lessons === 0) return;
  shape.lessons--;
  const keys: string[] = [];
  for (const key in value) {
    keys.push(key);
    if (keys.length > keysMax) return;
  }
  shape.order = orderOf(keys, shape.fields);
}

function orderOf(keys: readonly string[], fields: readonly RecordField[]): KeyOrder {
  const byKey = new Map(fields.map((field) => [field.key, field]));
  return {
    keys,
    codes: keys.map((key) => {
      const field = byKey.get(key);
      return field === undefined ? noField : 8 * field.place + field.kind;
    }),
    others: fields.filter((field) => !keys.includes(field.key)),
  };
}
