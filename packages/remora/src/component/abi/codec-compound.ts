/** Codecs of records, tuples, lists and maps. */

import { camelCase } from "../names.ts";
import type { ValueType } from "../types.ts";
import type { Codec, Flat } from "./codec.ts";
import type { Context } from "./context.ts";
import { flatten, layoutOf, layoutOfFields, offsetsOf } from "./layout.ts";
import { trap } from "./trap.ts";

type CodecOf = (type: ValueType) => Codec;
type TypeOf<Kind extends ValueType["kind"]> = Extract<ValueType, { kind: Kind }>;

/** CanonicalABI.md: MAX_LIST_BYTE_LENGTH. */
const listBytesMax = 2 ** 28 - 1;

export function recordCodec(type: TypeOf<"record">, of: CodecOf): Codec {
  const keys = type.fields.map((field) => camelCase(field.name));
  return fieldsCodec({
    type,
    keys,
    types: type.fields.map((field) => field.type),
    of,
    isShaped: (value) => typeof value === "object" && value !== null,
    empty: () => ({}),
  });
}

export function tupleCodec(type: TypeOf<"tuple">, of: CodecOf): Codec {
  const count = type.elements.length;
  return fieldsCodec({
    type,
    keys: type.elements.map((_, index) => index),
    types: type.elements,
    of,
    isShaped: (value) => Array.isArray(value) && value.length === count,
    empty: () => [],
  });
}

// A record's object or a tuple's array: both are read and written by key.
type Fields = Record<string | number, unknown>;

function fieldsCodec(options: {
  readonly type: ValueType;
  readonly keys: readonly (string | number)[];
  readonly types: readonly ValueType[];
  readonly of: CodecOf;
  readonly isShaped: (value: unknown) => boolean;
  readonly empty: () => object;
}): Codec<Fields> {
  const { type, keys, isShaped, empty } = options;
  const codecs = options.types.map(options.of);
  const offsets = offsetsOf(options.types);
  const { size, align } = layoutOfFields(options.types);
  const checks = codecs.map((codec) => codec.check);
  const stores = codecs.map((codec) => codec.store);
  const loads = codecs.map((codec) => codec.load);
  const flatOffsets: number[] = [];
  let flatCount = 0;
  for (const codec of codecs) {
    flatOffsets.push(flatCount);
    flatCount += codec.flat?.length ?? 0;
  }
  const count = keys.length;
  return {
    type,
    size,
    align,
    flat: flatten(type),
    check: (value, cx) => {
      if (!isShaped(value)) return false;
      for (let index = 0; index < count; index++) {
        // The arrays are of one length, and `isShaped` said that the value has keys.
        if (!(checks[index] as Codec["check"])((value as Fields)[keys[index] as string], cx)) return false;
      }
      return true;
    },
    store: (cx, value, pointer) => {
      for (let index = 0; index < count; index++) {
        (stores[index] as Codec["store"])(
          cx,
          value[keys[index] as string],
          pointer + (offsets[index] as number),
        );
      }
    },
    load: (cx, pointer) => {
      const value = empty() as Fields;
      for (let index = 0; index < count; index++) {
        value[keys[index] as string] = (loads[index] as Codec["load"])(
          cx,
          pointer + (offsets[index] as number),
        );
      }
      return value;
    },
    lower: (cx, value, out, at) => {
      for (let index = 0; index < count; index++) {
        codecs[index]?.lower(cx, value[keys[index] as string], out, at + (flatOffsets[index] as number));
      }
    },
    lift: (cx, flat, at) => {
      const value = empty() as Fields;
      for (let index = 0; index < count; index++) {
        value[keys[index] as string] = codecs[index]?.lift(cx, flat, at + (flatOffsets[index] as number));
      }
      return value;
    },
    single: singleOf(flatten(type)?.length, codecs[0], keys[0], empty),
  };
}

/** A record of one field that is one core value is that core value. */
function singleOf(
  flatCount: number | undefined,
  codec: Codec | undefined,
  key: string | number | undefined,
  empty: () => object,
): Codec<Fields>["single"] {
  const single = codec?.single;
  if (flatCount !== 1 || single === undefined || key === undefined) return undefined;
  return {
    lower: (cx, value) => single.lower(cx, value[key]),
    lift: (cx, flat) => {
      const value = empty() as Fields;
      value[key] = single.lift(cx, flat);
      return value;
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

export function listCodec(type: TypeOf<"list">, of: CodecOf): Codec {
  const elements = elementsCodec(type.element, of);
  return type.length === undefined
    ? pointerCodec(type, elements)
    : fixedListCodec(type, type.length, of, elements);
}

/** How the elements of a list are checked, and moved to and from a range of memory. */
interface Elements<Value = List> {
  readonly size: number;
  readonly align: number;
  readonly count: (value: Value) => number;
  /** A list to be filled. */
  readonly make: (count: number) => { [index: number]: unknown } & Value;
  readonly check: (value: unknown, cx: Context) => boolean;
  readonly storeAll: (cx: Context, value: Value, pointer: number) => void;
  readonly loadAll: (cx: Context, pointer: number, count: number) => Value;
}

function elementsCodec(type: ValueType, of: CodecOf): Elements {
  const codec = of(type);
  const { size, align } = layoutOf(type);
  const { check, store, load } = codec;
  const generic: Elements = {
    size,
    align,
    count: (value) => value.length,
    make: () => [],
    check: (value, cx) => {
      if (!Array.isArray(value)) return false;
      for (let index = 0; index < value.length; index++) {
        if (!check(value[index], cx)) return false;
      }
      return true;
    },
    storeAll: (cx, value, pointer) => {
      const count = value.length;
      for (let index = 0; index < count; index++) store(cx, value[index], pointer + index * size);
    },
    loadAll: (cx, pointer, count) => {
      const value: unknown[] = [];
      for (let index = 0; index < count; index++) value.push(load(cx, pointer + index * size));
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
    make: (count) => new ArrayType(count),
    check: (value, cx) => value instanceof ArrayType || generic.check(value, cx),
    storeAll: (cx, value, pointer) => {
      if (value instanceof Uint8Array) cx.bytes.set(value, pointer);
      else if (value instanceof ArrayType) {
        cx.bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), pointer);
      } else generic.storeAll(cx, value, pointer);
    },
    loadAll: (cx, pointer, count) => {
      const bytes = cx.bytes.slice(pointer, pointer + count * generic.size);
      return ArrayType === Uint8Array ? bytes : new ArrayType(bytes.buffer, 0, count);
    },
  };
}

/** A list of any length: a pointer and a number of elements. */
function pointerCodec<Value>(type: ValueType, elements: Omit<Elements<Value>, "make">): Codec<Value> {
  const { size, align, count, storeAll, loadAll } = elements;
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
    return loadAll(cx, pointer, length);
  };
  return {
    type,
    size: 8,
    align: 4,
    flat: ["i32", "i32"],
    check: elements.check,
    store: (cx, value, pointer) => {
      const data = lowerAll(cx, value);
      cx.view.setUint32(pointer, data, true);
      cx.view.setUint32(pointer + 4, cx.length, true);
    },
    load: (cx, pointer) =>
      liftAll(cx, cx.view.getUint32(pointer, true), cx.view.getUint32(pointer + 4, true)),
    lower: (cx, value, out, at) => {
      out[at] = lowerAll(cx, value);
      out[at + 1] = cx.length;
    },
    lift: (cx, flat, at) => liftAll(cx, Number(flat[at]) >>> 0, Number(flat[at + 1]) >>> 0),
    single: undefined,
  };
}

/** A list whose length is part of its type lies in place. */
function fixedListCodec(type: TypeOf<"list">, length: number, of: CodecOf, elements: Elements): Codec<List> {
  const codec = of(type.element);
  const flatSize = codec.flat?.length ?? 0;
  const { size, align } = layoutOf(type);
  return {
    type,
    size,
    align,
    flat: flatten(type),
    check: (value, cx) => elements.check(value, cx) && elements.count(value as List) === length,
    store: (cx, value, pointer) => elements.storeAll(cx, value, pointer),
    load: (cx, pointer) => elements.loadAll(cx, pointer, length),
    lower: (cx, value, out, at) => {
      for (let index = 0; index < length; index++) codec.lower(cx, value[index], out, at + index * flatSize);
    },
    lift: (cx, flat, at) => {
      const value = elements.make(length);
      for (let index = 0; index < length; index++) value[index] = codec.lift(cx, flat, at + index * flatSize);
      return value;
    },
    single: undefined,
  };
}

/** A map lies in memory as a list of pairs; a key that comes twice keeps its last value. */
export function mapCodec(type: TypeOf<"map">, of: CodecOf): Codec {
  const key = of(type.key);
  const value = of(type.value);
  const pair = [type.key, type.value];
  const { size, align } = layoutOfFields(pair);
  const [, valueOffset = 0] = offsetsOf(pair);
  return pointerCodec<ReadonlyMap<unknown, unknown>>(type, {
    size,
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
        key.store(cx, entryKey, at);
        value.store(cx, entryValue, at + valueOffset);
        at += size;
      }
    },
    loadAll: (cx, pointer, count) => {
      const map = new Map<unknown, unknown>();
      for (let index = 0; index < count; index++) {
        const at = pointer + index * size;
        map.set(key.load(cx, at), value.load(cx, at + valueOffset));
      }
      return map;
    },
  });
}

export type { Flat };
