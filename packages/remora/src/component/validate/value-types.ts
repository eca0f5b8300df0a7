/** What must hold of value types and function types on their own (Binary.md, notes on type definitions). */

import { componentErrors } from "../errors.ts";
import type { FuncType, ValueType } from "../types.ts";
import { isLabel } from "./extern-names.ts";

/** CanonicalABI.md, "Element Size": with 64-bit pointers, below 2^28. */
const sizeBytesMax = 2 ** 28;
const flagsMax = 32;
/** As wasm-tools has them: far beyond what is written by hand or generated. */
const paramsMax = 1_000;
const partsMax = 10_000;

function partCount(type: ValueType): number {
  switch (type.kind) {
    case "record":
      return type.fields.length;
    case "variant":
      return type.cases.length;
    case "tuple":
      return type.elements.length;
    case "flags":
    case "enum":
      return type.names.length;
    default:
      return 0;
  }
}

const keyKinds = new Set(["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "char", "string"]);

export function checkValueType(type: ValueType, offset: number): void {
  const fail = (what: string): never => {
    throw componentErrors.invalid({ what, offset });
  };
  if (partCount(type) > partsMax) {
    throw componentErrors.limit({ what: "fields, cases or names of one type", max: partsMax, offset });
  }
  switch (type.kind) {
    case "record":
      if (type.fields.length === 0) fail("a record without fields");
      checkLabels(
        type.fields.map((field) => field.name),
        "field",
        offset,
      );
      break;
    case "variant":
      if (type.cases.length === 0) fail("a variant without cases");
      checkLabels(
        type.cases.map((entry) => entry.name),
        "case",
        offset,
      );
      break;
    case "tuple":
      if (type.elements.length === 0) fail("a tuple without elements");
      break;
    case "flags":
      if (type.names.length === 0) fail("flags without names");
      if (type.names.length > flagsMax) fail(`${type.names.length} flags, at most ${flagsMax} are allowed`);
      checkLabels(type.names, "flag", offset);
      break;
    case "enum":
      if (type.names.length === 0) fail("an enum without cases");
      checkLabels(type.names, "enum case", offset);
      break;
    case "list":
      if (type.length === 0) fail("a list of fixed length 0");
      break;
    case "map":
      if (!keyKinds.has(type.key.kind)) fail(`a map with keys of type ${type.key.kind}`);
      break;
    case "stream":
    case "future":
      if (type.element !== undefined && containsBorrow(type.element))
        fail(`a ${type.kind} of borrowed handles`);
      if (type.kind === "stream" && type.element?.kind === "char") fail("a stream of char");
      break;
  }
  if (sizeWith64BitPointers(type).size >= sizeBytesMax) fail(`a value of ${sizeBytesMax} bytes or more`);
}

export function checkFuncType(type: FuncType, offset: number): void {
  if (type.params.length > paramsMax) {
    throw componentErrors.limit({ what: "parameters of one function", max: paramsMax, offset });
  }
  checkLabels(
    type.params.map((param) => param.name),
    "parameter",
    offset,
  );
  if (type.result !== undefined && containsBorrow(type.result)) {
    throw componentErrors.invalid({ what: "a borrowed handle in a result", offset });
  }
}

function checkLabels(names: readonly string[], what: string, offset: number): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (!isLabel(name))
      throw componentErrors.invalid({ what: `${what} "${name}" is not in kebab case`, offset });
    const key = name.toLowerCase();
    if (seen.has(key))
      throw componentErrors.invalid({ what: `${what} "${name}" conflicts with another one`, offset });
    seen.add(key);
  }
}

/** The types that stand directly inside a type. */
export function innerTypes(type: ValueType): readonly ValueType[] {
  const present = (inner: ValueType | undefined) => (inner === undefined ? [] : [inner]);
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => field.type);
    case "variant":
      return type.cases.flatMap((entry) => present(entry.type));
    case "tuple":
      return type.elements;
    case "list":
      return [type.element];
    case "map":
      return [type.key, type.value];
    case "option":
      return [type.some];
    case "result":
      return [...present(type.ok), ...present(type.err)];
    case "stream":
    case "future":
      return present(type.element);
    default:
      return [];
  }
}

const borrowing = new WeakMap<ValueType, boolean>();

export function containsBorrow(type: ValueType): boolean {
  let contains = borrowing.get(type);
  if (contains === undefined) {
    contains = type.kind === "borrow" || innerTypes(type).some(containsBorrow);
    borrowing.set(type, contains);
  }
  return contains;
}

/** Whether a value of it may lend a resource, of those that are asked for. Each type is looked into once. */
export function lends(
  type: ValueType,
  isAskedFor: (resource: number) => boolean,
  seen = new Set<ValueType>(),
): boolean {
  if (seen.has(type) || !containsBorrow(type)) return false;
  seen.add(type);
  if (type.kind === "borrow") return isAskedFor(type.resource.id);
  return innerTypes(type).some((inner) => lends(inner, isAskedFor, seen));
}

interface Size {
  readonly size: number;
  readonly align: number;
}

const sizes = new WeakMap<ValueType, Size>();

function sizeWith64BitPointers(type: ValueType): Size {
  let size = sizes.get(type);
  if (size === undefined) {
    size = measure(type);
    sizes.set(type, size);
  }
  return size;
}

const fixed: Readonly<Record<string, number>> = {
  bool: 1,
  s8: 1,
  u8: 1,
  s16: 2,
  u16: 2,
  s64: 8,
  u64: 8,
  f64: 8,
};

function measure(type: ValueType): Size {
  const up = (value: number, align: number) => Math.ceil(value / align) * align;
  const sequence = (types: readonly ValueType[]): Size => {
    let size = 0;
    let align = 1;
    for (const inner of types.map(sizeWith64BitPointers)) {
      size = up(size, inner.align) + inner.size;
      align = Math.max(align, inner.align);
    }
    return { size: up(size, align), align };
  };
  const oneOf = (count: number, types: readonly ValueType[]): Size => {
    const discriminant = count <= 0x100 ? 1 : count <= 0x10000 ? 2 : 4;
    const payloads = types.map(sizeWith64BitPointers);
    const align = Math.max(1, ...payloads.map((inner) => inner.align));
    const size = Math.max(0, ...payloads.map((inner) => inner.size));
    const whole = Math.max(discriminant, align);
    return { size: up(up(discriminant, align) + size, whole), align: whole };
  };
  switch (type.kind) {
    case "string":
    case "map":
      return { size: 16, align: 8 };
    case "list": {
      if (type.length === undefined) return { size: 16, align: 8 };
      const element = sizeWith64BitPointers(type.element);
      return { size: element.size * type.length, align: element.align };
    }
    case "record":
    case "tuple":
      return sequence(innerTypes(type));
    case "variant":
      return oneOf(type.cases.length, innerTypes(type));
    case "option":
    case "result":
      return oneOf(2, innerTypes(type));
    case "enum":
      return oneOf(type.names.length, []);
    case "flags": {
      const size = type.names.length <= 8 ? 1 : type.names.length <= 16 ? 2 : 4;
      return { size, align: size };
    }
    default: {
      const size = fixed[type.kind] ?? 4;
      return { size, align: size };
    }
  }
}
