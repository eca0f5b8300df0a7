/** The sections of a metered module that are not those of the original: what is appended, capped or moved in them. */

import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { findSection } from "../decode.ts";
import { encodeContent } from "../encode.ts";
import type { ConstExpr, ElementSegment, Module, Section, SectionKind, SizeLimits } from "../module.ts";
import type { Appendix } from "./appendix.ts";
import type { Emitted } from "./emit.ts";
import { moveData, moveElement, moveExport, moveExpr, moveGlobal, refersTo } from "./shared-counters.ts";
import type { Sizes } from "./sizes.ts";

export interface RewriteInput {
  readonly module: Module;
  readonly appendix: Appendix;
  readonly emitted: Emitted;
  readonly memories: Sizes;
  readonly tables: Sizes;
}

/** In pieces, by the kind of section, which must be in the module or get its place in `assemble-sections.ts`. */
export type Contents = Map<SectionKind, readonly Uint8Array[]>;

/** New contents of the sections that change. */
export function rewriteSections({ module, appendix, emitted, memories, tables }: RewriteInput): Contents {
  const contents: Contents = new Map();
  const append = (kind: SectionKind, added: Section) => {
    const count = Array.isArray(added.items) ? added.items.length : 0;
    contents.set(kind, [appendItems(module, kind, count, withoutCount(encodeContent(added)))]);
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
  const ownItems = ownTables.map((table, index) => ({
    init: table.init === undefined ? undefined : moveExpr(table.init, appendix.move),
    type: { ...table.type, limits: tables.defined[index] ?? table.type.limits },
  }));
  const refill = {
    type: { element: { isNullable: true, heap: "func" }, limits: one },
    init: undefined,
  } as const;
  contents.set("table", [encodeContent({ kind: "table", items: [...ownItems, refill] })]);
  if (memories.defined.length > 0) {
    contents.set("memory", [encodeContent({ kind: "memory", items: memories.defined })]);
  }
  const count = (findSection(module, "code")?.items.length ?? 0) + appendix.functions.length;
  const added = new ByteWriter(4_096);
  for (const { body } of appendix.functions) added.sized(body);
  contents.set("code", [new ByteWriter(16).u32(count).finish(), emitted.bodies, added.finish()]);
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
      contents.set("export", [encodeContent({ kind: "export", items })]);
    } else if (section.kind === "global" && section.items.some(({ init }) => isMoved(init))) {
      const items = section.items.map((global) => moveGlobal(global, move));
      contents.set("global", [encodeContent({ kind: "global", items })]);
    } else if (section.kind === "data" && section.items.some(({ active }) => isMoved(active?.offset))) {
      const items = section.items.map((segment) => moveData(segment, move));
      contents.set("data", [encodeContent({ kind: "data", items })]);
    } else if (section.kind === "element" && section.items.some(hasMoved)) {
      const items = section.items.map((segment) => moveElement(segment, move));
      contents.set("element", [encodeContent({ kind: "element", items })]);
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
