/** Finds the pieces of memory that a host function said it reads. The guest controls every pointer and length. */

import type { MemoryRead } from "../../guest-memory.ts";
import type { Piece } from "../core-values.ts";

/** Bytes of all pieces of one call: beyond it the host sees zeros, as it would refuse such a transfer anyway. */
const piecesBytesMax = 64 * 1024 * 1024;
const scatteredMax = 1_024;
const vectorBytes = 8;
const headBytes = 4;

export function piecesRead(
  reads: readonly MemoryRead[],
  args: readonly unknown[],
  memory: Uint8Array,
): Piece[] {
  const pieces: Piece[] = [];
  let left = piecesBytesMax;
  for (const { pointer, count, each = 1, isScattered, isCounted } of reads) {
    const at = unsigned(args[pointer]);
    if (isCounted) {
      if (at < headBytes || !add(at - headBytes, headBytes)) continue;
      add(at, new DataView(memory.buffer, memory.byteOffset, memory.length).getUint32(at - headBytes, true));
      continue;
    }
    const entries = count === undefined ? 1 : unsigned(args[count]);
    if (isScattered === undefined) {
      add(at, entries * each);
      continue;
    }
    if (entries > scatteredMax || !add(at, entries * vectorBytes)) continue;
    const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
    for (let index = 0; index < entries; index++) {
      const vector = at + index * vectorBytes;
      add(view.getUint32(vector, true), view.getUint32(vector + 4, true));
    }
  }
  return pieces;

  /** What lies outside is left out: the host finds by the memory's size that it does. */
  function add(at: number, length: number): boolean {
    if (length === 0 || at + length > memory.length || length > left) return false;
    left -= length;
    pieces.push({ at, bytes: memory.subarray(at, at + length) });
    return true;
  }
}

function unsigned(value: unknown): number {
  return Number(value) >>> 0;
}
