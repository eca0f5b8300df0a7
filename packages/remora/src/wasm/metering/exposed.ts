/** Functions that somebody may call of whom the bodies say nothing. */

import { findSection } from "../decode.ts";
import type { Module } from "../module.ts";

/** Marks those in element segments and in the initial values of globals and tables: anybody may call them. */
export function markReferenced(module: Module, isReferenced: Uint8Array): void {
  const take = (indices: readonly number[]) => {
    for (const index of indices) if (index < isReferenced.length) isReferenced[index] = 1;
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

/** By function: 1 for those that are exported; the start function is, once the host calls it. */
export function exportedFunctions(module: Module, functions: number, start: number | undefined): Uint8Array {
  const isExported = new Uint8Array(functions);
  for (const { kind, index } of findSection(module, "export")?.items ?? []) {
    if (kind === "func" && index < isExported.length) isExported[index] = 1;
  }
  if (start !== undefined && start < isExported.length) isExported[start] = 1;
  return isExported;
}
