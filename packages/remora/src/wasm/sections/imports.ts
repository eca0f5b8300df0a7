/** The import section (§5.5.5). */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DecodeLimits } from "../limits.ts";
import type { Import } from "../module.ts";
import { readExternType, writeExternType } from "./extern-types.ts";

export function readImports(reader: ByteReader, limits: DecodeLimits): Import[] {
  const count = reader.count("imports", { max: limits.imports, itemBytesMin: 4 });
  return Array.from({ length: count }, () => {
    const module = reader.name("an import's module", limits.nameBytes);
    const name = reader.name("an import's name", limits.nameBytes);
    return { module, name, type: readExternType(reader) };
  });
}

export function writeImports(writer: ByteWriter, imports: readonly Import[]): void {
  writer.vector(imports, (to, item) => {
    to.name(item.module).name(item.name);
    writeExternType(to, item.type);
  });
}
