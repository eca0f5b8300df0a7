/** The tag section (§5.5.16): exceptions, by the type of what they carry. */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DecodeLimits } from "../limits.ts";
import { readTagType, writeTagType } from "./extern-types.ts";

export function readTags(reader: ByteReader, limits: DecodeLimits): number[] {
  const count = reader.count("tags", { max: limits.tags, itemBytesMin: 2 });
  return Array.from({ length: count }, () => readTagType(reader));
}

export function writeTags(writer: ByteWriter, types: readonly number[]): void {
  writer.vector(types, writeTagType);
}
