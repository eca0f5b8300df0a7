/** Value, reference, heap and composite types (core specification §5.3.1 to §5.3.9). */

import { unreachable } from "../../base/index.ts";
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { DecodeLimits } from "../limits.ts";

export type NumberType = "i32" | "i64" | "f32" | "f64" | "v128";

/** An abstract heap type by name, or the index of a type. */
export type HeapType = AbstractHeapType | number;

export interface RefType {
  readonly isNullable: boolean;
  readonly heap: HeapType;
}

export type ValueType = NumberType | RefType;

export type StorageType = ValueType | "i8" | "i16";

export interface FieldType {
  readonly storage: StorageType;
  readonly isMutable: boolean;
}

export interface FuncType {
  readonly kind: "func";
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export type Composite =
  | FuncType
  | { readonly kind: "struct"; readonly fields: readonly FieldType[] }
  | { readonly kind: "array"; readonly element: FieldType };

const numberTypes: ReadonlyMap<number, NumberType> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
]);

const abstractHeaps = {
  noexn: 0x74,
  nofunc: 0x73,
  noextern: 0x72,
  none: 0x71,
  func: 0x70,
  extern: 0x6f,
  any: 0x6e,
  eq: 0x6d,
  i31: 0x6c,
  struct: 0x6b,
  array: 0x6a,
  exn: 0x69,
} as const;

export type AbstractHeapType = keyof typeof abstractHeaps;

const abstractHeapNames: ReadonlyMap<number, AbstractHeapType> = new Map(
  // The table's own keys.
  Object.entries(abstractHeaps).map(([name, code]) => [code, name as AbstractHeapType]),
);

const numberCodes: ReadonlyMap<NumberType, number> = new Map(
  [...numberTypes].map(([code, name]) => [name, code]),
);

const nullableRef = 0x63;
const plainRef = 0x64;

export const funcref: RefType = { isNullable: true, heap: "func" };

export function isRefType(type: StorageType): type is RefType {
  return typeof type === "object";
}

/** The generic heap types of the GC proposal, as opposed to those of reference types and exceptions. */
export function isGcHeap(heap: HeapType): boolean {
  return (
    typeof heap === "string" && heap !== "func" && heap !== "extern" && heap !== "exn" && heap !== "noexn"
  );
}

export function readValueType(reader: ByteReader): ValueType {
  const number = numberTypes.get(reader.peek() ?? -1);
  if (number === undefined) return readRefType(reader);
  reader.byte();
  return number;
}

export function readRefType(reader: ByteReader): RefType {
  const offset = reader.position;
  const code = reader.byte("a type");
  if (code === nullableRef || code === plainRef) {
    return { isNullable: code === nullableRef, heap: readHeapType(reader) };
  }
  const heap = abstractHeapNames.get(code);
  if (heap === undefined) throw malformedType(offset, code);
  return { isNullable: true, heap };
}

export function readHeapType(reader: ByteReader): HeapType {
  const offset = reader.position;
  const value = reader.s33("a heap type");
  if (value >= 0) return value;
  // An abstract heap type is one byte, which as a signed LEB128 is its code less 0x80.
  const heap = reader.position === offset + 1 ? abstractHeapNames.get(value + 0x80) : undefined;
  if (heap === undefined) throw malformedType(offset, reader.bytes[offset] ?? 0);
  return heap;
}

export function readComposite(reader: ByteReader, limits: DecodeLimits): Composite {
  const offset = reader.position;
  const code = reader.byte("a type");
  if (code === 0x60) {
    const parameters = readValueTypes(reader, "parameters", limits.parameters);
    return { kind: "func", parameters, results: readValueTypes(reader, "results", limits.results) };
  }
  if (code === 0x5f) {
    const count = reader.count("fields", { max: limits.structFields, itemBytesMin: 2 });
    return { kind: "struct", fields: Array.from({ length: count }, () => readField(reader)) };
  }
  if (code === 0x5e) return { kind: "array", element: readField(reader) };
  throw wasmErrors.malformed({ offset, what: "a type", found: code, allowed: "0x60, 0x5f or 0x5e" });
}

function readValueTypes(reader: ByteReader, what: string, max: number): ValueType[] {
  const count = reader.count(what, { max });
  return Array.from({ length: count }, () => readValueType(reader));
}

function readField(reader: ByteReader): FieldType {
  const storage = readStorage(reader);
  return { storage, isMutable: readMutability(reader) };
}

function readStorage(reader: ByteReader): StorageType {
  const code = reader.peek();
  if (code !== 0x78 && code !== 0x77) return readValueType(reader);
  reader.byte();
  return code === 0x78 ? "i8" : "i16";
}

export function readMutability(reader: ByteReader): boolean {
  const offset = reader.position;
  const flag = reader.byte("a mutability");
  if (flag > 1) throw wasmErrors.malformed({ offset, what: "a mutability", found: flag, allowed: "0 or 1" });
  return flag === 1;
}

export function writeValueType(writer: ByteWriter, type: ValueType): void {
  if (isRefType(type)) writeRefType(writer, type);
  else writer.byte(numberCodes.get(type) ?? 0);
}

export function writeRefType(writer: ByteWriter, type: RefType): void {
  if (type.isNullable && typeof type.heap === "string") {
    writer.byte(abstractHeaps[type.heap]);
    return;
  }
  writer.byte(type.isNullable ? nullableRef : plainRef);
  writeHeapType(writer, type.heap);
}

export function writeHeapType(writer: ByteWriter, heap: HeapType): void {
  if (typeof heap === "string") writer.byte(abstractHeaps[heap]);
  else writer.s32(heap);
}

export function writeComposite(writer: ByteWriter, type: Composite): void {
  switch (type.kind) {
    case "func":
      writer.byte(0x60).vector(type.parameters, writeValueType).vector(type.results, writeValueType);
      return;
    case "struct":
      writer.byte(0x5f).vector(type.fields, writeField);
      return;
    case "array":
      writer.byte(0x5e);
      writeField(writer, type.element);
      return;
    default:
      unreachable(type);
  }
}

function writeField(writer: ByteWriter, field: FieldType): void {
  if (field.storage === "i8" || field.storage === "i16") writer.byte(field.storage === "i8" ? 0x78 : 0x77);
  else writeValueType(writer, field.storage);
  writer.byte(field.isMutable ? 1 : 0);
}

/** As in the text format: `i32`, `funcref`, `(ref null 3)`. */
export function formatStorageType(type: StorageType): string {
  if (!isRefType(type)) return type;
  if (!type.isNullable) return `(ref ${type.heap})`;
  if (typeof type.heap === "number") return `(ref null ${type.heap})`;
  return shorthands[type.heap] ?? `${type.heap}ref`;
}

const shorthands: Partial<Record<AbstractHeapType, string>> = {
  none: "nullref",
  nofunc: "nullfuncref",
  noextern: "nullexternref",
  noexn: "nullexnref",
};

function malformedType(offset: number, found: number) {
  const allowed = "a number type (0x7b to 0x7f), a reference type or a type index";
  return wasmErrors.malformed({ offset, what: "a type", found: `0x${found.toString(16)}`, allowed });
}
