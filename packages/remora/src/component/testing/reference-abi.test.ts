/**
 * A second implementation of lifting and lowering, written from CanonicalABI.md section by section and for
 * nothing but likeness to it: values are variants `{ case, payload }` and records as lists, memory is read byte by
 * byte. The tests hold the fast one against it.
 */

import { camelCase } from "../names.ts";
import type { ValueType } from "../types.ts";

/** "Despecialization": tuples, options and so on are records and variants; a case or field without a type has none. */
type Plain =
  | { kind: "record"; fields: ValueType[] }
  | { kind: "variant"; cases: (ValueType | undefined)[] }
  | { kind: "other"; type: ValueType };

function despecialize(type: ValueType): Plain {
  switch (type.kind) {
    case "record":
      return { kind: "record", fields: type.fields.map((field) => field.type) };
    case "tuple":
      return { kind: "record", fields: [...type.elements] };
    case "variant":
      return { kind: "variant", cases: type.cases.map((entry) => entry.type) };
    case "enum":
      return { kind: "variant", cases: type.names.map(() => undefined) };
    case "option":
      return { kind: "variant", cases: [undefined, type.some] };
    case "result":
      return { kind: "variant", cases: [type.ok, type.err] };
    case "map":
      return {
        kind: "other",
        type: {
          kind: "list",
          element: { kind: "tuple", elements: [type.key, type.value] },
          length: undefined,
        },
      };
    default:
      return { kind: "other", type };
  }
}

type Case = { case: number; payload: unknown };

/** A value of TypeScript as the specification has it. */
export function toPlain(type: ValueType, value: unknown): unknown {
  switch (type.kind) {
    case "record":
      return type.fields.map((field) =>
        toPlain(field.type, (value as Record<string, unknown>)[camelCase(field.name)]),
      );
    case "tuple":
      return type.elements.map((element, index) => toPlain(element, (value as unknown[])[index]));
    case "variant": {
      const { tag, val } = value as { tag: string; val?: unknown };
      const index = type.cases.findIndex((entry) => entry.name === tag);
      const payload = type.cases[index]?.type;
      return { case: index, payload: payload && toPlain(payload, val) };
    }
    case "enum":
      return { case: type.names.indexOf(value as string), payload: undefined };
    case "option": {
      const isNested = type.some.kind === "option";
      const isSome = isNested ? (value as { tag: string }).tag === "some" : value !== undefined;
      if (!isSome) return { case: 0, payload: undefined };
      return { case: 1, payload: toPlain(type.some, isNested ? (value as { val: unknown }).val : value) };
    }
    case "result": {
      const { tag, val } = value as { tag: "ok" | "err"; val?: unknown };
      const payload = type[tag];
      return { case: tag === "ok" ? 0 : 1, payload: payload && toPlain(payload, val) };
    }
    case "flags":
      return type.names.map((name) => (value as Record<string, boolean>)[camelCase(name)] === true);
    case "list":
      return Array.from(value as ArrayLike<unknown>, (element) => toPlain(type.element, element));
    case "map":
      return Array.from(value as Map<unknown, unknown>, ([key, entry]) => [
        toPlain(type.key, key),
        toPlain(type.value, entry),
      ]);
    case "string":
      return (value as string).toWellFormed();
    case "f32":
      return Math.fround(value as number);
    default:
      return value;
  }
}

export type FlatType = "i32" | "i64" | "f32" | "f64";

/** Bytes of a pointer: "ptr_size". */
export type PointerSize = 4 | 8;

/** "Alignment" */
export function alignment(type: ValueType, ptr: PointerSize): number {
  const plain = despecialize(type);
  if (plain.kind === "record") return Math.max(1, ...plain.fields.map((field) => alignment(field, ptr)));
  if (plain.kind === "variant")
    return Math.max(discriminantSize(plain.cases.length), maxCaseAlignment(plain.cases, ptr));
  switch (plain.type.kind) {
    case "bool":
    case "s8":
    case "u8":
      return 1;
    case "s16":
    case "u16":
      return 2;
    case "s64":
    case "u64":
    case "f64":
      return 8;
    case "list":
      return plain.type.length === undefined ? ptr : alignment(plain.type.element, ptr);
    case "string":
      return ptr;
    case "flags":
      return plain.type.names.length <= 8 ? 1 : plain.type.names.length <= 16 ? 2 : 4;
    default:
      return 4;
  }
}

function discriminantSize(count: number): number {
  return [1, 1, 2, 4][Math.ceil(Math.log2(count) / 8)] ?? 4;
}

function maxCaseAlignment(cases: (ValueType | undefined)[], ptr: PointerSize): number {
  return Math.max(1, ...cases.map((type) => (type === undefined ? 1 : alignment(type, ptr))));
}

function alignTo(pointer: number, align: number): number {
  return Math.ceil(pointer / align) * align;
}

/** "Element Size" */
export function elementSize(type: ValueType, ptr: PointerSize): number {
  const plain = despecialize(type);
  if (plain.kind === "record") {
    let size = 0;
    for (const field of plain.fields) size = alignTo(size, alignment(field, ptr)) + elementSize(field, ptr);
    return alignTo(size, alignment(type, ptr));
  }
  if (plain.kind === "variant") {
    const payload = Math.max(
      0,
      ...plain.cases.map((entry) => (entry === undefined ? 0 : elementSize(entry, ptr))),
    );
    const start = alignTo(discriminantSize(plain.cases.length), maxCaseAlignment(plain.cases, ptr));
    return alignTo(start + payload, alignment(type, ptr));
  }
  const { type: other } = plain;
  if (other.kind === "list" && other.length !== undefined)
    return other.length * elementSize(other.element, ptr);
  return other.kind === "string" || other.kind === "list" ? 2 * ptr : alignment(other, ptr);
}

/** "Flattening" */
export function flattenType(type: ValueType, ptr: PointerSize): FlatType[] {
  const pointer = ptr === 4 ? "i32" : "i64";
  const plain = despecialize(type);
  if (plain.kind === "record") return plain.fields.flatMap((field) => flattenType(field, ptr));
  if (plain.kind === "variant") {
    const flat: FlatType[] = [];
    for (const entry of plain.cases) {
      if (entry === undefined) continue;
      flattenType(entry, ptr).forEach((one, index) => {
        const other = flat[index];
        flat[index] = other === undefined || other === one ? one : join(other, one);
      });
    }
    return ["i32", ...flat];
  }
  switch (plain.type.kind) {
    case "s64":
    case "u64":
      return ["i64"];
    case "f32":
    case "f64":
      return [plain.type.kind];
    case "string":
      return [pointer, pointer];
    case "list": {
      const { length, element } = plain.type;
      return length === undefined
        ? [pointer, pointer]
        : Array.from({ length }, () => flattenType(element, ptr)).flat();
    }
    default:
      return ["i32"];
  }
}

function join(a: FlatType, b: FlatType): FlatType {
  return (a === "i32" && b === "f32") || (a === "f32" && b === "i32") ? "i32" : "i64";
}

/** A memory with an allocator that only goes up. */
export class ReferenceMemory {
  readonly bytes = new Uint8Array(1 << 20);
  readonly ptr: PointerSize;
  #top = 8;

  constructor(ptr: PointerSize = 4) {
    this.ptr = ptr;
  }

  allocate(align: number, size: number): number {
    const pointer = alignTo(this.#top, align);
    this.#top = pointer + size;
    if (this.#top > this.bytes.length) throw new Error("the reference memory is full");
    return pointer;
  }

  readInteger(pointer: number, size: number): bigint {
    let value = 0n;
    for (let index = size - 1; index >= 0; index--)
      value = (value << 8n) | BigInt(this.bytes[pointer + index] ?? 0);
    return value;
  }

  writeInteger(value: bigint, pointer: number, size: number): void {
    for (let index = 0; index < size; index++) {
      this.bytes[pointer + index] = Number((BigInt.asUintN(64, value) >> BigInt(8 * index)) & 0xffn);
    }
  }
}

const integerSizes = { s8: 1, u8: 1, s16: 2, u16: 2, s32: 4, u32: 4, s64: 8, u64: 8 } as const;

function isInteger(kind: string): kind is keyof typeof integerSizes {
  return kind in integerSizes;
}

function bitsOf(value: number, size: 4 | 8): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (size === 4) view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return size === 4 ? BigInt(view.getUint32(0)) : view.getBigUint64(0);
}

function floatOf(bits: bigint, size: 4 | 8): number {
  const view = new DataView(new ArrayBuffer(8));
  if (size === 4) view.setUint32(0, Number(bits));
  else view.setBigUint64(0, bits);
  return size === 4 ? view.getFloat32(0) : view.getFloat64(0);
}

/** "Storing", for UTF-8 */
export function store(memory: ReferenceMemory, value: unknown, type: ValueType, pointer: number): void {
  const plain = despecialize(type);
  if (plain.kind === "record") {
    let at = pointer;
    plain.fields.forEach((field, index) => {
      at = alignTo(at, alignment(field, memory.ptr));
      store(memory, (value as unknown[])[index], field, at);
      at += elementSize(field, memory.ptr);
    });
    return;
  }
  if (plain.kind === "variant") {
    const { case: index, payload } = value as Case;
    const size = discriminantSize(plain.cases.length);
    memory.writeInteger(BigInt(index), pointer, size);
    const entry = plain.cases[index];
    if (entry !== undefined)
      store(memory, payload, entry, pointer + alignTo(size, maxCaseAlignment(plain.cases, memory.ptr)));
    return;
  }
  const { type: other } = plain;
  if (isInteger(other.kind)) {
    memory.writeInteger(BigInt(value as number | bigint), pointer, integerSizes[other.kind]);
    return;
  }
  switch (other.kind) {
    case "bool":
      memory.writeInteger(value === true ? 1n : 0n, pointer, 1);
      return;
    case "f32":
      memory.writeInteger(bitsOf(value as number, 4), pointer, 4);
      return;
    case "f64":
      memory.writeInteger(bitsOf(value as number, 8), pointer, 8);
      return;
    case "char":
      memory.writeInteger(BigInt((value as string).codePointAt(0) ?? 0), pointer, 4);
      return;
    case "flags":
      memory.writeInteger(packFlags(value as boolean[]), pointer, elementSize(other, memory.ptr));
      return;
    case "list":
      if (other.length !== undefined) {
        storeElements(memory, value as unknown[], other.element, pointer);
        return;
      }
      storePair(memory, storeIntoRange(memory, value, other), pointer);
      return;
    case "string":
      storePair(memory, storeIntoRange(memory, value, other), pointer);
      return;
    default:
      throw new Error(`not in the reference: ${other.kind}`);
  }
}

function packFlags(flags: boolean[]): bigint {
  return flags.reduce((bits, flag, index) => (flag ? bits | (1n << BigInt(index)) : bits), 0n);
}

function storePair(memory: ReferenceMemory, [begin, length]: [number, number], pointer: number): void {
  memory.writeInteger(BigInt(begin), pointer, memory.ptr);
  memory.writeInteger(BigInt(length), pointer + memory.ptr, memory.ptr);
}

function storeElements(
  memory: ReferenceMemory,
  values: unknown[],
  element: ValueType,
  pointer: number,
): void {
  for (const [index, value] of values.entries()) {
    store(memory, value, element, pointer + index * elementSize(element, memory.ptr));
  }
}

function storeIntoRange(memory: ReferenceMemory, value: unknown, type: ValueType): [number, number] {
  if (type.kind === "list") {
    const values = value as unknown[];
    const pointer = memory.allocate(
      alignment(type.element, memory.ptr),
      values.length * elementSize(type.element, memory.ptr),
    );
    storeElements(memory, values, type.element, pointer);
    return [pointer, values.length];
  }
  const encoded = new TextEncoder().encode(value as string);
  const pointer = memory.allocate(1, encoded.length);
  memory.bytes.set(encoded, pointer);
  return [pointer, encoded.length];
}

/** "Loading", for UTF-8 */
export function load(memory: ReferenceMemory, pointer: number, type: ValueType): unknown {
  const plain = despecialize(type);
  if (plain.kind === "record") {
    let at = pointer;
    return plain.fields.map((field) => {
      at = alignTo(at, alignment(field, memory.ptr));
      const value = load(memory, at, field);
      at += elementSize(field, memory.ptr);
      return value;
    });
  }
  if (plain.kind === "variant") {
    const size = discriminantSize(plain.cases.length);
    const index = Number(memory.readInteger(pointer, size));
    const entry = plain.cases[index];
    const at = pointer + alignTo(size, maxCaseAlignment(plain.cases, memory.ptr));
    return { case: index, payload: entry && load(memory, at, entry) };
  }
  const { type: other } = plain;
  const word = (at: number) => Number(memory.readInteger(at, memory.ptr));
  if (isInteger(other.kind))
    return liftInteger(memory.readInteger(pointer, integerSizes[other.kind]), other.kind);
  switch (other.kind) {
    case "bool":
      return memory.readInteger(pointer, 1) !== 0n;
    case "f32":
      return floatOf(memory.readInteger(pointer, 4), 4);
    case "f64":
      return floatOf(memory.readInteger(pointer, 8), 8);
    case "char":
      return String.fromCodePoint(Number(memory.readInteger(pointer, 4)));
    case "flags": {
      const bits = memory.readInteger(pointer, elementSize(other, memory.ptr));
      return other.names.map((_, index) => ((bits >> BigInt(index)) & 1n) === 1n);
    }
    case "string":
      return loadRange(memory, word(pointer), word(pointer + memory.ptr), other);
    case "list":
      if (other.length !== undefined) return loadRange(memory, pointer, other.length, other);
      return loadRange(memory, word(pointer), word(pointer + memory.ptr), other);
    default:
      throw new Error(`not in the reference: ${other.kind}`);
  }
}

function loadRange(memory: ReferenceMemory, pointer: number, length: number, type: ValueType): unknown {
  if (type.kind === "list") {
    const { element } = type;
    return Array.from({ length }, (_, index) =>
      load(memory, pointer + index * elementSize(element, memory.ptr), element),
    );
  }
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    memory.bytes.subarray(pointer, pointer + length),
  );
}

function liftInteger(bits: bigint, kind: keyof typeof integerSizes): number | bigint {
  const width = 8 * integerSizes[kind];
  const value = kind.startsWith("s") ? BigInt.asIntN(width, bits) : BigInt.asUintN(width, bits);
  return width === 64 ? value : Number(value);
}

/** A core value as its bits, so that signs do not matter. */
export type FlatValue = { type: FlatType; bits: bigint };

/** "Flat Lowering" */
export function lowerFlat(memory: ReferenceMemory, value: unknown, type: ValueType): FlatValue[] {
  const plain = despecialize(type);
  if (plain.kind === "record") {
    return plain.fields.flatMap((field, index) => lowerFlat(memory, (value as unknown[])[index], field));
  }
  if (plain.kind === "variant") {
    const { case: index, payload } = value as Case;
    const [, ...joined] = flattenType(type, memory.ptr);
    const entry = plain.cases[index];
    const own = entry === undefined ? [] : lowerFlat(memory, payload, entry);
    return [
      { type: "i32", bits: BigInt(index) },
      ...joined.map((want, at): FlatValue => ({ type: want, bits: own[at]?.bits ?? 0n })),
    ];
  }
  const { type: other } = plain;
  const i32 = (bits: bigint): FlatValue => ({ type: "i32", bits: BigInt.asUintN(32, bits) });
  const pointer = (value: number): FlatValue => ({
    type: memory.ptr === 4 ? "i32" : "i64",
    bits: BigInt(value),
  });
  if (isInteger(other.kind)) {
    const bits = BigInt(value as number | bigint);
    return integerSizes[other.kind] === 8 ? [{ type: "i64", bits: BigInt.asUintN(64, bits) }] : [i32(bits)];
  }
  switch (other.kind) {
    case "bool":
      return [i32(value === true ? 1n : 0n)];
    case "f32":
      return [{ type: "f32", bits: bitsOf(value as number, 4) }];
    case "f64":
      return [{ type: "f64", bits: bitsOf(value as number, 8) }];
    case "char":
      return [i32(BigInt((value as string).codePointAt(0) ?? 0))];
    case "flags":
      return [i32(packFlags(value as boolean[]))];
    case "list":
      if (other.length !== undefined) {
        return (value as unknown[]).flatMap((element) => lowerFlat(memory, element, other.element));
      }
      return storeIntoRange(memory, value, other).map(pointer);
    case "string":
      return storeIntoRange(memory, value, other).map(pointer);
    default:
      throw new Error(`not in the reference: ${other.kind}`);
  }
}

/** "Flat Lifting"; takes the values that it reads off the front. */
export function liftFlat(memory: ReferenceMemory, values: FlatValue[], type: ValueType): unknown {
  const plain = despecialize(type);
  const next = () => values.shift()?.bits ?? 0n;
  if (plain.kind === "record") return plain.fields.map((field) => liftFlat(memory, values, field));
  if (plain.kind === "variant") {
    const index = Number(next());
    const payload = values.splice(0, flattenType(type, memory.ptr).length - 1);
    const entry = plain.cases[index];
    if (entry === undefined) return { case: index, payload: undefined };
    const own = flattenType(entry, memory.ptr).map((want, at): FlatValue => {
      const bits = payload[at]?.bits ?? 0n;
      return { type: want, bits: want === "i32" || want === "f32" ? BigInt.asUintN(32, bits) : bits };
    });
    return { case: index, payload: liftFlat(memory, own, entry) };
  }
  const { type: other } = plain;
  if (isInteger(other.kind)) return liftInteger(next(), other.kind);
  switch (other.kind) {
    case "bool":
      return next() !== 0n;
    case "f32":
      return floatOf(next(), 4);
    case "f64":
      return floatOf(next(), 8);
    case "char":
      return String.fromCodePoint(Number(next()));
    case "flags": {
      const bits = next();
      return other.names.map((_, index) => ((bits >> BigInt(index)) & 1n) === 1n);
    }
    case "list":
      if (other.length !== undefined) {
        return Array.from({ length: other.length }, () => liftFlat(memory, values, other.element));
      }
      return loadRange(memory, Number(next()), Number(next()), other);
    case "string":
      return loadRange(memory, Number(next()), Number(next()), other);
    default:
      throw new Error(`not in the reference: ${other.kind}`);
  }
}
