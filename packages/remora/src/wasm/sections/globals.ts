/** The global section (§5.5.9). */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DecodeLimits } from "../limits.ts";
import type { Global } from "../module.ts";
import { readConstExpr } from "./const-expr.ts";
import { readGlobalType, writeGlobalType } from "./extern-types.ts";

export function readGlobals(reader: ByteReader, limits: DecodeLimits): Global[] {
  const count = reader.count("globals", { max: limits.globals, itemBytesMin: 4 });
  return Array.from({ length: count }, () => {
    const type = readGlobalType(reader);
    return { type, init: readConstExpr(reader, limits) };
  });
}

export function writeGlobals(writer: ByteWriter, globals: readonly Global[]): void {
  writer.vector(globals, (to, global) => {
    writeGlobalType(to, global.type);
    to.raw(global.init.bytes);
  });
}
