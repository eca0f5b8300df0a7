/** Custom sections (§5.5.3): a name, then bytes that mean something to somebody. */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DecodeLimits } from "../limits.ts";

export function readCustom(reader: ByteReader, limits: DecodeLimits): { name: string; items: Uint8Array } {
  const name = reader.name("a custom section's name", limits.nameBytes);
  return { name, items: reader.take(reader.remaining) };
}

export function writeCustom(writer: ByteWriter, section: { name: string; items: Uint8Array }): void {
  writer.name(section.name).raw(section.items);
}
