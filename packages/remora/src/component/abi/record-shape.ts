/**
 * Reads the objects that hosts give for a record: those of a record that is read often at places of its own
 * (`record-reader.ts`). Those of any other in a loop over their keys: V8 reads a property in 11 ns when all names go through
 * one place, but in 7 when the `for … in` loop that gave the name reads it; so the order of the keys is learned
 * from what comes, and expected of the next object.
 */

import type { Context } from "./context.ts";
import { givenUnder } from "./given.ts";
import { type KeptField, keep, noField, otherKind, type RecordField } from "./record-field.ts";
import { keepAll, type Readings, readingsOf } from "./record-reader.ts";

type RecordValue = Record<string, unknown>;

/** The keys of an object in their order, as a caller was seen to write them, and the field that each is. */
interface KeyOrder {
  readonly keys: readonly string[];
  readonly fields: readonly KeptField[];
  /** Fields that are no enumerable key: left out, or getters of a class. */
  readonly others: readonly KeptField[];
}

/** Fields of a record, and how the next object is read. */
interface Shape {
  readonly fields: readonly KeptField[];
  /** Fields whose values are looked into: after all of the record's own are kept. */
  readonly deep: readonly RecordField[];
  /** From some hundred objects on. */
  readings: Readings | undefined;
  /** How many objects are read before it may have readings. */
  objectsBefore: number;
  order: KeyOrder;
  /** How often another order may still be learned: callers that mix many orders are read the slow way. */
  lessons: number;
}

/** Readers are few, and go to the records that are really used. */
const objectsBefore = 200;
const lessonsMax = 16;
/** An object with more keys is read the slow way. */
const keysMax = 256;
/** Room is made at once for so many values: an array may say that it has any length, and have nothing. */
const keptAtOnceMax = 100_000;

export function shapeOf(fields: readonly RecordField[]): Shape {
  const kept = fields.map(({ key, place, kind }) => ({ key, place, kind }));
  return {
    fields: kept,
    deep: fields.filter((field) => field.kind === otherKind),
    readings: undefined,
    objectsBefore,
    order: orderOf(
      kept.map((field) => field.key),
      kept,
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
  if (!keepFields(shape, value, cx, first) && !keepUnordered(shape, value, cx, first)) return false;
  // A getter that calls the same guest has had its own values kept over ours.
  if (cx.checks !== checks) return false;
  const { deep } = shape;
  if (deep.length === 0) return true;
  const { kept } = cx;
  for (const field of deep) if (!field.codec.check(kept[first + field.place], cx)) return false;
  return true;
}

/** The same for a list of them. What can be done once for all of them is done once: each record is a few fields. */
export function checkAndKeepAll(shape: Shape, values: readonly unknown[], cx: Context): boolean {
  const width = shape.fields.length;
  const count = values.length;
  if (shape.deep.length > 0 || count * width > keptAtOnceMax) return checkAndKeepEach(shape, values, cx);
  const { checks } = cx;
  let first = cx.reserveKept(count * width);
  for (let index = 0; index < count; index++) {
    const value = values[index];
    if (!isObject(value)) return false;
    if (!keepFields(shape, value, cx, first) && !keepUnordered(shape, value, cx, first)) return false;
    first += width;
  }
  // A getter may have called the same guest, or lengthened the list: there is room for as many as it had.
  return cx.checks === checks && values.length === count;
}

function checkAndKeepEach(shape: Shape, values: readonly unknown[], cx: Context): boolean {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (!isObject(value) || !checkAndKeep(shape, value, cx)) return false;
  }
  return true;
}

export function isObject(value: unknown): value is RecordValue {
  return typeof value === "object" && value !== null;
}

/** False when the object is not as expected, or a value does not fit: the slow way tells these apart. */
function keepFields(shape: Shape, value: RecordValue, cx: Context, first: number): boolean {
  const { readings } = shape;
  if (readings !== undefined) return keepAll(readings, value, cx.kept, cx.numbers, first);
  if (--shape.objectsBefore === 0) shape.readings = readingsOf(shape.fields);
  return keepOrdered(shape.order, value, cx, first);
}

function keepOrdered(order: KeyOrder, value: RecordValue, cx: Context, first: number): boolean {
  const { keys, fields, others } = order;
  const { kept, numbers } = cx;
  let index = 0;
  for (const key in value) {
    if (key !== keys[index]) return false;
    if (!keep(fields[index] as KeptField, value[key], kept, numbers, first)) return false; // One a key.
    index++;
  }
  return index === keys.length && keepUnlisted(others, value, cx, first);
}

function keepUnordered(shape: Shape, value: RecordValue, cx: Context, first: number): boolean {
  if (!keepUnlisted(shape.fields, value, cx, first)) return false;
  if (shape.readings === undefined) learn(shape, value);
  return true;
}

function keepUnlisted(fields: readonly KeptField[], value: RecordValue, cx: Context, first: number): boolean {
  for (const field of fields) {
    if (!keep(field, givenUnder(value, field.key), cx.kept, cx.numbers, first)) return false;
  }
  return true;
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

function orderOf(keys: readonly string[], fields: readonly KeptField[]): KeyOrder {
  const byKey = new Map(fields.map((field) => [field.key, field]));
  return {
    keys,
    fields: keys.map((key) => byKey.get(key) ?? noField(key)),
    others: fields.filter((field) => !keys.includes(field.key)),
  };
}
