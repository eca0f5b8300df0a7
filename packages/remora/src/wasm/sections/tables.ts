/** The table section (§5.5.7). */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { DecodeLimits } from "../limits.ts";
import type { Table } from "../module.ts";
import { readConstExpr } from "./const-expr.ts";
import { readTableType, writeTableType } from "./extern-types.ts";

const withInit = 0x40;

export function readTables(reader: ByteReader, limits: DecodeLimits): Table[] {
  const count = reader.count("tables", { max: limits.tables, itemBytesMin: 3 });
  return Array.from({ length: count }, () => readTable(reader, limits));
}

function readTable(reader: ByteReader, limits: DecodeLimits): Table {
  if (reader.peek() !== withInit) return { type: readTableType(reader), init: undefined };
  reader.byte();
  const offset = reader.position;
  const reserved = reader.byte("a table");
  if (reserved !== 0) throw wasmErrors.malformed({ offset, what: "a table", found: reserved, allowed: "0" });
  const type = readTableType(reader);
  return { type, init: readConstExpr(reader, limits) };
}

export function writeTables(writer: ByteWriter, tables: readonly Table[]): void {
  writer.vector(tables, (to, table) => {
    if (table.init !== undefined) to.byte(withInit).byte(0);
    writeTableType(to, table.type);
    if (table.init !== undefined) to.raw(table.init.bytes);
  });
}
