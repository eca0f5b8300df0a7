/**
 * From an offset in a rewritten module, as V8 prints it in a stack, to the original: offset, function, name, line.
 * Made only when somebody wants to know where a guest trapped, by rewriting once more and taking notes.
 */

import { ByteReader } from "../byte-reader.ts";
import { decodeModule, findSection } from "../decode.ts";
import { lineTable, type SourceLine } from "../dwarf/line-table.ts";
import { defaultDecodeLimits } from "../limits.ts";
import type { Body, Module } from "../module.ts";
import { readNames } from "../names.ts";
import type { MeterOptions } from "./contract.ts";
import { IntList } from "./int-list.ts";
import { rewriteModule } from "./meter-module.ts";

export interface OriginalPlace {
  /** Byte offset in the original module. */
  readonly offset: number;
  /** Index in the function space. */
  readonly func: number;
  /** From the name section. */
  readonly name: string | undefined;
  /** From the module's DWARF line table. */
  readonly line: SourceLine | undefined;
}

export interface OffsetMap {
  /**
   * Where the original has what stands at this offset of the rewritten module. For what the rewriter added, the
   * operator before it; undefined outside of the module's own functions.
   */
  toOriginal(offset: number): OriginalPlace | undefined;
}

/**
 * @param original What was given to `meterModule`, with the same options.
 * @throws what `meterModule` throws
 */
export function mapOffsets(original: Uint8Array, options: MeterOptions): OffsetMap {
  const pieces = new IntList(4_096);
  const limits = options.sizes ?? defaultDecodeLimits;
  const { bytes } = rewriteModule(original, options, pieces);
  // The rewritten module may exceed limits that the original kept: it is ours, so only its layout is read here.
  const base = firstBodyOffset(bytes);
  const module = decodeModule(original, limits);
  const bodies = findSection(module, "code")?.items ?? [];
  const imported = importedFunctions(module);
  const names = readNames(module);
  const lines = lineTable(module);
  return {
    toOriginal(offset) {
      const at = originalOffset(pieces, offset - base);
      const index = at === undefined ? -1 : bodyAt(bodies, at);
      if (at === undefined || index < 0) return undefined;
      const func = imported + index;
      return { offset: at, func, name: names.functions.get(func), line: lines.at(at) };
    },
  };
}

function firstBodyOffset(bytes: Uint8Array): number {
  const unlimited = { ...defaultDecodeLimits, bodyBytes: bytes.length, moduleBytes: bytes.length };
  const code = findSection(decodeModule(bytes, unlimited), "code")?.source;
  if (code === undefined) return 0;
  const reader = new ByteReader(bytes, code.contentStart, code.end);
  reader.u32();
  return reader.position;
}

function importedFunctions(module: Module): number {
  return (findSection(module, "import")?.items ?? []).filter((item) => item.type.kind === "func").length;
}

/** The last piece that starts at or before the offset; within it the distance is the same. */
function originalOffset(pieces: IntList, offset: number): number | undefined {
  let low = 0;
  let high = pieces.length / 3;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces.at(middle * 3) <= offset) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return undefined;
  const at = (low - 1) * 3;
  // Every body ends with a piece, so what lies behind the last one is not the module's.
  if (low === pieces.length / 3 && offset >= pieces.at(at) + pieces.at(at + 2)) return undefined;
  const into = Math.min(offset - pieces.at(at), pieces.at(at + 2) - 1);
  return pieces.at(at + 1) + into;
}

function bodyAt(bodies: readonly Body[], offset: number): number {
  let low = 0;
  let high = bodies.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bodies[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const body = bodies[low - 1];
  return body !== undefined && offset < body.offset + body.size ? low - 1 : -1;
}
