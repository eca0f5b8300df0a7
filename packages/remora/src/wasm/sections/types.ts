/** The type section (§5.5.4): recursion groups of function, struct and array types. */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { DecodeLimits } from "../limits.ts";
import type { RecGroup, SubType } from "../module.ts";
import { readComposite, writeComposite } from "./value-types.ts";

const recCode = 0x4e;
const subCode = 0x50;
const subFinalCode = 0x4f;

// Core 3.0 §3.1: a type has at most one supertype; the binary format has a vector.
const supertypesMax = 1;

export function readTypes(reader: ByteReader, limits: DecodeLimits): RecGroup[] {
  const count = reader.count("types", { max: limits.types, itemBytesMin: 2 });
  let total = 0;
  return Array.from({ length: count }, () => {
    const offset = reader.position;
    const group = readGroup(reader, limits);
    total += group.types.length;
    if (total <= limits.types) return group;
    throw wasmErrors.limit({ offset, what: "types", found: total, max: limits.types });
  });
}

function readGroup(reader: ByteReader, limits: DecodeLimits): RecGroup {
  if (reader.peek() !== recCode) return { isExplicit: false, types: [readSubType(reader, limits)] };
  reader.byte();
  const count = reader.count("types of a group", { max: limits.types, itemBytesMin: 2 });
  return { isExplicit: true, types: Array.from({ length: count }, () => readSubType(reader, limits)) };
}

function readSubType(reader: ByteReader, limits: DecodeLimits): SubType {
  const code = reader.peek();
  if (code !== subCode && code !== subFinalCode) {
    return { isFinal: true, supertypes: [], composite: readComposite(reader, limits) };
  }
  reader.byte();
  const count = reader.count("supertypes", { max: supertypesMax });
  const supertypes = Array.from({ length: count }, () => reader.u32("a type index"));
  return { isFinal: code === subFinalCode, supertypes, composite: readComposite(reader, limits) };
}

export function writeTypes(writer: ByteWriter, groups: readonly RecGroup[]): void {
  writer.vector(groups, writeGroup);
}

function writeGroup(writer: ByteWriter, group: RecGroup): void {
  if (group.isExplicit) writer.byte(recCode).vector(group.types, writeSubType);
  else for (const type of group.types) writeSubType(writer, type);
}

function writeSubType(writer: ByteWriter, type: SubType): void {
  if (!type.isFinal || type.supertypes.length > 0) {
    writer.byte(type.isFinal ? subFinalCode : subCode).vector(type.supertypes, (to, index) => to.u32(index));
  }
  writeComposite(writer, type.composite);
}
