/** Random value types, and random values of them as TypeScript has them. */

import fc from "fast-check";
import { camelCase } from "../names.ts";
import type { PrimitiveKind, ValueType } from "../types.ts";

const primitives = [
  "bool",
  "s8",
  "u8",
  "s16",
  "u16",
  "s32",
  "u32",
  "s64",
  "u64",
  "f32",
  "f64",
  "char",
  "string",
] as const satisfies readonly PrimitiveKind[];

const keys = ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "char", "string"] as const;

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n-${index}`);
}

/** Types without handles; nested up to three deep. */
export const valueTypes: fc.Arbitrary<ValueType> = fc.letrec<{ type: ValueType }>((tie) => {
  const inner = tie("type");
  const maybe = fc.option(inner, { nil: undefined, freq: 2 });
  return {
    type: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom(...primitives).map((kind): ValueType => ({ kind })),
      fc.integer({ min: 1, max: 32 }).map((count): ValueType => ({ kind: "flags", names: names(count) })),
      fc
        .constantFrom(1, 2, 255, 256, 257, 300)
        .map((count): ValueType => ({ kind: "enum", names: names(count) })),
      fc.array(inner, { minLength: 1, maxLength: 5 }).map(
        (types): ValueType => ({
          kind: "record",
          fields: types.map((type, index) => ({ name: `field-${index}`, type })),
        }),
      ),
      fc
        .array(inner, { minLength: 1, maxLength: 4 })
        .map((elements): ValueType => ({ kind: "tuple", elements })),
      fc.array(maybe, { minLength: 1, maxLength: 4 }).map(
        (types): ValueType => ({
          kind: "variant",
          cases: types.map((type, index) => ({ name: `case-${index}`, type })),
        }),
      ),
      inner.map((some): ValueType => ({ kind: "option", some })),
      fc.tuple(maybe, maybe).map(([ok, err]): ValueType => ({ kind: "result", ok, err })),
      fc
        .tuple(inner, fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 4 }))
        .map(([element, length]): ValueType => ({ kind: "list", element, length })),
      fc
        .tuple(fc.constantFrom(...keys), inner)
        .map(([kind, value]): ValueType => ({ kind: "map", key: { kind }, value })),
    ),
  };
}).type;

const characters = fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }));

const typedArrays: Readonly<Record<string, { from(values: never[]): unknown }>> = {
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
};

export function valuesOf(type: ValueType): fc.Arbitrary<unknown> {
  const integer = (bits: number, isSigned: boolean) =>
    isSigned
      ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
      : fc.integer({ min: 0, max: 2 ** bits - 1 });
  switch (type.kind) {
    case "bool":
      return fc.boolean();
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return integer(Number(type.kind.slice(1)), type.kind.startsWith("s"));
    case "s64":
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case "u64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "f32":
      return fc.float();
    case "f64":
      return fc.double();
    case "char":
      return characters.map((code) => String.fromCodePoint(code));
    case "string":
      return fc.oneof(
        fc.string({ unit: "binary-ascii", maxLength: 60 }),
        fc.string({ unit: "binary", maxLength: 60 }),
      );
    case "flags":
      return fc.record(Object.fromEntries(type.names.map((name) => [camelCase(name), fc.boolean()])));
    case "enum":
      return fc.constantFrom(...type.names);
    case "record":
      return fc.record(
        Object.fromEntries(type.fields.map((field) => [camelCase(field.name), valuesOf(field.type)])),
      );
    case "tuple":
      return fc.tuple(...type.elements.map(valuesOf));
    case "variant":
      return fc.oneof(...type.cases.map((entry) => tagged(entry.name, entry.type)));
    case "result":
      return fc.oneof(tagged("ok", type.ok), tagged("err", type.err));
    case "option":
      if (type.some.kind === "option") return fc.oneof(tagged("none", undefined), tagged("some", type.some));
      return fc.option(valuesOf(type.some), { nil: undefined });
    case "list": {
      const { length } = type;
      const array = fc.array(
        valuesOf(type.element),
        length === undefined ? { maxLength: 5 } : { minLength: length, maxLength: length },
      );
      const typed = typedArrays[type.element.kind];
      // The elements are of the kind that the array takes.
      return typed === undefined ? array : array.map((values) => typed.from(values as never[]));
    }
    case "map":
      return fc
        .array(fc.tuple(valuesOf(type.key), valuesOf(type.value)), { maxLength: 4 })
        .map((entries) => new Map(entries));
    default:
      throw new Error(`no values of ${type.kind}`);
  }
}

function tagged(tag: string, type: ValueType | undefined): fc.Arbitrary<unknown> {
  return type === undefined ? fc.constant({ tag }) : valuesOf(type).map((val) => ({ tag, val }));
}

/** A type with a value of it. */
export const typedValues = valueTypes.chain((type) => valuesOf(type).map((value) => ({ type, value })));
