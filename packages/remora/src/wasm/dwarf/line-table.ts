/**
 * The lines of a module that was compiled with debug information: section `.debug_line`, DWARF 2 to 5. Addresses in
 * it count from the start of the code section's content (tool conventions, "DWARF for WebAssembly"). Nothing
 * depends on it being right: a malformed unit is left out.
 */

import { isRemoraError } from "../../base/index.ts";
import { ByteReader } from "../byte-reader.ts";
import { findSection } from "../decode.ts";
import type { Module } from "../module.ts";
import { readLineUnit } from "./line-program.ts";

export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; 0 when the table does not say. */
  readonly column: number;
}

export interface LineTable {
  /** The line of the operator at this byte offset of the module. */
  at(offset: number): SourceLine | undefined;
}

/** A range of addresses with one line. */
export interface LineRow extends SourceLine {
  readonly address: number;
  /** True for the address behind the last of a sequence, which has no line. */
  readonly isEnd: boolean;
}

// A row takes at least one byte of the table; this bounds what a small table can make of `special` opcodes.
const rowsMax = 5_000_000;

export function lineTable(module: Module): LineTable {
  const code = findSection(module, "code")?.source?.contentStart;
  const section = customSection(module, ".debug_line");
  if (code === undefined || section === undefined) return { at: () => undefined };
  const rows = readRows(section, {
    lineStrings: customSection(module, ".debug_line_str"),
    strings: customSection(module, ".debug_str"),
  });
  // Stable: the rows of one sequence ascend already, and an end comes before the next beginning.
  rows.sort((a, b) => a.address - b.address || Number(b.isEnd) - Number(a.isEnd));
  return { at: (offset) => rowAt(rows, offset - code) };
}

function readRows(bytes: Uint8Array, strings: StringSections): LineRow[] {
  const rows: LineRow[] = [];
  const reader = new ByteReader(bytes);
  try {
    while (!reader.isAtEnd && rows.length < rowsMax) {
      const unitLength = u32At(reader.take(4, "a unit's length"), 0);
      // 0xffffffff announces 64-bit DWARF, which wasm32 tools do not write.
      if (unitLength >= 0xfffffff0) return rows;
      readUnit(reader.part(unitLength, "a line number unit"), strings, rows);
    }
  } catch (error) {
    // Documented above: what was read so far is the table. Anything but a coded error is our mistake.
    if (!isRemoraError(error)) throw error;
  }
  return rows;
}

function readUnit(unit: ByteReader, strings: StringSections, rows: LineRow[]): void {
  const before = rows.length;
  try {
    readLineUnit(unit, strings, rows, rowsMax);
  } catch (error) {
    // A malformed unit is left out, as documented; the next one starts where this one says.
    if (!isRemoraError(error)) throw error;
    rows.length = before;
  }
}

export interface StringSections {
  readonly lineStrings: Uint8Array | undefined;
  readonly strings: Uint8Array | undefined;
}

function customSection(module: Module, name: string): Uint8Array | undefined {
  for (const section of module.sections) {
    if (section.kind === "custom" && section.name === name) return section.items;
  }
  return undefined;
}

function rowAt(rows: readonly LineRow[], address: number): SourceLine | undefined {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.address ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  const row = rows[low - 1];
  if (row === undefined || row.isEnd || row.line === 0) return undefined;
  return { file: row.file, line: row.line, column: row.column };
}

export function u32At(bytes: Uint8Array, at: number): number {
  const byte = (index: number) => bytes[at + index] ?? 0;
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
}
