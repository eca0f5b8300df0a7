/** Codecs of tuples, lists and maps. */

import type { ValueType } from "../types.ts";
import { type AddressType, addressOf, flatAddress } from "./address.ts";
import { canonicalizeAll } from "./canonical-nan.ts";
import type { Codec, CodecOf } from "./codec.ts";
import type { Context } from "./context.ts";
import { heldAsEntry, heldAsPart } from "./held.ts";
import { flatten, layoutOf, layoutOfFields, offsetsOf } from "./layout.ts";
import { trap } from "./trap.ts";

type TypeOf<Kind extends ValueType["kind"]> = Extract<ValueType, { kind: Kind }>;

/** Of one element itself, however small: twice its place in the array, which is made whole before the first is lifted. */
const elementBytesMin = 16;

/** Lists are moved in parts of so many bytes of the host's, between which the clock may be looked at. */
const partBytes = 64 * 1024;

/** Large enough that moving it takes much longer than a look. */
const copiedAtOnceMax = 512 * 1024;

/** CanonicalABI.md: MAX_LIST_BYTE_LENGTH. */
const listBytesMax = 2 ** 28 - 1;

export function tupleCodec(
  type: TypeOf<"tuple">,
  of: CodecOf,
  address: AddressType,
): Codec<readonly unknown[]> {
  const count = type.elements.length;
  const codecs = type.elements.map(of);
  const offsets = offsetsOf(type.elements, address);
  const { size, align } = layoutOfFields(type.elements, address);
  const flat = flatten(type, address);
  const single = count === 1 ? codecs[0]?.single : undefined;
  return {
    type,
    size,
    align,
    flat,
    check: (value, cx) => {
      if (!Array.isArray(value) || value.length !== count) return false;
      for (let index = 0; index < count; index++) {
        if (!codecs[index]?.check(value[index], cx)) return false;
      }
      return true;
    },
    store: (cx, value, pointer) => {
      for (let index = 0; index < count; index++) {
        codecs[index]?.store(cx, value[index], pointer + (offsets[index] as number));
      }
    },
    load: (cx, pointer) => codecs.map((codec, index) => codec.load(cx, pointer + (offsets[index] as number))),
    lower: (cx, value, out, at) => {
      let next = at;
      for (let index = 0; index < count; index++) {
        codecs[index]?.lower(cx, value[index], out, next);
        next += codecs[index]?.flat?.length ?? 0;
      }
    },
    lift: (cx, values, at) => {
      let next = at;
      return codecs.map((codec) => {
        const value = codec.lift(cx, values, next);
        next += codec.flat?.length ?? 0;
        return value;
      });
    },
    single:
      single === undefined
        ? undefined
        : {
            lower: (cx, value) => single.lower(cx, value[0]),
            lift: (cx, value) => [single.lift(cx, value)],
          },
  };
}

type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** Lists of numbers are typed arrays towards the host: linear memory is little-endian, and so is every V8 host. */
const typedArrays = {
  u8: Uint8Array,
  s8: Int8Array,
  u16: Uint16Array,
  s16: Int16Array,
  u32: Uint32Array,
  s32: Int32Array,
  u64: BigUint64Array,
  s64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

type List = readonly unknown[] | TypedArray;

export function listCodec(type: TypeOf<"list">, of: CodecOf, address: AddressType): Codec {
  const elements = elementsCodec(of(type.element));
  return type.length === undefined
    ? pointerCodec(type, elements, address)
    : fixedListCodec(type, type.length, { codec: of(type.element), elements, flat: flatten(type, address) });
}

/** How the elements of a list are checked, and moved to and from a range of memory. */
interface Elements<Value = List> {
  readonly size: number;
  /** Bytes that one element takes of what a guest may hand over. */
  readonly heldSize: number;
  readonly align: number;
  readonly count: (value: Value) => number;
  /** A list to be filled. */
  readonly make: (count: number) => { [index: number]: unknown } & Value;
  readonly check: (value: unknown, cx: Context) => boolean;
  readonly storeAll: (cx: Context, value: Value, pointer: number) => void;
  readonly loadAll: (cx: Context, pointer: number, count: number) => Value;
}

function elementsCodec({ type, size, align, check, checkAll, store, storeAll, load }: Codec): Elements {
  const heldSize = Math.max(size, elementBytesMin + heldAsPart(type));
  const partCount = Math.ceil(partBytes / heldSize);
  const generic: Elements = {
    size,
    heldSize,
    align,
    count: (value) => value.length,
    make: () => [],
    check: (value, cx) => {
      if (!Array.isArray(value)) return false;
      if (checkAll !== undefined) return checkAll(value, cx);
      for (let index = 0; index < value.length; index++) {
        if (!check(value[index], cx)) return false;
      }
      return true;
    },
    storeAll: (cx, value, pointer) => {
      const count = value.length;
      if (storeAll !== undefined) storeAll(cx, count, pointer);
      else {
        for (let index = 0, paced = 0; index < count; index++) {
          if (index === paced) {
            paced = Math.min(index + partCount, count);
            cx.pace((paced - index) * heldSize);
          }
          store(cx, value[index], pointer + index * size);
        }
      }
    },
    loadAll: (cx, pointer, count) => {
      const value = new Array<unknown>(count);
      for (let index = 0, paced = 0; index < count; index++) {
        if (index === paced) {
          paced = Math.min(index + partCount, count);
          cx.pace((paced - index) * heldSize);
        }
        value[index] = load(cx, pointer + index * size);
      }
      return value;
    },
  };
  const ArrayType = type.kind in typedArrays ? typedArrays[type.kind as keyof typeof typedArrays] : undefined;
  return ArrayType === undefined ? generic : numberElements(generic, ArrayType);
}

function numberElements(
  generic: Elements,
  ArrayType: (typeof typedArrays)[keyof typeof typedArrays],
): Elements {
  return {
    ...generic,
    heldSize: generic.size,
    make: (count) => new ArrayType(count),
    check: (value, cx) => value instanceof ArrayType || generic.check(value, cx),
    storeAll: (cx, value, pointer) => {
      if (value instanceof Uint8Array) cx.bytes.set(value, pointer);
      else if (value instanceof ArrayType) {
        cx.bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), pointer);
        if (value instanceof Float64Array) canonicalizeAll(cx.view, pointer, value.length, 8);
        else if (value instanceof Float32Array) canonicalizeAll(cx.view, pointer, value.length, 4);
      } else generic.storeAll(cx, value, pointer);
    },
    loadAll: (cx, pointer, count) => {
      const bytes = copied(cx, pointer, count * generic.size);
      return ArrayType === Uint8Array ? bytes : new ArrayType(bytes.buffer, 0, count);
    },
  };
}

function copied(cx: Context, pointer: number, size: number): Uint8Array<ArrayBuffer> {
  cx.pace(size);
  if (size <= copiedAtOnceMax) return cx.bytes.slice(pointer, pointer + size);
  const copy = new Uint8Array(size);
  for (let at = 0; at < size; at += copiedAtOnceMax) {
    cx.pace(copiedAtOnceMax);
    copy.set(cx.bytes.subarray(pointer + at, pointer + Math.min(at + copiedAtOnceMax, size)), at);
  }
  return copy;
}

/** A list of any length: a pointer and a number of elements. */
function pointerCodec<Value>(
  type: ValueType,
  elements: Omit<Elements<Value>, "make">,
  address: AddressType,
): Codec<Value> {
  const { size, heldSize, align, count, storeAll, loadAll } = elements;
  const lowerAll = (cx: Context, value: Value): number => {
    const length = count(value);
    if (length * size > listBytesMax)
      trap(`a list of ${length} elements is longer than ${listBytesMax} bytes`);
    const pointer = cx.allocate(align, length * size);
    storeAll(cx, value, pointer);
    cx.length = length;
    return pointer;
  };
  const liftAll = (cx: Context, pointer: number, length: number): Value => {
    // The guest controls both numbers: compare before anything is allocated for them.
    if (length * size > listBytesMax)
      trap(`a list of ${length} elements is longer than ${listBytesMax} bytes`);
    cx.checkRange(pointer, align, length * size);
    cx.spendLift(length * heldSize);
    return loadAll(cx, pointer, length);
  };
  return {
    type,
    ...layoutOf(type, address),
    flat: [address, address],
    check: elements.check,
    ...(address === "i64" ? wideInMemory(lowerAll, liftAll) : narrowInMemory(lowerAll, liftAll)),
    lower: (cx, value, out, at) => {
      out[at] = flatAddress(address, lowerAll(cx, value));
      out[at + 1] = flatAddress(address, cx.length);
    },
    lift: (cx, flat, at) => liftAll(cx, addressOf(flat[at]), addressOf(flat[at + 1])),
    single: undefined,
  };
}

type LowerAll<Value> = (cx: Context, value: Value) => number;
type LiftAll<Value> = (cx: Context, pointer: number, length: number) => Value;
type InMemory<Value> = Pick<Codec<Value>, "store" | "load">;

function narrowInMemory<Value>(lowerAll: LowerAll<Value>, liftAll: LiftAll<Value>): InMemory<Value> {
  return {
    store: (cx, value, pointer) => {
      const data = lowerAll(cx, value);
      cx.view.setUint32(pointer, data, true);
      cx.view.setUint32(pointer + 4, cx.length, true);
    },
    load: (cx, pointer) =>
      liftAll(cx, cx.view.getUint32(pointer, true), cx.view.getUint32(pointer + 4, true)),
  };
}

function wideInMemory<Value>(lowerAll: LowerAll<Value>, liftAll: LiftAll<Value>): InMemory<Value> {
  return {
    store: (cx, value, pointer) => {
      const data = lowerAll(cx, value);
      cx.view.setBigUint64(pointer, BigInt(data), true);
      cx.view.setBigUint64(pointer + 8, BigInt(cx.length), true);
    },
    load: (cx, pointer) =>
      liftAll(
        cx,
        addressOf(cx.view.getBigUint64(pointer, true)),
        addressOf(cx.view.getBigUint64(pointer + 8, true)),
      ),
  };
}

/** A list whose length is part of its type lies in place. */
function fixedListCodec(
  type: TypeOf<"list">,
  length: number,
  { codec, elements, flat }: { readonly codec: Codec; readonly elements: Elements; flat: Codec["flat"] },
): Codec<List> {
  const flatSize = codec.flat?.length ?? 0;
  return {
    type,
    size: length * codec.size,
    align: codec.align,
    flat,
    check: (value, cx) => elements.check(value, cx) && elements.count(value as List) === length,
    store: (cx, value, pointer) => elements.storeAll(cx, value, pointer),
    load: (cx, pointer) => elements.loadAll(cx, pointer, length),
    lower: (cx, value, out, at) => {
      for (let index = 0; index < length; index++) codec.lower(cx, value[index], out, at + index * flatSize);
    },
    lift: (cx, values, at) => {
      const value = elements.make(length);
      for (let index = 0; index < length; index++)
        value[index] = codec.lift(cx, values, at + index * flatSize);
      return value;
    },
    single: undefined,
  };
}

/** A map lies in memory as a list of pairs; a key that comes twice keeps its last value. */
export function mapCodec(type: TypeOf<"map">, of: CodecOf, address: AddressType): Codec {
  const key = of(type.key);
  const value = of(type.value);
  const pair = [type.key, type.value];
  const { size, align } = layoutOfFields(pair, address);
  const [, valueOffset = 0] = offsetsOf(pair, address);
  const heldSize = Math.max(size, heldAsEntry(type.key, type.value));
  const entries: Parameters<typeof pointerCodec<ReadonlyMap<unknown, unknown>>>[1] = {
    size,
    heldSize,
    align,
    count: (map) => map.size,
    check: (map, cx) => {
      if (!(map instanceof Map)) return false;
      for (const [entryKey, entryValue] of map) {
        if (!key.check(entryKey, cx) || !value.check(entryValue, cx)) return false;
      }
      return true;
    },
    storeAll: (cx, map, pointer) => {
      let at = pointer;
      for (const [entryKey, entryValue] of map) {
        cx.pace(heldSize);
        key.store(cx, entryKey, at);
        value.store(cx, entryValue, at + valueOffset);
        at += size;
      }
    },
    loadAll: (cx, pointer, count) => {
      const map = new Map<unknown, unknown>();
      for (let index = 0; index < count; index++) {
        const at = pointer + index * size;
        cx.pace(heldSize);
        map.set(key.load(cx, at), value.load(cx, at + valueOffset));
      }
      return map;
    },
  };
  return pointerCodec(type, entries, address);
}
