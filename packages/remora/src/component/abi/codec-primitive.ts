/** Codecs of numbers, booleans, characters and flags. */

import { camelCase } from "../names.ts";
import type { PrimitiveKind, ValueType } from "../types.ts";
import { canonicalNan } from "./canonical-nan.ts";
import type { Codec, Flat } from "./codec.ts";
import type { Context } from "./context.ts";
import { givenUnder } from "./given.ts";
import { type FlatType, flagsSize } from "./layout.ts";
import { trap } from "./trap.ts";

type CodecPrimitive = Exclude<PrimitiveKind, "error-context" | "string">;

export function primitiveCodec(kind: CodecPrimitive): Codec {
  return primitives[kind];
}

/** Makes the codec of a type that is one core value. */
export function singleCodec<Value>(options: {
  readonly type: ValueType;
  readonly size: number;
  readonly flat: FlatType;
  readonly check: Codec<Value>["check"];
  readonly store: Codec<Value>["store"];
  readonly load: Codec<Value>["load"];
  readonly lower: (cx: Context, value: Value) => Flat;
  // biome-ignore lint/suspicious/noExplicitAny: a number or a bigint, as the flat type says
  readonly lift: (cx: Context, flat: any) => Value;
}): Codec<Value> {
  const { lower, lift } = options;
  return {
    type: options.type,
    size: options.size,
    align: options.size,
    flat: [options.flat],
    check: options.check,
    store: options.store,
    load: options.load,
    lower: (cx, value, out, at) => {
      out[at] = lower(cx, value);
    },
    lift: (cx, flat, at) => lift(cx, flat[at]),
    single: { lower, lift },
  };
}

const asIs = <T extends Flat>(_: Context, value: T): T => value;

const primitives: { readonly [Kind in CodecPrimitive]: Codec } = {
  bool: singleCodec<boolean>({
    type: { kind: "bool" },
    size: 1,
    flat: "i32",
    check: (value) => typeof value === "boolean",
    store: (cx, value, pointer) => {
      cx.bytes[pointer] = value ? 1 : 0;
    },
    load: (cx, pointer) => cx.bytes[pointer] !== 0,
    lower: (_, value) => (value ? 1 : 0),
    lift: (_, flat: number) => flat !== 0,
  }),
  s8: singleCodec<number>({
    type: { kind: "s8" },
    size: 1,
    flat: "i32",
    check: (value) => typeof value === "number" && (value << 24) >> 24 === value,
    store: (cx, value, pointer) => {
      cx.bytes[pointer] = value;
    },
    load: (cx, pointer) => cx.view.getInt8(pointer),
    lower: asIs,
    lift: (_, flat: number) => (flat << 24) >> 24,
  }),
  u8: singleCodec<number>({
    type: { kind: "u8" },
    size: 1,
    flat: "i32",
    check: (value) => typeof value === "number" && (value & 0xff) === value,
    store: (cx, value, pointer) => {
      cx.bytes[pointer] = value;
    },
    load: (cx, pointer) => cx.view.getUint8(pointer),
    lower: asIs,
    lift: (_, flat: number) => flat & 0xff,
  }),
  s16: singleCodec<number>({
    type: { kind: "s16" },
    size: 2,
    flat: "i32",
    check: (value) => typeof value === "number" && (value << 16) >> 16 === value,
    store: (cx, value, pointer) => cx.view.setInt16(pointer, value, true),
    load: (cx, pointer) => cx.view.getInt16(pointer, true),
    lower: asIs,
    lift: (_, flat: number) => (flat << 16) >> 16,
  }),
  u16: singleCodec<number>({
    type: { kind: "u16" },
    size: 2,
    flat: "i32",
    check: (value) => typeof value === "number" && (value & 0xffff) === value,
    store: (cx, value, pointer) => cx.view.setUint16(pointer, value, true),
    load: (cx, pointer) => cx.view.getUint16(pointer, true),
    lower: asIs,
    lift: (_, flat: number) => flat & 0xffff,
  }),
  s32: singleCodec<number>({
    type: { kind: "s32" },
    size: 4,
    flat: "i32",
    check: (value) => typeof value === "number" && (value | 0) === value,
    store: (cx, value, pointer) => cx.view.setInt32(pointer, value, true),
    load: (cx, pointer) => cx.view.getInt32(pointer, true),
    lower: asIs,
    lift: asIs,
  }),
  u32: singleCodec<number>({
    type: { kind: "u32" },
    size: 4,
    flat: "i32",
    check: (value) => typeof value === "number" && value >>> 0 === value,
    store: (cx, value, pointer) => cx.view.setUint32(pointer, value, true),
    load: (cx, pointer) => cx.view.getUint32(pointer, true),
    lower: asIs,
    lift: (_, flat: number) => flat >>> 0,
  }),
  s64: singleCodec<bigint>({
    type: { kind: "s64" },
    size: 8,
    flat: "i64",
    check: (value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
    store: (cx, value, pointer) => cx.view.setBigInt64(pointer, value, true),
    load: (cx, pointer) => cx.view.getBigInt64(pointer, true),
    lower: asIs,
    lift: asIs,
  }),
  u64: singleCodec<bigint>({
    type: { kind: "u64" },
    size: 8,
    flat: "i64",
    check: (value) => typeof value === "bigint" && BigInt.asUintN(64, value) === value,
    store: (cx, value, pointer) => cx.view.setBigUint64(pointer, value, true),
    load: (cx, pointer) => cx.view.getBigUint64(pointer, true),
    lower: asIs,
    lift: (_, flat: bigint) => BigInt.asUintN(64, flat),
  }),
  f32: singleCodec<number>({
    type: { kind: "f32" },
    size: 4,
    flat: "f32",
    check: (value) => typeof value === "number",
    store: (cx, value, pointer) => cx.view.setFloat32(pointer, canonicalNan(value), true),
    load: (cx, pointer) => cx.view.getFloat32(pointer, true),
    lower: (_, value) => canonicalNan(value),
    lift: asIs,
  }),
  f64: singleCodec<number>({
    type: { kind: "f64" },
    size: 8,
    flat: "f64",
    check: (value) => typeof value === "number",
    store: (cx, value, pointer) => cx.view.setFloat64(pointer, canonicalNan(value), true),
    load: (cx, pointer) => cx.view.getFloat64(pointer, true),
    lower: (_, value) => canonicalNan(value),
    lift: asIs,
  }),
  char: singleCodec<string>({
    type: { kind: "char" },
    size: 4,
    flat: "i32",
    check: isChar,
    store: (cx, value, pointer) => cx.view.setUint32(pointer, value.codePointAt(0) ?? 0, true),
    load: (cx, pointer) => charOf(cx.view.getUint32(pointer, true)),
    lower: (_, value) => value.codePointAt(0) ?? 0,
    lift: (_, flat: number) => charOf(flat >>> 0),
  }),
};

/** One Unicode scalar value: one code unit that is no surrogate, or a pair. */
function isChar(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const code = value.codePointAt(0);
  if (code === undefined || (code >= 0xd800 && code <= 0xdfff)) return false;
  return value.length === (code > 0xffff ? 2 : 1);
}

function charOf(code: number): string {
  if (code >= 0x110000 || (code >= 0xd800 && code <= 0xdfff)) trap(`${code} is not a character`);
  return String.fromCodePoint(code);
}

type FlagsType = Extract<ValueType, { kind: "flags" }>;
type Flags = Readonly<Record<string, boolean | undefined>>;

/** An object of booleans; a flag that is left out is false. */
export function flagsCodec(type: FlagsType): Codec<Flags> {
  const keys = type.names.map(camelCase);
  const size = flagsSize(keys.length);
  const pack = (value: Flags): number => {
    let bits = 0;
    for (let index = 0; index < keys.length; index++) {
      if (value[keys[index] as string] === true) bits |= 1 << index;
    }
    return bits;
  };
  const unpack = (bits: number): Flags => {
    const value: Record<string, boolean> = {};
    for (let index = 0; index < keys.length; index++) {
      value[keys[index] as string] = ((bits >>> index) & 1) === 1;
    }
    return value;
  };
  return singleCodec<Flags>({
    type,
    size,
    flat: "i32",
    check: (value) => {
      if (typeof value !== "object" || value === null) return false;
      for (const key of keys) {
        const flag = givenUnder(value, key);
        if (flag !== undefined && typeof flag !== "boolean") return false;
      }
      return true;
    },
    store: (cx, value, pointer) => {
      const bits = pack(value);
      if (size === 1) cx.view.setUint8(pointer, bits);
      else if (size === 2) cx.view.setUint16(pointer, bits, true);
      else cx.view.setUint32(pointer, bits, true);
    },
    load: (cx, pointer) => {
      if (size === 1) return unpack(cx.view.getUint8(pointer));
      return unpack(size === 2 ? cx.view.getUint16(pointer, true) : cx.view.getUint32(pointer, true));
    },
    lower: (_, value) => pack(value),
    lift: (_, flat: number) => unpack(flat),
  });
}
