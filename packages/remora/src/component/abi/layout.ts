/**
 * How values lie in linear memory and how they are flattened into core values (CanonicalABI.md, "Alignment",
 * "Element Size", "Flattening"). All functions here are pure in the type and in what addresses are; those are `i32`
 * where nothing is said.
 */

import { unreachable } from "../../base/index.ts";
import type { FuncType, ValueType } from "../types.ts";
import { type AddressType, addressSizes } from "./address.ts";

export type FlatType = "i32" | "i64" | "f32" | "f64";

export const flatParamsMax = 16;
export const flatResultsMax = 1;

export interface Layout {
  readonly size: number;
  readonly align: number;
}

const primitiveSizes = {
  bool: 1,
  s8: 1,
  u8: 1,
  s16: 2,
  u16: 2,
  s32: 4,
  u32: 4,
  s64: 8,
  u64: 8,
  f32: 4,
  f64: 8,
  char: 4,
  own: 4,
  borrow: 4,
  stream: 4,
  future: 4,
  "error-context": 4,
} as const;

const layouts = { i32: new WeakMap<ValueType, Layout>(), i64: new WeakMap<ValueType, Layout>() };

/** Size and alignment in bytes. Sizes are kept per type object, so that shared types are measured once. */
export function layoutOf(type: ValueType, address: AddressType = "i32"): Layout {
  const kept = layouts[address].get(type);
  if (kept !== undefined) return kept;
  const layout = measure(type, address);
  layouts[address].set(type, layout);
  return layout;
}

/** An address and a length. */
const pairs = {
  i32: { size: 2 * addressSizes.i32, align: addressSizes.i32 },
  i64: { size: 2 * addressSizes.i64, align: addressSizes.i64 },
} as const;

function measure(type: ValueType, address: AddressType): Layout {
  switch (type.kind) {
    case "string":
    case "map":
      return pairs[address];
    case "list": {
      if (type.length === undefined) return pairs[address];
      const element = layoutOf(type.element, address);
      return { size: element.size * type.length, align: element.align };
    }
    case "record":
      return layoutOfFields(
        type.fields.map((field) => field.type),
        address,
      );
    case "tuple":
      return layoutOfFields(type.elements, address);
    case "variant":
    case "option":
    case "result":
    case "enum":
      return variantLayout(casesOf(type), address);
    case "flags": {
      const size = flagsSize(type.names.length);
      return { size, align: size };
    }
    default: {
      const size = primitiveSizes[type.kind];
      return { size, align: size };
    }
  }
}

/** A sequence of values as a tuple, such as spilled parameters. */
export function layoutOfFields(types: readonly ValueType[], address: AddressType = "i32"): Layout {
  let size = 0;
  let align = 1;
  for (const type of types) {
    const field = layoutOf(type, address);
    size = alignTo(size, field.align) + field.size;
    align = Math.max(align, field.align);
  }
  return { size: alignTo(size, align), align };
}

/** Where each value of a sequence begins. */
export function offsetsOf(types: readonly ValueType[], address: AddressType = "i32"): number[] {
  let size = 0;
  return types.map((type) => {
    const field = layoutOf(type, address);
    const offset = alignTo(size, field.align);
    size = offset + field.size;
    return offset;
  });
}

/** The payloads of anything that is a variant underneath, by case index. */
export function casesOf(
  type: Extract<ValueType, { kind: "variant" | "option" | "result" | "enum" }>,
): readonly (ValueType | undefined)[] {
  switch (type.kind) {
    case "variant":
      return type.cases.map((entry) => entry.type);
    case "option":
      return [undefined, type.some];
    case "result":
      return [type.ok, type.err];
    case "enum":
      return type.names.map(() => undefined);
    default:
      return unreachable(type);
  }
}

export function discriminantSize(caseCount: number): 1 | 2 | 4 {
  return caseCount <= 0x100 ? 1 : caseCount <= 0x10000 ? 2 : 4;
}

/** Where the payload of a variant begins: behind the discriminant, aligned for the most demanding case. */
export function payloadOffset(
  cases: readonly (ValueType | undefined)[],
  address: AddressType = "i32",
): number {
  let align = 1;
  for (const type of cases) if (type !== undefined) align = Math.max(align, layoutOf(type, address).align);
  return alignTo(discriminantSize(cases.length), align);
}

function variantLayout(cases: readonly (ValueType | undefined)[], address: AddressType): Layout {
  const discriminant = discriminantSize(cases.length);
  let size = 0;
  let align: number = discriminant;
  for (const type of cases) {
    if (type === undefined) continue;
    const payload = layoutOf(type, address);
    size = Math.max(size, payload.size);
    align = Math.max(align, payload.align);
  }
  return { size: alignTo(payloadOffset(cases, address) + size, align), align };
}

export function flagsSize(count: number): 1 | 2 | 4 {
  return count <= 8 ? 1 : count <= 16 ? 2 : 4;
}

export function alignTo(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}

type Flattened = WeakMap<ValueType, readonly FlatType[] | "many">;

const flattened: Readonly<Record<AddressType, Flattened>> = { i32: new WeakMap(), i64: new WeakMap() };

/**
 * The core values of a type, or undefined when there are more than `flatParamsMax`. Kept per type object: two
 * cases of one type in each of a hundred nested variants would otherwise be visited 2^100 times.
 */
export function flatten(type: ValueType, address: AddressType = "i32"): readonly FlatType[] | undefined {
  let kept = flattened[address].get(type);
  if (kept === undefined) {
    kept = flattenType(type, address) ?? "many";
    flattened[address].set(type, kept);
  }
  return kept === "many" ? undefined : kept;
}

export function flattenAll(
  types: readonly ValueType[],
  address: AddressType = "i32",
): readonly FlatType[] | undefined {
  const all: FlatType[] = [];
  for (const type of types) {
    const flat = flatten(type, address);
    if (flat === undefined || all.length + flat.length > flatParamsMax) return undefined;
    all.push(...flat);
  }
  return all;
}

function flattenType(type: ValueType, address: AddressType): readonly FlatType[] | undefined {
  switch (type.kind) {
    case "s64":
    case "u64":
      return ["i64"];
    case "f32":
    case "f64":
      return [type.kind];
    case "string":
    case "map":
      return [address, address];
    case "list":
      if (type.length === undefined) return [address, address];
      if (type.length > flatParamsMax) return undefined;
      return flattenAll(new Array<ValueType>(type.length).fill(type.element), address);
    case "record":
      return flattenAll(
        type.fields.map((field) => field.type),
        address,
      );
    case "tuple":
      return flattenAll(type.elements, address);
    case "variant":
    case "option":
    case "result":
    case "enum":
      return flattenCases(casesOf(type), address);
    default:
      return ["i32"];
  }
}

function flattenCases(
  cases: readonly (ValueType | undefined)[],
  address: AddressType,
): readonly FlatType[] | undefined {
  const payload: FlatType[] = [];
  for (const type of cases) {
    if (type === undefined) continue;
    const flat = flatten(type, address);
    if (flat === undefined || flat.length >= flatParamsMax) return undefined;
    flat.forEach((flatType, index) => {
      const other = payload[index];
      payload[index] = other === undefined ? flatType : join(other, flatType);
    });
  }
  return ["i32", ...payload];
}

/** One core type that can carry either of two. */
function join(a: FlatType, b: FlatType): FlatType {
  if (a === b) return a;
  if ((a === "i32" && b === "f32") || (a === "f32" && b === "i32")) return "i32";
  return "i64";
}

/** How a function crosses the boundary: which of its parameters and results go through memory. */
export interface FlatSignature {
  /** Core values of the parameters; undefined when they are spilled behind one pointer. */
  readonly params: readonly FlatType[] | undefined;
  /** The one core value of the result, none, or undefined when it goes through memory. */
  readonly results: readonly FlatType[] | undefined;
}

const signatures = {
  i32: new WeakMap<FuncType, FlatSignature>(),
  i64: new WeakMap<FuncType, FlatSignature>(),
};

export function flatSignature(type: FuncType, address: AddressType = "i32"): FlatSignature {
  let signature = signatures[address].get(type);
  if (signature === undefined) {
    signature = {
      params: flattenAll(
        type.params.map((param) => param.type),
        address,
      ),
      results: type.result === undefined ? [] : flatResult(type.result, address),
    };
    signatures[address].set(type, signature);
  }
  return signature;
}

function flatResult(type: ValueType, address: AddressType): readonly FlatType[] | undefined {
  const flat = flatten(type, address);
  return flat !== undefined && flat.length <= flatResultsMax ? flat : undefined;
}

/** The core function type that a lifted or lowered function has. */
export function coreSignature(
  type: FuncType,
  context: "lift" | "lower",
  address: AddressType = "i32",
): { readonly params: readonly FlatType[]; readonly results: readonly FlatType[] } {
  const flat = flatSignature(type, address);
  const params = flat.params ?? [address];
  if (flat.results !== undefined) return { params, results: flat.results };
  return context === "lift" ? { params, results: [address] } : { params: [...params, address], results: [] };
}
