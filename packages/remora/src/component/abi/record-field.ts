/**
 * One field of a record. The kinds of fields that records are mostly made of are handled in place, by a switch on
 * a small integer: a closure for each would be a call that V8 cannot inline, since all records share it.
 */

import type { ValueType } from "../types.ts";
import type { AddressType } from "./address.ts";
import { canonicalNan } from "./canonical-nan.ts";
import type { Codec } from "./codec.ts";
import type { Context } from "./context.ts";
import { loadString, storeStringAt } from "./strings.ts";
import { trap } from "./trap.ts";

/** Bits of kinds, so that one test finds all strings, and all that may be left out. */
const text = 1;
const optional = 2;

/** Anything that is not handled here: its codec is called. */
export const otherKind = 0;
const string = text;
const optionalString = text | optional;
const float64 = 4;
const optionalFloat64 = float64 | optional;
const boolean = 8;
const unsigned32 = 16;
const unkept = 32;

export function kindOf(type: ValueType, address: AddressType): number {
  switch (type.kind) {
    case "string":
      // What is done in place is for addresses of 32 bits.
      return address === "i32" ? string : otherKind;
    case "f64":
      return float64;
    case "bool":
      return boolean;
    case "u32":
      return unsigned32;
    case "option":
      if (type.some.kind === "string") return address === "i32" ? optionalString : otherKind;
      return type.some.kind === "f64" ? optionalFloat64 : otherKind;
    default:
      return otherKind;
  }
}

/** A field as it is read out of an object. */
export interface KeptField {
  readonly key: string;
  /** Where its value is among the kept ones of its record; see `codec-record.ts`. */
  readonly place: number;
  readonly kind: number;
}

export interface RecordField extends KeptField {
  readonly offset: number;
  readonly codec: Codec;
}

/** For a key that is no field of the record: its values fit and are not kept. */
export function noField(key: string): KeptField {
  return { key, place: 0, kind: unkept };
}

/** Behind the discriminant of an option. */
const stringPayload = 4;
const float64Payload = 8;

/** For an optional string: where its pointer and length are, behind the discriminant. */
export function stringOffset({ kind, offset }: RecordField): number {
  return kind === optionalString ? offset + stringPayload : offset;
}

export function isString(kind: number): boolean {
  return (kind & text) !== 0;
}

export function isOptional(kind: number): boolean {
  return (kind & optional) !== 0;
}

/**
 * Keeps a value if it fits, as far as that is seen without looking into it. Numbers are kept apart, in an array that
 * holds nothing else: there they are neither allocated nor known to the garbage collector.
 *
 * @param first Where the kept values of its record begin; there is room for all of them.
 */
export function keep(
  { kind, place }: KeptField,
  value: unknown,
  kept: unknown[],
  numbers: Float64Array,
  first: number,
): boolean {
  // What most fields are comes first, and is short enough to be compiled into each place that reads one.
  if ((kind & float64) !== 0 && typeof value === "number") {
    numbers[first + place] = value;
    if (kind === optionalFloat64) kept[first + place] = true;
    return true;
  }
  if ((kind & text) !== 0 && typeof value === "string") {
    kept[first + place] = value;
    return true;
  }
  return keepOther(kind, value, kept, numbers, first + place);
}

function keepOther(
  kind: number,
  value: unknown,
  kept: unknown[],
  numbers: Float64Array,
  at: number,
): boolean {
  switch (kind) {
    case otherKind:
      kept[at] = value;
      return true;
    case optionalString:
      kept[at] = value;
      return isLeftOut(value);
    case optionalFloat64:
      kept[at] = undefined;
      return isLeftOut(value);
    case boolean:
      if (typeof value !== "boolean") return false;
      numbers[at] = value ? 1 : 0;
      return true;
    case unsigned32:
      if (typeof value !== "number" || value >>> 0 !== value) return false;
      numbers[at] = value;
      return true;
    default:
      return kind === unkept;
  }
}

export function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null;
}

/** What `keep` has kept of a field, of the record whose kept values begin at `first`. */
export function keptValue({ kind, place }: KeptField, cx: Context, first: number): unknown {
  const at = first + place;
  switch (kind) {
    case float64:
    case unsigned32:
      return cx.numbers[at];
    case boolean:
      return cx.numbers[at] !== 0;
    case optionalFloat64:
      return cx.kept[at] === true ? cx.numbers[at] : undefined;
    default:
      return cx.kept[at];
  }
}

/** Stores a field from what was kept of its record, whose kept values begin at `first`. */
export function storeKept(
  { kind, place, offset, codec }: RecordField,
  cx: Context,
  first: number,
  pointer: number,
): void {
  const at = first + place;
  const to = pointer + offset;
  switch (kind) {
    case float64:
      cx.view.setFloat64(to, canonicalNan(cx.numbers[at] as number), true);
      return;
    case optionalFloat64:
      cx.view.setUint8(to, cx.kept[at] === true ? 1 : 0);
      if (cx.kept[at] === true)
        cx.view.setFloat64(to + float64Payload, canonicalNan(cx.numbers[at] as number), true);
      return;
    case unsigned32:
      cx.view.setUint32(to, cx.numbers[at] as number, true);
      return;
    case boolean:
      cx.view.setUint8(to, cx.numbers[at] as number);
      return;
    default:
      codec.store(cx, cx.kept[at], to);
  }
}

/**
 * Stores a number or boolean of several records from what was kept of each: of the first at `first`, of the next `width` places
 * further; to records that are `size` bytes each. A loop a field is four times as fast as a look at each field's kind for
 * each record.
 */
export function storeColumn(
  field: RecordField,
  cx: Context,
  count: number,
  first: number,
  width: number,
  pointer: number,
  size: number,
): void {
  const { view, numbers, kept } = cx;
  let at = first + field.place;
  let to = pointer + field.offset;
  const end = to + count * size;
  // All of the numbers below are kept: the fields of their records were checked.
  switch (field.kind) {
    case float64:
      for (; to < end; to += size, at += width)
        view.setFloat64(to, canonicalNan(numbers[at] as number), true);
      return;
    case optionalFloat64:
      for (; to < end; to += size, at += width) {
        view.setUint8(to, kept[at] === true ? 1 : 0);
        if (kept[at] === true)
          view.setFloat64(to + float64Payload, canonicalNan(numbers[at] as number), true);
      }
      return;
    case unsigned32:
      for (; to < end; to += size, at += width) view.setUint32(to, numbers[at] as number, true);
      return;
    case boolean:
      for (; to < end; to += size, at += width) view.setUint8(to, numbers[at] as number);
      return;
  }
}

export function storeField(field: RecordField, cx: Context, value: unknown, pointer: number): void {
  const at = pointer + field.offset;
  switch (field.kind) {
    case string:
      storeStringAt(cx, value as string, at);
      return;
    case float64:
      cx.view.setFloat64(at, canonicalNan(value as number), true);
      return;
    case optionalString:
      if (isLeftOut(value)) {
        cx.bytes[at] = 0;
      } else {
        cx.bytes[at] = 1;
        storeStringAt(cx, value as string, at + stringPayload);
      }
      return;
    case optionalFloat64:
      if (isLeftOut(value)) {
        cx.bytes[at] = 0;
      } else {
        cx.bytes[at] = 1;
        cx.view.setFloat64(at + float64Payload, canonicalNan(value as number), true);
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

export function loadField(field: RecordField, cx: Context, pointer: number): unknown {
  const at = pointer + field.offset;
  switch (field.kind) {
    case string:
      return loadStringAt(cx, at);
    case float64:
      return cx.view.getFloat64(at, true);
    case optionalString:
      return isPresent(cx, at) ? loadStringAt(cx, at + stringPayload) : undefined;
    case optionalFloat64:
      return isPresent(cx, at) ? cx.view.getFloat64(at + float64Payload, true) : undefined;
    case boolean:
      return cx.bytes[at] !== 0;
    case unsigned32:
      return cx.view.getUint32(at, true);
    default:
      return field.codec.load(cx, at);
  }
}

function loadStringAt(cx: Context, at: number): string {
  return loadString(cx, cx.view.getUint32(at, true), cx.view.getUint32(at + 4, true));
}

function isPresent(cx: Context, at: number): boolean {
  const index = cx.view.getUint8(at);
  if (index > 1) trap(`case ${index} of 2`);
  return index === 1;
}
