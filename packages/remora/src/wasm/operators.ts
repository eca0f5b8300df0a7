/** Reads operators one by one, with their immediates: for printing, listing and checking, not for speed. */

import type { ByteReader } from "./byte-reader.ts";
import { wasmErrors } from "./errors.ts";
import type { DecodeLimits } from "./limits.ts";
import {
  firstPrefix,
  Immediate,
  type ImmediateName,
  lastPrefix,
  operators,
  prefixPageSizes,
  prefixPages,
} from "./opcodes.ts";
import {
  type HeapType,
  type RefType,
  readHeapType,
  readValueType,
  type ValueType,
} from "./sections/value-types.ts";

export type BlockType =
  | { readonly kind: "empty" }
  | { readonly kind: "value"; readonly type: ValueType }
  | { readonly kind: "type"; readonly type: number };

export interface MemArg {
  /** Exponent of the alignment. */
  readonly align: number;
  readonly offset: bigint;
  readonly memory: number;
}

export interface CatchClause {
  readonly kind: "catch" | "catch_ref" | "catch_all" | "catch_all_ref";
  readonly tag: number | undefined;
  readonly label: number;
}

/** What follows an opcode, by what it is. `indices` are in the order of the text format. */
export type Immediates =
  | { readonly kind: "none" }
  | { readonly kind: "block"; readonly type: BlockType }
  | { readonly kind: "indices"; readonly indices: readonly number[] }
  | { readonly kind: "labels"; readonly labels: readonly number[] }
  | { readonly kind: "memarg"; readonly memarg: MemArg; readonly lane: number | undefined }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "select"; readonly types: readonly ValueType[] }
  | { readonly kind: "heap"; readonly heap: HeapType }
  | { readonly kind: "tryTable"; readonly type: BlockType; readonly catches: readonly CatchClause[] }
  | { readonly kind: "castLabel"; readonly label: number; readonly from: RefType; readonly to: RefType };

/**
 * The index of the next operator in `operators`.
 * @throws wasm/unknown-opcode
 */
export function readOpcode(reader: ByteReader): number {
  const offset = reader.position;
  const byte = reader.byte("an opcode");
  if (byte < firstPrefix || byte > lastPrefix) {
    if (operators[byte] === undefined) throw unknownOpcode(offset, byte);
    return byte;
  }
  const number = reader.u32("an opcode");
  const page = byte - firstPrefix;
  const index = (prefixPages[page] ?? 0) + number;
  if (number >= (prefixPageSizes[page] ?? 0) || operators[index] === undefined) {
    throw unknownOpcode(offset, byte, number);
  }
  return index;
}

export function unknownOpcode(offset: number, byte: number, number?: number) {
  const opcode = `0x${byte.toString(16).padStart(2, "0")}${number === undefined ? "" : ` ${number}`}`;
  return wasmErrors["unknown-opcode"]({ offset, opcode });
}

/** Number of indices that an immediate of this kind is; the others have a form of their own. */
const indexCounts: Partial<Record<ImmediateName, number>> = {
  label: 1,
  func: 1,
  type: 1,
  local: 1,
  global: 1,
  table: 1,
  memory: 1,
  data: 1,
  elem: 1,
  tag: 1,
  indirect: 2,
  memoryMemory: 2,
  dataMemory: 2,
  elemTable: 2,
  tableTable: 2,
  typeField: 2,
  typeCount: 2,
  typeData: 2,
  typeElem: 2,
  typeType: 2,
};

const byteCounts: Partial<Record<ImmediateName, number>> = {
  f32: 4,
  f64: 8,
  v128: 16,
  lanes: 16,
  lane: 1,
  fence: 1,
};

export function readImmediates(reader: ByteReader, operatorIndex: number, limits: DecodeLimits): Immediates {
  const name = operators[operatorIndex]?.immediate ?? "none";
  const count = indexCounts[name];
  if (count !== undefined) {
    return { kind: "indices", indices: Array.from({ length: count }, () => reader.u32("an index")) };
  }
  const bytes = byteCounts[name];
  if (bytes !== undefined) return { kind: "bytes", bytes: reader.take(bytes, "an immediate") };
  switch (Immediate[name]) {
    case Immediate.block:
      return { kind: "block", type: readBlockType(reader) };
    case Immediate.labels:
      return { kind: "labels", labels: readLabels(reader, limits) };
    case Immediate.memarg:
      return { kind: "memarg", memarg: readMemArg(reader), lane: undefined };
    case Immediate.memargLane:
      return { kind: "memarg", memarg: readMemArg(reader), lane: reader.byte("a lane") };
    case Immediate.i32:
      return { kind: "integer", value: BigInt(reader.s32()) };
    case Immediate.i64:
      return { kind: "integer", value: reader.s64() };
    case Immediate.select:
      return { kind: "select", types: readSelectTypes(reader) };
    case Immediate.heap:
      return { kind: "heap", heap: readHeapType(reader) };
    case Immediate.tryTable:
      return { kind: "tryTable", type: readBlockType(reader), catches: readCatches(reader, limits) };
    case Immediate.castLabel:
      return readCastLabel(reader);
    default:
      return { kind: "none" };
  }
}

export function readBlockType(reader: ByteReader): BlockType {
  const byte = reader.peek();
  if (byte === 0x40) {
    reader.byte();
    return { kind: "empty" };
  }
  // A type index is a non-negative s33: its first byte has neither bit 6 alone, nor is it a type's code.
  if (byte !== undefined && byte >= 0x40 && byte < 0x80)
    return { kind: "value", type: readValueType(reader) };
  const offset = reader.position;
  const type = reader.s33("a block type");
  if (type < 0) throw wasmErrors.malformed({ offset, what: "a block type", found: type, allowed: "a type" });
  return { kind: "type", type };
}

function readLabels(reader: ByteReader, limits: DecodeLimits): number[] {
  const count = reader.count("labels", { max: limits.branchTableLabels });
  return Array.from({ length: count + 1 }, () => reader.u32("a label"));
}

// Multi-memory: bit 6 of the alignment says that a memory index follows.
const withMemory = 0x40;

function readMemArg(reader: ByteReader): MemArg {
  const flags = reader.u32("an alignment");
  const memory = flags & withMemory ? reader.u32("a memory index") : 0;
  return { align: flags & ~withMemory, memory, offset: reader.u64("an offset") };
}

function readSelectTypes(reader: ByteReader): ValueType[] {
  const offset = reader.position;
  const count = reader.u32("the number of types");
  if (count !== 1)
    throw wasmErrors.malformed({ offset, what: "the types of select", found: count, allowed: "1" });
  return [readValueType(reader)];
}

const catchKinds = ["catch", "catch_ref", "catch_all", "catch_all_ref"] as const;

function readCatches(reader: ByteReader, limits: DecodeLimits): CatchClause[] {
  const count = reader.count("catch clauses", { max: limits.branchTableLabels, itemBytesMin: 2 });
  return Array.from({ length: count }, () => {
    const offset = reader.position;
    const code = reader.byte("a catch clause");
    const kind = catchKinds[code];
    if (kind === undefined) {
      throw wasmErrors.malformed({ offset, what: "a catch clause", found: code, allowed: "0 to 3" });
    }
    const tag = code < 2 ? reader.u32("a tag index") : undefined;
    return { kind, tag, label: reader.u32("a label") };
  });
}

function readCastLabel(reader: ByteReader): Immediates {
  const offset = reader.position;
  const flags = reader.byte("cast flags");
  if (flags > 3) throw wasmErrors.malformed({ offset, what: "cast flags", found: flags, allowed: "0 to 3" });
  const label = reader.u32("a label");
  const from: RefType = { isNullable: (flags & 1) !== 0, heap: readHeapType(reader) };
  const to: RefType = { isNullable: (flags & 2) !== 0, heap: readHeapType(reader) };
  return { kind: "castLabel", label, from, to };
}
