/**
 * Codecs of variants, options, results and enums. Flattened, the cases of a variant share core values: each
 * case's own are converted to the joined type and back (CanonicalABI.md, "Flat Lifting", "Flat Lowering").
 */

import type { ValueType } from "../types.ts";
import type { AddressType } from "./address.ts";
import { canonicalNan } from "./canonical-nan.ts";
import type { Codec, CodecOf, Flat } from "./codec.ts";
import { singleCodec } from "./codec-primitive.ts";
import type { Context } from "./context.ts";
import { discriminantSize, type FlatType, flatten, layoutOf, payloadOffset } from "./layout.ts";
import { trap } from "./trap.ts";

type TypeOf<Kind extends ValueType["kind"]> = Extract<ValueType, { kind: Kind }>;

/** A value as its case's number and payload, and back. */
interface Cases {
  readonly type: ValueType;
  readonly payloads: readonly (ValueType | undefined)[];
  /** Undefined when the value is of no case; its payload is not looked at. */
  readonly indexOf: (value: unknown) => number | undefined;
  readonly payloadOf: (value: unknown) => unknown;
  readonly make: (index: number, payload: unknown) => unknown;
}

interface Tagged {
  readonly tag: string;
  readonly val?: unknown;
}

export function variantCodec(type: TypeOf<"variant">, of: CodecOf, address: AddressType): Codec {
  return taggedCodec(
    type,
    type.cases.map((entry) => entry.name),
    type.cases.map((entry) => entry.type),
    of,
    address,
  );
}

/**
 * `{ tag: "ok" | "err", val }`, with `val` even where there is none, as jco has it: so inside other values. At the
 * top level of a function a result returns or throws.
 */
export function resultCodec(type: TypeOf<"result">, of: CodecOf, address: AddressType): Codec {
  return taggedCodec(type, ["ok", "err"], [type.ok, type.err], of, address);
}

function taggedCodec(
  type: ValueType,
  names: readonly string[],
  payloads: readonly (ValueType | undefined)[],
  of: CodecOf,
  address: AddressType,
): Codec {
  const indices = new Map<unknown, number>(names.map((name, index) => [name, index]));
  const isTagged = (value: unknown): value is Tagged => typeof value === "object" && value !== null;
  return casesCodec(
    {
      type,
      payloads,
      indexOf: (value) => (isTagged(value) ? indices.get(value.tag) : undefined),
      payloadOf: (value) => (value as Tagged).val,
      make: (index, payload) =>
        payloads[index] === undefined && type.kind !== "result"
          ? { tag: names[index] }
          : { tag: names[index], val: payload },
    },
    of,
    address,
  );
}

/**
 * `undefined` or the value; null is taken for undefined. An option of an option would not know its two
 * absences apart, so the outer one is `{ tag: "none" }` or `{ tag: "some", val }`.
 */
export function optionCodec(type: TypeOf<"option">, of: CodecOf, address: AddressType): Codec {
  if (type.some.kind === "option")
    return taggedCodec(type, ["none", "some"], [undefined, type.some], of, address);
  return casesCodec(
    {
      type,
      payloads: [undefined, type.some],
      indexOf: (value) => (value === undefined || value === null ? 0 : 1),
      payloadOf: (value) => value,
      make: (index, payload) => (index === 0 ? undefined : payload),
    },
    of,
    address,
  );
}

function casesCodec(cases: Cases, of: CodecOf, address: AddressType): Codec {
  const { type, payloads, indexOf, payloadOf, make } = cases;
  const codecs = payloads.map((payload) => (payload === undefined ? undefined : of(payload)));
  const { size, align } = layoutOf(type, address);
  const offset = payloadOffset(payloads, address);
  const flat = flatten(type, address);
  const count = payloads.length;
  const writeIndex = discriminantWriter(count);
  const readIndex = discriminantReader(count);
  const joins = codecs.map((codec) => joinOf(codec?.flat ?? [], flat?.slice(1) ?? []));
  return {
    type,
    size,
    align,
    flat,
    check: (value, cx) => {
      const index = indexOf(value);
      if (index === undefined) return false;
      const codec = codecs[index];
      return codec === undefined || codec.check(payloadOf(value), cx);
    },
    store: (cx, value, pointer) => {
      const index = indexOf(value) ?? 0;
      writeIndex(cx, pointer, index);
      codecs[index]?.store(cx, payloadOf(value), pointer + offset);
    },
    load: (cx, pointer) => {
      const index = readIndex(cx, pointer);
      if (index >= count) trap(`case ${index} of ${count}`);
      return make(index, codecs[index]?.load(cx, pointer + offset));
    },
    lower: (cx, value, out, at) => {
      const index = indexOf(value) ?? 0;
      out[at] = index;
      codecs[index]?.lower(cx, payloadOf(value), out, at + 1);
      joins[index]?.widen(out, at + 1);
    },
    lift: (cx, values, at) => {
      const index = Number(values[at]) >>> 0;
      if (index >= count) trap(`case ${index} of ${count}`);
      const codec = codecs[index];
      if (codec === undefined) return make(index, undefined);
      const join = joins[index];
      if (join === undefined || join.isIdentity) return make(index, codec.lift(cx, values, at + 1));
      return make(index, codec.lift(cx, join.narrow(values, at + 1), 0));
    },
    single:
      flat?.length === 1
        ? {
            lower: (_, value) => indexOf(value) ?? 0,
            lift: (_, value: number) => {
              const index = value >>> 0;
              if (index >= count) trap(`case ${index} of ${count}`);
              return make(index, undefined);
            },
          }
        : undefined,
  };
}

function discriminantWriter(count: number): (cx: Context, pointer: number, index: number) => void {
  switch (discriminantSize(count)) {
    case 1:
      return (cx, pointer, index) => {
        cx.bytes[pointer] = index;
      };
    case 2:
      return (cx, pointer, index) => cx.view.setUint16(pointer, index, true);
    case 4:
      return (cx, pointer, index) => cx.view.setUint32(pointer, index, true);
  }
}

function discriminantReader(count: number): (cx: Context, pointer: number) => number {
  switch (discriminantSize(count)) {
    case 1:
      return (cx, pointer) => cx.bytes[pointer] as number; // The range was checked with the whole value.
    case 2:
      return (cx, pointer) => cx.view.getUint16(pointer, true);
    case 4:
      return (cx, pointer) => cx.view.getUint32(pointer, true);
  }
}

interface Join {
  readonly isIdentity: boolean;
  /** Turns a case's own core values, already in place, into the joined ones, and zeroes the rest. */
  readonly widen: (out: Flat[], at: number) => void;
  readonly narrow: (values: readonly Flat[], at: number) => Flat[];
}

function joinOf(own: readonly FlatType[], joined: readonly FlatType[]): Join {
  return {
    isIdentity: own.every((type, index) => type === joined[index]),
    widen: (out, at) => {
      for (let index = 0; index < joined.length; index++) {
        const to = joined[index];
        const from = own[index];
        if (from === undefined) out[at + index] = to === "i64" ? 0n : 0;
        else if (from !== to) out[at + index] = widen(out[at + index] as Flat, from, to as FlatType);
      }
    },
    narrow: (values, at) =>
      own.map((to, index) => {
        const value = values[at + index] as Flat;
        const from = joined[index] as FlatType;
        return from === to ? value : narrow(value, from, to);
      }),
  };
}

const scratch = new DataView(new ArrayBuffer(8));

function widen(value: Flat, from: FlatType, to: FlatType): Flat {
  if (from === "i32") return BigInt(Number(value) >>> 0);
  if (from === "f64") {
    scratch.setFloat64(0, canonicalNan(Number(value)));
    return scratch.getBigInt64(0);
  }
  scratch.setFloat32(0, canonicalNan(Number(value)));
  const bits = scratch.getUint32(0);
  return to === "i32" ? bits : BigInt(bits);
}

function narrow(value: Flat, from: FlatType, to: FlatType): Flat {
  if (to === "f64") {
    scratch.setBigInt64(0, BigInt(value));
    return scratch.getFloat64(0);
  }
  const bits = from === "i64" ? Number(BigInt.asUintN(32, BigInt(value))) : Number(value);
  if (to === "i32") return bits | 0;
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
}

export function enumCodec(type: TypeOf<"enum">): Codec<string> {
  const names = type.names;
  const count = names.length;
  const indices = new Map<unknown, number>(names.map((name, index) => [name, index]));
  const writeIndex = discriminantWriter(count);
  const readIndex = discriminantReader(count);
  const nameOf = (index: number): string => names[index] ?? trap(`case ${index} of ${count}`);
  return singleCodec<string>({
    type,
    size: discriminantSize(count),
    flat: "i32",
    check: (value) => indices.has(value),
    store: (cx, value, pointer) => writeIndex(cx, pointer, indices.get(value) ?? 0),
    load: (cx, pointer) => nameOf(readIndex(cx, pointer)),
    lower: (_, value) => indices.get(value) ?? 0,
    lift: (_, flat: number) => nameOf(flat >>> 0),
  });
}
