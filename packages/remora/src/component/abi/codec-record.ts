/**
 * The codec of records. It is where a call with a large argument spends its time, so two things are done for
 * speed. The kinds of fields that records are mostly made of are handled in place, by a switch on a small
 * integer: a closure for each field would be a call that V8 cannot inline, since all records share it. And
 * fields are read in a `for … in` loop: V8 reads a property by name in 11 ns when all names go through one place,
 * but in 4 ns when the loop that gave the name reads it.
 */

import { camelCase } from "../names.ts";
import type { ValueType } from "../types.ts";
import type { Codec, CodecOf } from "./codec.ts";
import type { Context } from "./context.ts";
import { flatten, layoutOfFields, offsetsOf } from "./layout.ts";
import { loadString, storeString } from "./strings.ts";
import { trap } from "./trap.ts";

const other = 0;
const string = 1;
const float64 = 2;
const optionalString = 3;
const optionalFloat64 = 4;
const boolean = 5;
const unsigned32 = 6;

function kindOf(type: ValueType): number {
  switch (type.kind) {
    case "string":
      return string;
    case "f64":
      return float64;
    case "bool":
      return boolean;
    case "u32":
      return unsigned32;
    case "option":
      if (type.some.kind === "string") return optionalString;
      return type.some.kind === "f64" ? optionalFloat64 : other;
    default:
      return other;
  }
}

interface RecordField {
  readonly key: string;
  readonly kind: number;
  readonly offset: number;
  readonly codec: Codec;
}

type RecordValue = Record<string, unknown>;

/** The keys of an object in their order, as a caller was seen to write them, and the field that each is. */
interface KeyOrder {
  readonly keys: readonly string[];
  readonly fields: readonly (RecordField | undefined)[];
  /** Fields that are no enumerable key: left out, or getters of a class. */
  readonly others: readonly RecordField[];
}

/** Fields of a record, and the order of keys that is expected of the next object. */
interface Shape {
  readonly fields: readonly RecordField[];
  order: KeyOrder;
  /** How often another order may still be learned: callers that mix many orders are read the slow way. */
  lessons: number;
}

const lessonsMax = 16;
/** An object with more keys is read the slow way. */
const keysMax = 256;

function shapeOf(fields: readonly RecordField[]): Shape {
  return {
    fields,
    order: { keys: fields.map((field) => field.key), fields, others: [] },
    lessons: lessonsMax,
  };
}

function learn(shape: Shape, value: RecordValue): void {
  if (shape.lessons === 0) return;
  shape.lessons--;
  const byKey = new Map(shape.fields.map((field) => [field.key, field]));
  const keys: string[] = [];
  for (const key in value) {
    keys.push(key);
    if (keys.length > keysMax) return;
  }
  const fields = keys.map((key) => byKey.get(key));
  shape.order = { keys, fields, others: shape.fields.filter((field) => !fields.includes(field)) };
}

/** Behind the discriminant of an option. */
const stringPayload = 4;
const float64Payload = 8;

export function recordCodec(type: Extract<ValueType, { kind: "record" }>, of: CodecOf): Codec<RecordValue> {
  const types = type.fields.map((field) => field.type);
  const offsets = offsetsOf(types);
  const fields: readonly RecordField[] = type.fields.map((field, index) => ({
    key: camelCase(field.name),
    kind: kindOf(field.type),
    offset: offsets[index] ?? 0,
    codec: of(field.type),
  }));
  const shape = shapeOf(fields);
  const { size, align } = layoutOfFields(types);
  const flat = flatten(type);
  // Copying an object that has all the keys is faster than adding them one by one.
  const template: RecordValue = {};
  for (const { key } of fields) template[key] = undefined;
  return {
    type,
    size,
    align,
    flat,
    check: (value, cx) =>
      typeof value === "object" && value !== null && checkFields(shape, value as RecordValue, cx),
    store: (cx, value, pointer) => storeFields(shape, cx, value, pointer),
    load: (cx, pointer) => loadFields(fields, { ...template }, cx, pointer),
    lower: (cx, value, out, at) => {
      let next = at;
      for (const { key, codec } of fields) {
        codec.lower(cx, value[key], out, next);
        next += codec.flat?.length ?? 0;
      }
    },
    lift: (cx, values, at) => {
      const value = { ...template };
      let next = at;
      for (const { key, codec } of fields) {
        value[key] = codec.lift(cx, values, next);
        next += codec.flat?.length ?? 0;
      }
      return value;
    },
    single: flat?.length === 1 ? singleField(fields) : undefined,
  };
}

function checkFields(shape: Shape, value: RecordValue, cx: Context): boolean {
  const { keys, fields, others } = shape.order;
  let index = 0;
  for (const key in value) {
    if (key !== keys[index]) return checkUnordered(shape, value, cx);
    const field = fields[index++];
    const fieldValue = value[key];
    if (field !== undefined && !checkField(field, fieldValue, cx)) return false;
  }
  if (index !== keys.length) return checkUnordered(shape, value, cx);
  for (const field of others) if (!checkField(field, value[field.key], cx)) return false;
  return true;
}

function checkUnordered(shape: Shape, value: RecordValue, cx: Context): boolean {
  learn(shape, value);
  for (const field of shape.fields) if (!checkField(field, value[field.key], cx)) return false;
  return true;
}

function checkField(field: RecordField, value: unknown, cx: Context): boolean {
  switch (field.kind) {
    case string:
      return typeof value === "string";
    case float64:
      return typeof value === "number";
    case optionalString:
      return typeof value === "string" || value === undefined || value === null;
    case optionalFloat64:
      return typeof value === "number" || value === undefined || value === null;
    case boolean:
      return typeof value === "boolean";
    case unsigned32:
      return typeof value === "number" && value >>> 0 === value;
    default:
      return field.codec.check(value, cx);
  }
}

function storeFields(shape: Shape, cx: Context, value: RecordValue, pointer: number): void {
  const { keys, fields, others } = shape.order;
  let index = 0;
  for (const key in value) {
    if (key !== keys[index]) {
      storeRest(shape, index, cx, value, pointer);
      return;
    }
    const field = fields[index++];
    const fieldValue = value[key];
    if (field !== undefined) storeField(field, cx, fieldValue, pointer);
  }
  if (index !== keys.length) {
    storeRest(shape, index, cx, value, pointer);
    return;
  }
  for (const field of others) storeField(field, cx, value[field.key], pointer);
}

/** The object has another order of keys than expected, from `index` on. */
function storeRest(shape: Shape, index: number, cx: Context, value: RecordValue, pointer: number): void {
  const stored = shape.order.fields.slice(0, index);
  for (const field of shape.fields) {
    if (!stored.includes(field)) storeField(field, cx, value[field.key], pointer);
  }
}

/** The value was checked; a getter that now gives another type writes a wrong value, but only in its place. */
function storeField(field: RecordField, cx: Context, value: unknown, pointer: number): void {
  const at = pointer + field.offset;
  switch (field.kind) {
    case string:
      storeStringAt(cx, value as string, at);
      return;
    case float64:
      cx.view.setFloat64(at, value as number, true);
      return;
    case optionalString:
      if (value === undefined || value === null) {
        cx.bytes[at] = 0;
      } else {
        cx.bytes[at] = 1;
        storeStringAt(cx, value as string, at + stringPayload);
      }
      return;
    case optionalFloat64:
      if (value === undefined || value === null) {
        cx.bytes[at] = 0;
      } else {
        cx.bytes[at] = 1;
        cx.view.setFloat64(at + float64Payload, value as number, true);
      }
      return;
    case boolean:
      cx.bytes[at] = value === true ? 1 : 0;
      return;
    case unsigned32:
      cx.view.setUint32(at, value as number, true);
      return;
    default:
      field.codec.store(cx, value, at);
  }
}

function storeStringAt(cx: Context, text: string, at: number): void {
  const pointer = storeString(cx, text);
  const { view } = cx;
  view.setUint32(at, pointer, true);
  view.setUint32(at + 4, cx.length, true);
}

function loadFields(
  fields: readonly RecordField[],
  value: RecordValue,
  cx: Context,
  pointer: number,
): RecordValue {
  const { view } = cx;
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as RecordField; // In bounds.
    const at = pointer + field.offset;
    switch (field.kind) {
      case string:
        value[field.key] = loadStringAt(cx, at);
        break;
      case float64:
        value[field.key] = view.getFloat64(at, true);
        break;
      case optionalString:
        if (isPresent(cx, at)) value[field.key] = loadStringAt(cx, at + stringPayload);
        break;
      case optionalFloat64:
        if (isPresent(cx, at)) value[field.key] = view.getFloat64(at + float64Payload, true);
        break;
      case boolean:
        value[field.key] = cx.bytes[at] !== 0;
        break;
      case unsigned32:
        value[field.key] = view.getUint32(at, true);
        break;
      default:
        value[field.key] = field.codec.load(cx, at);
    }
  }
  return value;
}

function loadStringAt(cx: Context, at: number): string {
  return loadString(cx, cx.view.getUint32(at, true), cx.view.getUint32(at + 4, true));
}

function isPresent(cx: Context, at: number): boolean {
  const index = cx.view.getUint8(at);
  if (index > 1) trap(`case ${index} of 2`);
  return index === 1;
}

/** A record of one field that is one core value is that core value. */
function singleField(fields: readonly RecordField[]): Codec<RecordValue>["single"] {
  const field = fields.find(({ codec }) => codec.flat?.length === 1);
  const single = field?.codec.single;
  if (fields.length !== 1 || field === undefined || single === undefined) return undefined;
  return {
    lower: (cx, value) => single.lower(cx, value[field.key]),
    lift: (cx, flat) => ({ [field.key]: single.lift(cx, flat) }),
  };
}
