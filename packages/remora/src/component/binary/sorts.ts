/** Sorts of definitions, references to them by index, and aliases, which name a definition of another scope. */

import type { AliasDefinition, CoreSort, Sort, SortIndex } from "../model.ts";
import { type BinaryReader, hex } from "./reader.ts";

const coreSorts: Readonly<Record<number, CoreSort>> = {
  0: "func",
  1: "table",
  2: "memory",
  3: "global",
  4: "tag",
  16: "type",
  17: "module",
  18: "instance",
};

export function readCoreSort(reader: BinaryReader): CoreSort {
  const offset = reader.offset;
  const byte = reader.byte();
  return coreSorts[byte] ?? reader.fail(`unknown core sort ${hex(byte)}`, offset);
}

function readSort(reader: BinaryReader): Sort {
  const offset = reader.offset;
  const byte = reader.byte();
  switch (byte) {
    case 0:
      return { core: readCoreSort(reader) };
    case 1:
      return "func";
    case 2:
      return "value";
    case 3:
      return "type";
    case 4:
      return "component";
    case 5:
      return "instance";
    default:
      return reader.fail(`unknown sort ${hex(byte)}`, offset);
  }
}

export function readSortIndex(reader: BinaryReader): SortIndex {
  return { sort: readSort(reader), index: reader.u32() };
}

export function readAlias(reader: BinaryReader, offset: number): AliasDefinition {
  const sort = readSort(reader);
  const at = reader.offset;
  const kind = reader.byte();
  switch (kind) {
    case 0:
      return {
        kind: "alias",
        offset,
        sort,
        target: { kind: "export", instance: reader.u32(), name: reader.name() },
      };
    case 1:
      return {
        kind: "alias",
        offset,
        sort,
        target: { kind: "core-export", instance: reader.u32(), name: reader.name() },
      };
    case 2:
      return {
        kind: "alias",
        offset,
        sort,
        target: { kind: "outer", count: reader.u32(), index: reader.u32() },
      };
    default:
      return reader.fail(`unknown alias target ${hex(kind)}`, at);
  }
}
