/**
 * The component binary, section by section (Binary.md): bytes in, definitions out. Only the grammar is checked
 * here; what an index refers to is the validator's question.
 */

import { componentErrors } from "../errors.ts";
import type {
  AliasDefinition,
  Component,
  CoreInstanceDefinition,
  CoreSort,
  CustomSection,
  Definition,
  ExportDefinition,
  ImportDefinition,
  InstanceDefinition,
  Sort,
  SortIndex,
} from "../model.ts";
import { readCanon } from "./canons.ts";
import { readCoreType } from "./core-types.ts";
import { type BinaryReader, hex, BinaryReader as Reader } from "./reader.ts";
import { readExternDecl, readNameWithAttributes, readType } from "./types.ts";

/** What a component may make the host hold while it is decoded. */
export interface DecodeLimits {
  /** Components inside components, and types inside types. */
  readonly nestingMax: number;
  /** Definitions and declarations in the whole file, all nested ones counted. */
  readonly definitionsMax: number;
  /** Bytes of the whole file. */
  readonly sizeBytesMax: number;
}

export const defaultDecodeLimits: DecodeLimits = {
  nestingMax: 64,
  definitionsMax: 200_000,
  sizeBytesMax: 256 * 1024 * 1024,
};

/** State of one decoding: what is left of the limits. */
export interface DecodeContext {
  readonly limits: DecodeLimits;
  definitions: number;
}

/**
 * Decodes a component.
 *
 * @param bytes  The whole file; nested core modules are ranges of it, not copies.
 * @param limits Bounds on nesting, number of definitions and size. Default: `defaultDecodeLimits`.
 * @throws component/malformed what does not follow the grammar, with its byte offset
 * @throws component/limit     more of something than `limits` allows
 */
export function decodeComponent(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): Component {
  const all = { ...defaultDecodeLimits, ...limits };
  if (bytes.length > all.sizeBytesMax) {
    throw componentErrors.limit({ what: "bytes", max: all.sizeBytesMax, offset: 0 });
  }
  const reader = new Reader(bytes);
  return readComponent(reader, { limits: all, definitions: 0 }, 0);
}

const magic = [0x00, 0x61, 0x73, 0x6d];

/** True when the bytes begin as a component does, false for a core module and for anything else. */
export function isComponent(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte) && bytes[6] === 1 && bytes[7] === 0;
}

function readComponent(reader: BinaryReader, context: DecodeContext, depth: number): Component {
  const start = reader.offset;
  if (depth > context.limits.nestingMax) {
    throw componentErrors.limit({ what: "nested components", max: context.limits.nestingMax, offset: start });
  }
  for (const byte of magic) {
    if (reader.byte() !== byte) reader.fail("not a WebAssembly file (no magic number)", start);
  }
  const version = reader.byte() | (reader.byte() << 8);
  const layer = reader.byte() | (reader.byte() << 8);
  if (layer === 0) reader.fail("a core module where a component is expected", start + 4);
  if (layer !== 1 || version !== 0x0d) {
    reader.fail(
      `unknown component version ${version}, layer ${layer}; version 13, layer 1 is known`,
      start + 4,
    );
  }

  const definitions: Definition[] = [];
  const customSections: CustomSection[] = [];
  while (!reader.isAtEnd) {
    const offset = reader.offset;
    const id = reader.byte();
    const size = reader.u32();
    const section = reader.range(size);
    readSection({ id, offset, section, definitions, customSections, context, depth });
    if (!section.isAtEnd) section.fail(`section ${id} has bytes beyond its content`);
  }
  return { kind: "component", definitions, customSections };
}

interface SectionInput {
  readonly id: number;
  readonly offset: number;
  readonly section: BinaryReader;
  readonly definitions: Definition[];
  readonly customSections: CustomSection[];
  readonly context: DecodeContext;
  readonly depth: number;
}

function readSection(input: SectionInput): void {
  const { id, offset, section, definitions, customSections, context, depth } = input;
  const each = (what: string, read: (reader: BinaryReader, at: number) => Definition) => {
    const count = section.count(what);
    for (let index = 0; index < count; index++) {
      countDefinition(context, section.offset);
      definitions.push(read(section, section.offset));
    }
  };
  switch (id) {
    case 0: {
      countDefinition(context, offset);
      const name = section.name();
      const bytes = section.bytes.subarray(section.offset, section.end);
      section.offset = section.end;
      customSections.push({ kind: "custom", offset, name, bytes });
      return;
    }
    case 1: {
      countDefinition(context, offset);
      const bytes = section.bytes.subarray(section.offset, section.end);
      definitions.push({ kind: "core-module", offset: section.offset, bytes });
      section.offset = section.end;
      return;
    }
    case 2:
      each("core instances", readCoreInstance);
      return;
    case 3:
      each("core types", (reader, at) => ({
        kind: "core-type",
        offset: at,
        type: readCoreType(reader, context, 0),
      }));
      return;
    case 4: {
      countDefinition(context, offset);
      const at = section.offset;
      definitions.push({
        kind: "component",
        offset: at,
        component: readComponent(section, context, depth + 1),
      });
      return;
    }
    case 5:
      each("instances", readInstance);
      return;
    case 6:
      each("aliases", readAlias);
      return;
    case 7:
      each("types", (reader, at) => ({
        kind: "type",
        offset: at,
        type: readType(reader, context, 0),
      }));
      return;
    case 8:
      each("canonical functions", (reader, at) => ({
        kind: "canon",
        offset: at,
        body: readCanon(reader),
      }));
      return;
    case 9: {
      section.u32();
      section.vector("start arguments", (reader) => reader.u32());
      section.u32();
      countDefinition(context, offset);
      definitions.push({ kind: "start", offset });
      return;
    }
    case 10:
      each("imports", readImport);
      return;
    case 11:
      each("exports", readExport);
      return;
    case 12:
      countDefinition(context, offset);
      section.offset = section.end;
      definitions.push({ kind: "value", offset });
      return;
    default:
      section.fail(`unknown section ${id}; 0 to 12 are known`, offset);
  }
}

export function countDefinition(context: DecodeContext, offset: number): void {
  if (++context.definitions > context.limits.definitionsMax) {
    throw componentErrors.limit({ what: "definitions", max: context.limits.definitionsMax, offset });
  }
}

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

function readCoreSort(reader: BinaryReader): CoreSort {
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

function readSortIndex(reader: BinaryReader): SortIndex {
  return { sort: readSort(reader), index: reader.u32() };
}

function readCoreInstance(reader: BinaryReader, offset: number): CoreInstanceDefinition {
  const kind = reader.byte();
  if (kind === 0) {
    const module = reader.u32();
    const args = reader.vector("instantiation arguments", () => {
      const name = reader.name();
      reader.expect(0x12, "a core instance");
      return { name, instance: reader.u32() };
    });
    return { kind: "core-instance", offset, expr: { kind: "instantiate", module, args } };
  }
  if (kind !== 1) reader.fail(`unknown core instance expression ${hex(kind)}`, offset);
  const exports = reader.vector("inline exports", () => ({
    name: reader.name(),
    item: { sort: readCoreSort(reader), index: reader.u32() },
  }));
  return { kind: "core-instance", offset, expr: { kind: "exports", exports } };
}

function readInstance(reader: BinaryReader, offset: number): InstanceDefinition {
  const kind = reader.byte();
  if (kind === 0) {
    const component = reader.u32();
    const args = reader.vector("instantiation arguments", () => ({
      name: reader.name(),
      item: readSortIndex(reader),
    }));
    return { kind: "instance", offset, expr: { kind: "instantiate", component, args } };
  }
  if (kind !== 1) reader.fail(`unknown instance expression ${hex(kind)}`, offset);
  const exports = reader.vector("inline exports", () => ({
    ...readNameWithAttributes(reader),
    item: readSortIndex(reader),
  }));
  return { kind: "instance", offset, expr: { kind: "exports", exports } };
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

export function readImport(reader: BinaryReader, offset: number): ImportDefinition {
  const { name, attributes } = readNameWithAttributes(reader);
  return { kind: "import", offset, name, attributes, type: readExternDecl(reader) };
}

function readExport(reader: BinaryReader, offset: number): ExportDefinition {
  const { name, attributes } = readNameWithAttributes(reader);
  const item = readSortIndex(reader);
  const ascribed = reader.flag("an ascribed type") ? readExternDecl(reader) : undefined;
  return { kind: "export", offset, name, attributes, item, ascribed };
}
