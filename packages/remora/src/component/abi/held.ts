/**
 * What a value costs the host, whatever it takes in the guest's memory: a byte there may be an object here. In bytes of
 * V8's heap on a machine of 64 bits, rounded up; measured on V8 14.6. It is also what lifting takes: some milliseconds a
 * megabyte.
 */

import type { ValueType } from "../types.ts";
import { layoutOf } from "./layout.ts";

/** A place in an array or object. */
const slotBytes = 8;

/** Header, shape and elements of an object; an array has its elements beside it. */
const objectBytes = 24;
const arrayBytes = 48;
/** A view and its buffer. */
const typedArrayBytes = 208;
const mapBytes = 176;
/** A key, a value, a link, and buckets of which half are empty. */
const mapEntryBytes = 48;
/** With its characters, as long as it is short; longer ones are counted when they are lifted. */
const shortTextBytes = 40;
const boxedNumberBytes = 16;
const bigintBytes = 24;
/** What stands for a guest's resource, a stream or an error context; there are limits of their own for their number. */
const hostObjectBytes = 128;

/** A larger value is counted by itself when it is lifted, and not by what it is a part of. */
const smallBytesMax = 256;

const kept = new WeakMap<ValueType, number>();

/** Of a value with all of its parts, without what its strings and lists hold. Kept per type object. */
export function heldBytes(type: ValueType): number {
  let bytes = kept.get(type);
  if (bytes === undefined) {
    bytes = measure(type, heldBytes);
    kept.set(type, bytes);
  }
  return bytes;
}

export function isHeldLarge(type: ValueType): boolean {
  return heldBytes(type) > smallBytesMax;
}

/** The same for a part of something larger: nothing when it is counted by itself. */
export function heldAsPart(type: ValueType): number {
  return isHeldLarge(type) ? 0 : heldBytes(type);
}

/** Of a value without those of its parts that are counted by themselves. */
export function heldAlone(type: ValueType): number {
  return measure(type, heldAsPart);
}

/** Of one entry of a map. */
export function heldAsEntry(key: ValueType, value: ValueType): number {
  return mapEntryBytes + heldAsPart(key) + heldAsPart(value);
}

const numberLists: ReadonlySet<string> = new Set([
  ...["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64"],
]);

function measure(type: ValueType, part: (type: ValueType) => number): number {
  const slots = (types: readonly ValueType[]) =>
    types.reduce((sum, inner) => sum + slotBytes + part(inner), 0);
  const largest = (types: readonly (ValueType | undefined)[]) =>
    types.reduce((most, inner) => Math.max(most, inner === undefined ? 0 : part(inner)), 0);
  switch (type.kind) {
    case "record":
      return objectBytes + slots(type.fields.map((field) => field.type));
    case "tuple":
      return arrayBytes + slots(type.elements);
    case "list": {
      const { element, length = 0 } = type;
      if (numberLists.has(element.kind)) return typedArrayBytes + length * layoutOf(element).size;
      return arrayBytes + length * (slotBytes + part(element));
    }
    case "map":
      return mapBytes;
    case "variant":
      return objectBytes + 2 * slotBytes + largest(type.cases.map((entry) => entry.type));
    case "result":
      return objectBytes + 2 * slotBytes + largest([type.ok, type.err]);
    case "option":
      return (type.some.kind === "option" ? objectBytes + 2 * slotBytes : 0) + part(type.some);
    case "flags":
      return objectBytes + slotBytes * type.names.length;
    case "string":
    case "char":
      return shortTextBytes;
    case "u64":
    case "s64":
      return bigintBytes;
    case "u32":
    case "s32":
    case "f32":
    case "f64":
      return boxedNumberBytes;
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return hostObjectBytes;
    default:
      return 0;
  }
}
