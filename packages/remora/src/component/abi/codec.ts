/**
 * Type-directed codecs: for each type the closures that check, lower and lift its values. They are built once
 * for a component and take the instance's context as an argument, so that an instance costs none of this.
 */

import { unreachable } from "../../base/index.ts";
import type { Flat } from "../core.ts";
import type { ValueType } from "../types.ts";
import type { AddressType } from "./address.ts";
import { asyncCodec } from "./codec-async.ts";
import { listCodec, mapCodec, tupleCodec } from "./codec-compound.ts";
import { flagsCodec, primitiveCodec } from "./codec-primitive.ts";
import { recordCodec } from "./codec-record.ts";
import { hostResourceCodec, packetResourceCodec, rawResourceCodec } from "./codec-resource.ts";
import { stringCodecs } from "./codec-string.ts";
import { enumCodec, optionCodec, resultCodec, variantCodec } from "./codec-variant.ts";
import type { Context } from "./context.ts";
import { heldAlone, isHeldLarge } from "./held.ts";
import type { FlatType } from "./layout.ts";

export type { Flat } from "../core.ts";

/**
 * How values of one type cross the boundary. Lowering comes in two steps: `check` looks at the whole value and
 * runs no guest code; after it, `store` and `lower` may rely on the value's shape.
 */
// biome-ignore lint/suspicious/noExplicitAny: a codec is chosen by a type that only exists at run time
export interface Codec<Value = any> {
  readonly type: ValueType;
  readonly size: number;
  readonly align: number;
  /** Undefined when there are more than 16: such a value only ever goes through memory. */
  readonly flat: readonly FlatType[] | undefined;
  readonly check: (value: unknown, cx: Context) => boolean;
  /** Checks all values of a list, for types whose lists are long: a call for each costs as much as a field of it. */
  readonly checkAll?: (values: readonly unknown[], cx: Context) => boolean;
  readonly store: (cx: Context, value: Value, pointer: number) => void;
  /** Stores so many values in a row, all of which were kept when they were checked; for types that keep theirs. */
  readonly storeAll?: ((cx: Context, count: number, pointer: number) => void) | undefined;
  readonly load: (cx: Context, pointer: number) => Value;
  /** Writes as many core values as `flat` has. */
  readonly lower: (cx: Context, value: Value, out: Flat[], at: number) => void;
  readonly lift: (cx: Context, flat: readonly Flat[], at: number) => Value;
  /** The short way for types of one core value. */
  readonly single: Single<Value> | undefined;
}

/** Where a codec finds those of the types inside its own. */
export type CodecOf = (type: ValueType) => Codec;

export interface Single<Value> {
  readonly lower: (cx: Context, value: Value) => Flat;
  // biome-ignore lint/suspicious/noExplicitAny: a number or a bigint, as the flat type says
  readonly lift: (cx: Context, flat: any) => Value;
}

/**
 * Who is on the other side of the guest. Towards the `host`, resources are objects; between two guests (`raw`),
 * they stay the numbers or objects that their implementer knows them by; in a `packet` they are numbers that the
 * context's resources give and take.
 */
export type Side = "host" | "raw" | "packet";

const resourceCodecs = { host: hostResourceCodec, raw: rawResourceCodec, packet: packetResourceCodec };

/** Builds codecs and keeps them by type object. */
export class Codecs {
  readonly side: Side;
  /** Of the guest's memory. */
  readonly address: AddressType;
  readonly #codecs = new Map<ValueType, Codec>();
  /** How many store routines these codecs may ask of a context. */
  #routines = 0;

  constructor(side: Side, address: AddressType = "i32") {
    this.side = side;
    this.address = address;
  }

  of(type: ValueType): Codec {
    let codec = this.#codecs.get(type);
    if (codec === undefined) {
      codec = counted(this.#build(type));
      this.#codecs.set(type, codec);
    }
    return codec;
  }

  #build(type: ValueType): Codec {
    const { address } = this;
    const of = (inner: ValueType) => this.of(inner);
    switch (type.kind) {
      case "record":
        return recordCodec(type, of, { side: this.side, address, nextRoutine: () => this.#routines++ });
      case "tuple":
        return tupleCodec(type, of, address);
      case "list":
        return listCodec(type, of, address);
      case "map":
        // Between guests a map is the list of its pairs, as in their memories: none is dropped on the way.
        return this.side === "raw"
          ? of({
              kind: "list",
              element: { kind: "tuple", elements: [type.key, type.value] },
              length: undefined,
            })
          : mapCodec(type, of, address);
      case "variant":
        return variantCodec(type, of, address);
      case "option":
        return optionCodec(type, of, address);
      case "result":
        return resultCodec(type, of, address);
      case "enum":
        return enumCodec(type);
      case "flags":
        return flagsCodec(type);
      case "own":
      case "borrow":
        return resourceCodecs[this.side](type);
      case "stream":
      case "future":
        return asyncCodec(type, this.side);
      case "error-context":
        return asyncCodec({ kind: type.kind }, this.side);
      case "bool":
      case "s8":
      case "u8":
      case "s16":
      case "u16":
      case "s32":
      case "u32":
      case "s64":
      case "u64":
      case "f32":
      case "f64":
      case "char":
        return primitiveCodec(type.kind);
      case "string":
        return stringCodecs[address];
      default:
        return unreachable(type);
    }
  }
}

/**
 * Large values are counted by themselves, wherever they are: a guest needs no list to hand over a million parts, and a
 * memory that was never written has the bytes for them.
 */
function counted(codec: Codec): Codec {
  const { type, load, store } = codec;
  if (!isHeldLarge(type)) return codec;
  const bytes = heldAlone(type);
  return {
    ...codec,
    load: (cx, pointer) => {
      cx.spendLift(bytes);
      cx.pace(bytes);
      return load(cx, pointer);
    },
    store: (cx, value, pointer) => {
      cx.pace(bytes);
      store(cx, value, pointer);
    },
  };
}
