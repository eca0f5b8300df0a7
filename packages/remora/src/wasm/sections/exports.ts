/** The export section (§5.5.10). */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DecodeLimits } from "../limits.ts";
import type { Export } from "../module.ts";
import { externKinds, readExternKind } from "./extern-types.ts";

export function readExports(reader: ByteReader, limits: DecodeLimits): Export[] {
  const count = reader.count("exports", { max: limits.exports, itemBytesMin: 3 });
  return Array.from({ length: count }, () => {
    const name = reader.name("an export's name", limits.nameBytes);
    const kind = readExternKind(reader);
    return { name, kind, index: reader.u32("an index") };
  });
}

export function writeExports(writer: ByteWriter, exports: readonly Export[]): void {
  writer.vector(exports, writeExport);
}

export function writeExport(writer: ByteWriter, item: Export): void {
  writer.name(item.name).byte(externKinds.indexOf(item.kind)).u32(item.index);
}
