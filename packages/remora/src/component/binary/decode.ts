/**
 * The component binary, section by section (Binary.md): bytes in, definitions out. Only the grammar is checked
 * here; what an index refers to is the validator's question.
 */

import { componentErrors } from "../errors.ts";
import type {
  Component,
  CoreInstanceDefinition,
  CustomSection,
  Definition,
  ExportDefinition,
  InstanceDefinition,
} from "../model.ts";
import { readCanon } from "./canons.ts";
import { readCoreType } from "./core-types.ts";
import { countDefinition, type DecodeContext, type DecodeLimits, defaultDecodeLimits } from "./limits.ts";
import { BinaryReader, hex } from "./reader.ts";
import { readAlias, readCoreSort, readSortIndex } from "./sorts.ts";
import { readExternDecl, readImport, readNameWithAttributes, readType } from "./types.ts";

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
  const reader = new BinaryReader(bytes, { max: all.itemsMax, left: all.itemsMax });
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

function readExport(reader: BinaryReader, offset: number): ExportDefinition {
  const { name, attributes } = readNameWithAttributes(reader);
  const item = readSortIndex(reader);
  const ascribed = reader.flag("an ascribed type") ? readExternDecl(reader) : undefined;
  return { kind: "export", offset, name, attributes, item, ascribed };
}
