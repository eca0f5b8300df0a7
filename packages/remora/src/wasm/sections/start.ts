/** The start section (§5.5.11) and the data count section (§5.5.15): one number each. */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";

export function readStart(reader: ByteReader): number {
  return reader.u32("the start function");
}

export function readDataCount(reader: ByteReader): number {
  return reader.u32("the number of data segments");
}

export function writeIndex(writer: ByteWriter, index: number): void {
  writer.u32(index);
}
