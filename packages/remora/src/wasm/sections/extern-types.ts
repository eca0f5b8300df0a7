/** Types of what is imported or defined: sizes, tables, memories, globals, tags (§5.3.10 to §5.3.14, §5.5.5). */

import { unreachable } from "../../base/index.ts";
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { ExternKind, ExternType, GlobalType, SizeLimits, TableType } from "../module.ts";
import { readMutability, readRefType, readValueType, writeRefType, writeValueType } from "./value-types.ts";

/** In the order of their codes. */
export const externKinds: readonly ExternKind[] = ["func", "table", "memory", "global", "tag"];

const hasMax = 1;
const sharedFlag = 2;
const is64Flag = 4;

export function readSizeLimits(reader: ByteReader, what: string): SizeLimits {
  const offset = reader.position;
  const flags = reader.byte(`the flags of a ${what}`);
  if (flags > 7)
    throw wasmErrors.malformed({ offset, what: `the flags of a ${what}`, found: flags, allowed: "0 to 7" });
  const is64 = (flags & is64Flag) !== 0;
  const size = () =>
    is64 ? reader.u64(`the size of a ${what}`) : BigInt(reader.u32(`the size of a ${what}`));
  const min = size();
  return { min, max: flags & hasMax ? size() : undefined, is64, isShared: (flags & sharedFlag) !== 0 };
}

export function writeSizeLimits(writer: ByteWriter, limits: SizeLimits): void {
  writer.byte(
    (limits.max === undefined ? 0 : hasMax) |
      (limits.isShared ? sharedFlag : 0) |
      (limits.is64 ? is64Flag : 0),
  );
  writer.u64(limits.min);
  if (limits.max !== undefined) writer.u64(limits.max);
}

export function readTableType(reader: ByteReader): TableType {
  const element = readRefType(reader);
  return { element, limits: readSizeLimits(reader, "table") };
}

export function writeTableType(writer: ByteWriter, type: TableType): void {
  writeRefType(writer, type.element);
  writeSizeLimits(writer, type.limits);
}

export function readGlobalType(reader: ByteReader): GlobalType {
  const value = readValueType(reader);
  return { value, isMutable: readMutability(reader) };
}

export function writeGlobalType(writer: ByteWriter, type: GlobalType): void {
  writeValueType(writer, type.value);
  writer.byte(type.isMutable ? 1 : 0);
}

/** An attribute, which is always 0, and a type index. */
export function readTagType(reader: ByteReader): number {
  const offset = reader.position;
  const attribute = reader.byte("the attribute of a tag");
  if (attribute !== 0) {
    throw wasmErrors.malformed({ offset, what: "the attribute of a tag", found: attribute, allowed: "0" });
  }
  return reader.u32("a type index");
}

export function writeTagType(writer: ByteWriter, type: number): void {
  writer.byte(0).u32(type);
}

export function readExternKind(reader: ByteReader): ExternKind {
  const offset = reader.position;
  const code = reader.byte("a kind");
  const kind = externKinds[code];
  if (kind === undefined)
    throw wasmErrors.malformed({ offset, what: "a kind", found: code, allowed: "0 to 4" });
  return kind;
}

export function readExternType(reader: ByteReader): ExternType {
  const kind = readExternKind(reader);
  switch (kind) {
    case "func":
      return { kind, type: reader.u32("a type index") };
    case "table":
      return { kind, type: readTableType(reader) };
    case "memory":
      return { kind, type: readSizeLimits(reader, "memory") };
    case "global":
      return { kind, type: readGlobalType(reader) };
    case "tag":
      return { kind, type: readTagType(reader) };
    default:
      return unreachable(kind);
  }
}

export function writeExternType(writer: ByteWriter, extern: ExternType): void {
  writer.byte(externKinds.indexOf(extern.kind));
  switch (extern.kind) {
    case "func":
      writer.u32(extern.type);
      return;
    case "table":
      writeTableType(writer, extern.type);
      return;
    case "memory":
      writeSizeLimits(writer, extern.type);
      return;
    case "global":
      writeGlobalType(writer, extern.type);
      return;
    case "tag":
      writeTagType(writer, extern.type);
      return;
    default:
      unreachable(extern);
  }
}
