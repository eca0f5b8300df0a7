/** The function section (§5.5.6): a type index for each body of the code section. */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DecodeLimits } from "../limits.ts";

export function readFunctions(reader: ByteReader, limits: DecodeLimits): number[] {
  const count = reader.count("functions", { max: limits.functions });
  const types: number[] = [];
  for (let index = 0; index < count; index++) types.push(reader.u32("a type index"));
  return types;
}

export function writeFunctions(writer: ByteWriter, types: readonly number[]): void {
  writer.vector(types, (to, type) => to.u32(type));
}
