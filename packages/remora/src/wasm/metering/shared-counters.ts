/**
 * Counters that all modules of an instance share are imported, and imported globals come before those that a module
 * defines: so the index of each of these moves. Everything else is still appended only.
 */

import { isRemoraError } from "../../base/index.ts";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { defaultDecodeLimits } from "../limits.ts";
import type { ConstExpr, DataSegment, ElementSegment, Export, Global, Import } from "../module.ts";
import { readImmediates, readOpcode } from "../operators.ts";
import { type CounterName, counterModule } from "./contract.ts";

/** Globals from index `first` on get an index that is larger by `by`. */
export interface GlobalMove {
  readonly first: number;
  readonly by: number;
}

export function importOfCounter(name: CounterName): Import {
  return {
    module: counterModule,
    name,
    type: { kind: "global", type: { value: "i32", isMutable: true } },
  };
}

export function moveExport(item: Export, move: GlobalMove): Export {
  return item.kind === "global" ? { ...item, index: moved(item.index, move) } : item;
}

export function moveGlobal(global: Global, move: GlobalMove): Global {
  return { ...global, init: moveExpr(global.init, move) };
}

export function moveData(segment: DataSegment, move: GlobalMove): DataSegment {
  const { active } = segment;
  return active === undefined
    ? segment
    : { ...segment, active: { ...active, offset: moveExpr(active.offset, move) } };
}

export function moveElement(segment: ElementSegment, move: GlobalMove): ElementSegment {
  const { mode, elements } = segment;
  const moveOne = (element: number | ConstExpr) =>
    typeof element === "number" ? element : moveExpr(element, move);
  return {
    ...segment,
    mode: mode.kind === "active" ? { ...mode, offset: moveExpr(mode.offset, move) } : mode,
    // Of one kind before and so of one kind after.
    elements: elements.map(moveOne) as ElementSegment["elements"],
  };
}

const globalGet = 0x23;

export function moveExpr(expr: ConstExpr, move: GlobalMove): ConstExpr {
  if (!refersTo(expr, move)) return expr;
  const reader = new ByteReader(expr.bytes);
  const writer = new ByteWriter(expr.bytes.length + 8);
  while (!reader.isAtEnd) {
    const start = reader.position;
    const opcode = readOpcode(reader);
    if (opcode === globalGet) writer.byte(globalGet).u32(moved(reader.u32(), move));
    else {
      readImmediates(reader, opcode, defaultDecodeLimits);
      writer.raw(expr.bytes.subarray(start, reader.position));
    }
  }
  return { ...expr, bytes: writer.finish(), globals: expr.globals.map((index) => moved(index, move)) };
}

/** Whether a constant expression names a global that moves: hardly any does. */
export function refersTo(expr: ConstExpr, { first }: GlobalMove): boolean {
  return expr.globals.some((index) => index >= first);
}

function moved(index: number, { first, by }: GlobalMove): number {
  return index < first ? index : index + by;
}

const nameOfGlobals = 7;

/** The content of a name section without the names of globals, whose indices do not fit any more (§7.4.1). */
export function withoutGlobalNames(names: Uint8Array): Uint8Array {
  const writer = new ByteWriter(names.length);
  const reader = new ByteReader(names);
  try {
    while (!reader.isAtEnd) {
      const start = reader.position;
      const id = reader.byte();
      reader.take(reader.u32());
      if (id !== nameOfGlobals) writer.raw(names.subarray(start, reader.position));
    }
  } catch (error) {
    // Of a malformed section V8 takes what stands before the fault, and so do we. Anything else is our mistake.
    if (!isRemoraError(error)) throw error;
  }
  return writer.finish();
}
