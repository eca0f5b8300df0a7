/** The memory section (§5.5.8). */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DecodeLimits } from "../limits.ts";
import type { MemoryType } from "../module.ts";
import { readSizeLimits, writeSizeLimits } from "./extern-types.ts";

export function readMemories(reader: ByteReader, limits: DecodeLimits): MemoryType[] {
  const count = reader.count("memories", { max: limits.memories, itemBytesMin: 2 });
  return Array.from({ length: count }, () => readSizeLimits(reader, "memory"));
}

export function writeMemories(writer: ByteWriter, memories: readonly MemoryType[]): void {
  writer.vector(memories, writeSizeLimits);
}
