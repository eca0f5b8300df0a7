/**
 * Reads a core module (core specification §5.5). Function bodies stay bytes here; everything else becomes data.
 * What is unknown is refused: a section, a kind, a type, an operator of a constant expression.
 */

import { unreachable } from "../base/index.ts";
import { ByteReader } from "./byte-reader.ts";
import { wasmErrors } from "./errors.ts";
import { type DecodeLimits, defaultDecodeLimits } from "./limits.ts";
import type { Module, Section, SectionKind } from "./module.ts";
import { readCode } from "./sections/code.ts";
import { readCustom } from "./sections/custom.ts";
import { readData } from "./sections/data.ts";
import { readElements } from "./sections/elements.ts";
import { readExports } from "./sections/exports.ts";
import { readFunctions } from "./sections/functions.ts";
import { readGlobals } from "./sections/globals.ts";
import { readImports } from "./sections/imports.ts";
import { readMemories } from "./sections/memories.ts";
import { readDataCount, readStart } from "./sections/start.ts";
import { readTables } from "./sections/tables.ts";
import { readTags } from "./sections/tags.ts";
import { readTypes } from "./sections/types.ts";

/** By id; also what `encode.ts` writes. */
export const sectionKinds: readonly SectionKind[] = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
  "dataCount",
  "tag",
];

/** In the order in which they may come; custom sections may come anywhere (§5.5.16). */
export const sectionOrder: readonly SectionKind[] = [
  "type",
  "import",
  "function",
  "table",
  "memory",
  "tag",
  "global",
  "export",
  "start",
  "element",
  "dataCount",
  "code",
  "data",
];

export const moduleHeader: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/**
 * Reads a module.
 *
 * @param bytes  The whole module. The result has views of it, so it must not change.
 * @param limits Bounds on sizes and counts.
 * @throws wasm/not-a-module, wasm/unexpected-end, wasm/malformed, wasm/malformed-number, wasm/malformed-name,
 *         wasm/unknown-section, wasm/section-order, wasm/section-size, wasm/too-many, wasm/limit,
 *         wasm/unknown-opcode (in a constant expression): each with its byte offset
 */
export function decodeModule(bytes: Uint8Array, limits: DecodeLimits = defaultDecodeLimits): Module {
  if (bytes.length > limits.moduleBytes) {
    throw wasmErrors.limit({
      offset: 0,
      what: "bytes of a module",
      found: bytes.length,
      max: limits.moduleBytes,
    });
  }
  if (moduleHeader.some((byte, index) => bytes[index] !== byte)) {
    const found = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw wasmErrors["not-a-module"]({ offset: 0, found: found === "" ? "nothing" : found });
  }
  const reader = new ByteReader(bytes, moduleHeader.length);
  const sections: Section[] = [];
  let last: SectionKind | undefined;
  let customs = 0;
  while (!reader.isAtEnd) {
    const section = readSection(reader, limits);
    sections.push(section);
    const offset = section.source?.start ?? 0;
    if (section.kind === "custom") {
      if (++customs <= limits.customSections) continue;
      throw wasmErrors.limit({ offset, what: "custom sections", found: customs, max: limits.customSections });
    }
    if (last !== undefined && sectionOrder.indexOf(section.kind) <= sectionOrder.indexOf(last)) {
      throw wasmErrors["section-order"]({ offset, section: section.kind, after: last });
    }
    last = section.kind;
  }
  const module = { bytes, sections };
  checkCounts(module);
  return module;
}

/**
 * Reads the sections of these kinds and passes over the others: for a module that was decoded or validated before, of
 * which all but a few bytes are code.
 *
 * @throws as `decodeModule`, for what is inside of these sections
 */
export function decodeSections(
  bytes: Uint8Array,
  kinds: readonly SectionKind[],
  limits: DecodeLimits = defaultDecodeLimits,
): Module {
  const reader = new ByteReader(bytes, moduleHeader.length);
  const sections: Section[] = [];
  while (!reader.isAtEnd) {
    const start = reader.position;
    const kind = sectionKinds[reader.byte("a section's id")];
    const size = reader.u32("a section's size");
    if (kind !== undefined && kinds.includes(kind)) {
      sections.push(readSection(new ByteReader(bytes, start), limits));
    }
    reader.skip(size, "a section");
  }
  return { bytes, sections };
}

function readSection(reader: ByteReader, limits: DecodeLimits): Section {
  const start = reader.position;
  const id = reader.byte("a section's id");
  const kind = sectionKinds[id];
  if (kind === undefined) throw wasmErrors["unknown-section"]({ offset: start, id });
  const part = reader.part(reader.u32("a section's size"), `section "${kind}"`);
  const source = { start, contentStart: part.position, end: part.end };
  const section: Section = { ...readContent(kind, part, limits), source };
  if (!part.isAtEnd) {
    throw wasmErrors["section-size"]({ offset: part.position, section: kind, declaredEnd: part.end });
  }
  return section;
}

function readContent(kind: SectionKind, reader: ByteReader, limits: DecodeLimits): Section {
  switch (kind) {
    case "custom":
      return { kind, ...readCustom(reader, limits) };
    case "type":
      return { kind, items: readTypes(reader, limits) };
    case "import":
      return { kind, items: readImports(reader, limits) };
    case "function":
      return { kind, items: readFunctions(reader, limits) };
    case "table":
      return { kind, items: readTables(reader, limits) };
    case "memory":
      return { kind, items: readMemories(reader, limits) };
    case "tag":
      return { kind, items: readTags(reader, limits) };
    case "global":
      return { kind, items: readGlobals(reader, limits) };
    case "export":
      return { kind, items: readExports(reader, limits) };
    case "start":
      return { kind, items: readStart(reader) };
    case "element":
      return { kind, items: readElements(reader, limits) };
    case "dataCount":
      return { kind, items: readDataCount(reader) };
    case "code":
      return { kind, items: readCode(reader, limits) };
    case "data":
      return { kind, items: readData(reader, limits) };
    default:
      return unreachable(kind);
  }
}

/** The section of a kind, of which there is one at most (custom sections excepted). */
export function findSection<Kind extends SectionKind>(
  module: Module,
  kind: Kind,
): Extract<Section, { kind: Kind }> | undefined {
  // The comparison is what the type says; the compiler does not narrow a generic union.
  return module.sections.find((section) => section.kind === kind) as
    | Extract<Section, { kind: Kind }>
    | undefined;
}

/** §5.5.17: as many bodies as functions, as many segments as the data count says. */
function checkCounts(module: Module): void {
  const functions = findSection(module, "function");
  const code = findSection(module, "code");
  const functionCount = functions?.items.length ?? 0;
  if (functionCount !== (code?.items.length ?? 0)) {
    throw wasmErrors.malformed({
      offset: code?.source?.start ?? functions?.source?.start ?? 0,
      what: "the code section",
      found: `${code?.items.length ?? 0} bodies`,
      allowed: `${functionCount}, as in the function section`,
    });
  }
  const dataCount = findSection(module, "dataCount");
  const data = findSection(module, "data");
  if (dataCount !== undefined && dataCount.items !== (data?.items.length ?? 0)) {
    throw wasmErrors.malformed({
      offset: data?.source?.start ?? dataCount.source?.start ?? 0,
      what: "the data section",
      found: `${data?.items.length ?? 0} segments`,
      allowed: `${dataCount.items}, as in the data count section`,
    });
  }
}
