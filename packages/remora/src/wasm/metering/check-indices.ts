/**
 * Indices outside of bodies (the analyser has those inside). V8 has validated the original, so this finds nothing;
 * it is the second wall between an index beyond the end and what is appended there.
 */

import { wasmErrors } from "../errors.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { ConstExpr, ExternKind, Module, Section } from "../module.ts";

/** @throws wasm/unknown-index */
export function checkIndices(module: Module, spaces: IndexSpaces): void {
  const counts: Record<ExternKind, number> = {
    func: spaces.functions.length,
    table: spaces.tables.length,
    memory: spaces.memories.length,
    global: spaces.globals.length,
    tag: spaces.tags.length,
  };
  for (const section of module.sections) checkSection(section);
  for (const type of spaces.functions) check("type", type, spaces.types.length, 0);
  for (const type of spaces.tags) check("type", type, spaces.types.length, 0);

  function checkSection(section: Section): void {
    const offset = section.source?.start ?? 0;
    const within = (kind: ExternKind, index: number) => check(kind, index, counts[kind], offset);
    const expression = (expr: ConstExpr | undefined) => {
      for (const index of expr?.functions ?? []) within("func", index);
      for (const index of expr?.globals ?? []) within("global", index);
    };
    if (section.kind === "export") for (const { kind, index } of section.items) within(kind, index);
    if (section.kind === "start") within("func", section.items);
    if (section.kind === "table") for (const { init } of section.items) expression(init);
    if (section.kind === "global") for (const { init } of section.items) expression(init);
    if (section.kind === "data") for (const { active } of section.items) expression(active?.offset);
    if (section.kind !== "element") return;
    for (const { mode, elements } of section.items) {
      if (mode.kind === "active") {
        within("table", mode.table);
        expression(mode.offset);
      }
      for (const element of elements) {
        if (typeof element === "number") within("func", element);
        else expression(element);
      }
    }
  }
}

function check(space: string, index: number, count: number, offset: number): void {
  if (index >= count) throw wasmErrors["unknown-index"]({ offset, space, index, count });
}
