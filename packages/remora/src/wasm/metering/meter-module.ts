/**
 * Rewrites a module so that it meters itself: section 4 of the metering specification. The engine has V8 validate
 * the original first; without that an index beyond the end could mean something that is appended here.
 */

import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { decodeModule, findSection, moduleHeader, sectionKinds, sectionOrder } from "../decode.ts";
import { encodeContent } from "../encode.ts";
import { wasmErrors } from "../errors.ts";
import { type Feature, noteValueType, scanFeatures, scanSections } from "../features.ts";
import { type IndexSpaces, importsOf, indexSpaces } from "../index-spaces.ts";
import { defaultDecodeLimits } from "../limits.ts";
import type {
  ConstExpr,
  ElementSegment,
  Import,
  Module,
  Section,
  SectionKind,
  SizeLimits,
} from "../module.ts";
import { operators } from "../opcodes.ts";
import { analyse } from "./analyse.ts";
import { type Appendix, Helpers, makeAppendix, names } from "./appendix.ts";
import { capSegments, capSizes, capTags, sumOfMins } from "./caps.ts";
import { checkIndices } from "./check-indices.ts";
import {
  type MemoryFacts,
  type MeteredModule,
  type MeterOptions,
  reservedPrefix,
  type TableFacts,
} from "./contract.ts";
import { type Emitted, emitBodies } from "./emit.ts";
import type { Facts } from "./facts.ts";
import type { IntList } from "./int-list.ts";
import { makePlan } from "./plan.ts";
import { checkProfile, profiles } from "./profile.ts";
import {
  moveData,
  moveElement,
  moveExport,
  moveExpr,
  moveGlobal,
  refersTo,
  withoutGlobalNames,
} from "./shared-counters.ts";

/**
 * Rewrites a module.
 *
 * @param original A module that V8 finds valid. Not changed; the result does not refer to it.
 * @returns The module that meters itself, and what the meter needs to know of it.
 * @throws wasm/refused-feature the profile does not take it; wasm/over-cap it starts larger than allowed;
 *         wasm/reserved-name it uses our names; and what `decodeModule` throws
 */
export function meterModule(original: Uint8Array, options: MeterOptions): MeteredModule {
  return rewriteModule(original, options);
}

/** As `meterModule`; `pieces` receives where each copied piece of code went, from the first body on. */
export function rewriteModule(original: Uint8Array, options: MeterOptions, pieces?: IntList): MeteredModule {
  const limits = options.sizes ?? defaultDecodeLimits;
  const source = withoutSubclass(original);
  const module = decodeModule(source, limits);
  const spaces = indexSpaces(module);
  refuseReservedNames(module);
  checkIndices(module, spaces);
  capSegments(module, options.tableElementsMax);
  capTags(spaces, limits.tagParameters);
  const memories = capDefined(
    spaces.memories,
    spaces.imported.memories,
    options.memoryPagesMax,
    "pages of memory",
  );
  const tableSizes = spaces.tables.map((table) => table.limits);
  const tables = capDefined(tableSizes, spaces.imported.tables, options.tableElementsMax, "table elements");

  const helpers = new Helpers();
  const facts = analyseModule(module, spaces, options, helpers);
  const start = findSection(module, "start")?.items;
  const plan = makePlan({
    facts,
    importedFunctions: spaces.imported.functions,
    isExported: exportedFunctions(module, spaces, start),
    mode: options.mode,
    stack: options.stack,
  });
  const hasStack = plan.bodies.some((body) => body.stackSlots > 0);
  const appendix = makeAppendix({
    spaces,
    dataSizes: findSection(module, "data")?.items.map(({ bytes }) => bytes.length) ?? [],
    elementCounts: findSection(module, "element")?.items.map(({ elements }) => elements.length) ?? [],
    helpers: helpers.list,
    hasStack,
    sharesCounters: options.sharesCounters ?? false,
    start,
    pages: Math.max(0, options.memoryPagesMax - Number(sumOfMins(memories.defined))),
    elements: Math.max(0, options.tableElementsMax - Number(sumOfMins(tables.defined))),
  });
  const { appended } = appendix;
  const emitted = emitBodies({
    bytes: source,
    facts,
    plan,
    spaces,
    appended,
    isStrict: options.profile === "strict",
    ...(pieces === undefined ? {} : { pieces }),
  });
  const contents = rewriteSections({ module, spaces, appendix, emitted, memories, tables });
  const bytes = assemble(module, contents, emitted, appendix.move.by > 0);
  const exported = new Set(appendix.exports.map(({ name }) => name));
  const optional = (name: string) => (exported.has(name) ? name : undefined);
  return {
    bytes,
    injected: withoutUndefined({
      swapFuel: names.swapFuel,
      refill: names.refill,
      stack: optional(names.stack),
      start: optional(names.start),
      pages: optional(names.pages),
      elements: optional(names.elements),
    }),
    memories: memoryFacts(module, memories),
    tables: tableFacts(module, tables),
    memoryPagesMin: Number(sumOfMins(memories.defined)),
    tableElementsMin: Number(sumOfMins(tables.defined)),
    stackSlotsUncounted: options.stack ? plan.stackSlotsUncounted : 0,
    compileWork: facts.compileWork,
    codeBytes: { before: codeSize(module), after: contents.get("code")?.length ?? 0 },
  };
}

/** The same bytes. V8's code for arrays of one class is twice as fast as for those and Node's `Buffer` in turn. */
function withoutSubclass(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function refuseReservedNames(module: Module): void {
  const refuse = (kind: string, name: string) => {
    if (name.startsWith(reservedPrefix)) {
      throw wasmErrors["reserved-name"]({ kind, name, prefix: reservedPrefix });
    }
  };
  for (const item of importsOf(module)) {
    refuse("import", item.module);
    refuse("import", item.name);
  }
  for (const item of findSection(module, "export")?.items ?? []) refuse("export", item.name);
}

/** Sizes of one index space: the imported ones, which their owner caps, and the defined ones, capped here. */
interface Sizes {
  readonly imported: readonly SizeLimits[];
  readonly defined: readonly SizeLimits[];
}

function capDefined(sizes: readonly SizeLimits[], imported: number, cap: number, what: string): Sizes {
  return { imported: sizes.slice(0, imported), defined: capSizes(sizes.slice(imported), cap, what) };
}

function analyseModule(module: Module, spaces: IndexSpaces, options: MeterOptions, helpers: Helpers): Facts {
  const limits = options.sizes ?? defaultDecodeLimits;
  const uses = scanSections(module);
  const input = {
    bytes: module.bytes,
    bodies: findSection(module, "code")?.items ?? [],
    spaces,
    limits,
    firstMovedGlobal: options.sharesCounters === true ? spaces.imported.globals : Number.POSITIVE_INFINITY,
    helper: (operator: number, first: number, second: number) => helpers.id(operator, first, second),
    seeLocalType: (type: Parameters<typeof noteValueType>[1], offset: number) =>
      noteValueType(uses, type, offset),
  };
  let facts = analyse({ ...input, isExceptionExact: spaces.tags.length > 0 });
  // Exceptions without a tag of one's own, as `catch_all` alone, are rare: look again, call by call.
  if (facts.usesExceptions && spaces.tags.length === 0) facts = analyse({ ...input, isExceptionExact: true });
  const refused = new Set<Feature>(profiles[options.profile]);
  const allow = options.allow ?? [];
  const isRefused = operators.some(
    (operator, index) =>
      operator !== undefined &&
      facts.seen[index] === 1 &&
      refused.has(operator.feature) &&
      !allow.includes(operator.feature),
  );
  // The slow scan says where; only a refusal needs it.
  checkProfile(isRefused ? scanFeatures(module, limits) : uses, options.profile, allow);
  referencedOutsideOfBodies(module, facts);
  return facts;
}

/** Functions in element segments and in the initial values of globals and tables: anybody may call them. */
function referencedOutsideOfBodies(module: Module, facts: Facts): void {
  const take = (indices: readonly number[]) => {
    for (const index of indices) if (index < facts.isReferenced.length) facts.isReferenced[index] = 1;
  };
  for (const section of module.sections) {
    if (section.kind === "global") for (const global of section.items) take(global.init.functions);
    if (section.kind === "table") for (const table of section.items) take(table.init?.functions ?? []);
    if (section.kind !== "element") continue;
    for (const segment of section.items) {
      for (const element of segment.elements)
        take(typeof element === "number" ? [element] : element.functions);
    }
  }
}

function exportedFunctions(module: Module, spaces: IndexSpaces, start: number | undefined): Uint8Array {
  const isExported = new Uint8Array(spaces.functions.length);
  for (const { kind, index } of findSection(module, "export")?.items ?? []) {
    if (kind === "func" && index < isExported.length) isExported[index] = 1;
  }
  if (start !== undefined && start < isExported.length) isExported[start] = 1;
  return isExported;
}

interface RewriteInput {
  readonly module: Module;
  readonly spaces: IndexSpaces;
  readonly appendix: Appendix;
  readonly emitted: Emitted;
  readonly memories: Sizes;
  readonly tables: Sizes;
}

type Contents = Map<SectionKind, Uint8Array>;

/** New contents of the sections that change. */
function rewriteSections({ module, appendix, emitted, memories, tables }: RewriteInput): Contents {
  const contents: Contents = new Map();
  const append = (kind: SectionKind, added: Section) => {
    const count = Array.isArray(added.items) ? added.items.length : 0;
    contents.set(kind, appendItems(module, kind, count, withoutCount(encodeContent(added))));
  };
  append("type", { kind: "type", items: appendix.types });
  append("function", { kind: "function", items: appendix.functions.map(({ type }) => type) });
  if (appendix.globals.length > 0) append("global", { kind: "global", items: appendix.globals });
  append("export", { kind: "export", items: appendix.exports });
  if (appendix.move.by > 0) {
    append("import", { kind: "import", items: appendix.imports });
    moveGlobals(module, appendix, contents);
  }
  const ownTables = findSection(module, "table")?.items ?? [];
  const one: SizeLimits = { min: 1n, max: 1n, is64: false, isShared: false };
  contents.set(
    "table",
    encodeContent({
      kind: "table",
      items: [
        ...ownTables.map((table, index) => ({
          init: table.init === undefined ? undefined : moveExpr(table.init, appendix.move),
          type: { ...table.type, limits: tables.defined[index] ?? table.type.limits },
        })),
        { type: { element: { isNullable: true, heap: "func" }, limits: one }, init: undefined },
      ],
    }),
  );
  if (memories.defined.length > 0) {
    contents.set("memory", encodeContent({ kind: "memory", items: memories.defined }));
  }
  const code = new ByteWriter(emitted.bodies.length + 4_096);
  code.u32((findSection(module, "code")?.items.length ?? 0) + appendix.functions.length);
  code.raw(emitted.bodies);
  for (const { body } of appendix.functions) code.sized(body);
  contents.set("code", code.finish());
  return contents;
}

/** Imported counters come before the globals that the module defines: whatever names one of these is written anew. */
function moveGlobals(module: Module, { move, exports }: Appendix, contents: Contents): void {
  const isMoved = (expr: ConstExpr | undefined) => expr !== undefined && refersTo(expr, move);
  const hasMoved = ({ mode, elements }: ElementSegment) =>
    (mode.kind === "active" && isMoved(mode.offset)) ||
    elements.some((element) => typeof element !== "number" && isMoved(element));
  for (const section of module.sections) {
    if (section.kind === "export") {
      const items = [...section.items.map((item) => moveExport(item, move)), ...exports];
      contents.set("export", encodeContent({ kind: "export", items }));
    } else if (section.kind === "global" && section.items.some(({ init }) => isMoved(init))) {
      const items = section.items.map((global) => moveGlobal(global, move));
      contents.set("global", encodeContent({ kind: "global", items }));
    } else if (section.kind === "data" && section.items.some(({ active }) => isMoved(active?.offset))) {
      const items = section.items.map((segment) => moveData(segment, move));
      contents.set("data", encodeContent({ kind: "data", items }));
    } else if (section.kind === "element" && section.items.some(hasMoved)) {
      const items = section.items.map((segment) => moveElement(segment, move));
      contents.set("element", encodeContent({ kind: "element", items }));
    }
  }
}

/** A section's content with more items behind those it has, which are copied. */
function appendItems(module: Module, kind: SectionKind, count: number, items: Uint8Array): Uint8Array {
  const source = module.sections.find((section) => section.kind === kind)?.source;
  const writer = new ByteWriter(items.length + 16);
  if (source === undefined) return writer.u32(count).raw(items).finish();
  const reader = new ByteReader(module.bytes, source.contentStart, source.end);
  return writer
    .u32(reader.u32() + count)
    .raw(reader.take(reader.remaining))
    .raw(items)
    .finish();
}

function withoutCount(content: Uint8Array): Uint8Array {
  const reader = new ByteReader(content);
  reader.u32();
  return reader.take(reader.remaining);
}

/** What refers to code by offset and does not fit any more (4.2). */
function isStale(name: string): boolean {
  return (
    name.startsWith(".debug_") ||
    name.startsWith("reloc.") ||
    // Branch hints, and whatever else engines come to take hints from.
    name.startsWith("metadata.code.") ||
    ["sourceMappingURL", "external_debug_info"].includes(name)
  );
}

function assemble(
  module: Module,
  contents: Contents,
  emitted: Emitted,
  hasMovedGlobals: boolean,
): Uint8Array {
  const writer = new ByteWriter(module.bytes.length + emitted.bodies.length + 4_096);
  writer.raw(Uint8Array.from(moduleHeader));
  let done = 0;
  const writeNew = (upTo: number) => {
    for (; done < upTo; done++) {
      const kind = sectionOrder[done] ?? "custom";
      const content = contents.get(kind);
      if (kind === "code" && emitted.hints.functions > 0) writer.byte(0).sized(emitted.hints.content());
      if (content !== undefined) writer.byte(sectionKinds.indexOf(kind)).sized(content);
    }
  };
  for (const section of module.sections) {
    const isDropped = section.kind === "start" || (section.kind === "custom" && isStale(section.name));
    if (isDropped || section.source === undefined) continue;
    if (hasMovedGlobals && section.kind === "custom" && section.name === "name") {
      const names = new ByteWriter(section.items.length + 16)
        .name("name")
        .raw(withoutGlobalNames(section.items));
      writer.byte(0).sized(names.finish());
      continue;
    }
    if (section.kind !== "custom") {
      writeNew(sectionOrder.indexOf(section.kind));
      if (contents.has(section.kind)) {
        writeNew(done + 1);
        continue;
      }
      done++;
    }
    writer.raw(module.bytes.subarray(section.source.start, section.source.end));
  }
  writeNew(sectionOrder.length);
  return writer.finish();
}

function memoryFacts(module: Module, { imported, defined }: Sizes): MemoryFacts[] {
  const from = importsOf(module).filter((item) => item.type.kind === "memory");
  return [...imported, ...defined].map((size, index) => ({
    ...importOf(from[index]),
    minPages: Number(size.min),
    maxPages: size.max === undefined ? undefined : Number(size.max),
    isMemory64: size.is64,
    isShared: size.isShared,
  }));
}

function tableFacts(module: Module, { imported, defined }: Sizes): TableFacts[] {
  const from = importsOf(module).filter((item) => item.type.kind === "table");
  return [...imported, ...defined].map((size, index) => ({
    ...importOf(from[index]),
    minElements: Number(size.min),
    maxElements: size.max === undefined ? undefined : Number(size.max),
  }));
}

function importOf(item: Import | undefined) {
  return item === undefined ? {} : { import: { module: item.module, name: item.name } };
}

function codeSize(module: Module): number {
  const source = findSection(module, "code")?.source;
  return source === undefined ? 0 : source.end - source.contentStart;
}

/** `exactOptionalPropertyTypes`: an absent name is an absent key. */
function withoutUndefined(injected: Record<string, string | undefined>): MeteredModule["injected"] {
  const entries = Object.entries(injected).filter(([, name]) => name !== undefined);
  // The required names are never undefined: `meterModule` gives them.
  return Object.fromEntries(entries) as unknown as MeteredModule["injected"];
}
