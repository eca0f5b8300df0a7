/** Sizes of memories and tables: of those that a module defines capped here, of those that it imports by their owner. */

import { importsOf } from "../index-spaces.ts";
import type { Import, Module, SizeLimits } from "../module.ts";
import { capSizes, type Sized } from "./caps.ts";
import type { MemoryFacts, TableFacts } from "./contract.ts";

/** Of one index space. */
export interface Sizes {
  readonly imported: readonly SizeLimits[];
  readonly defined: readonly SizeLimits[];
}

export function capDefined(sizes: readonly SizeLimits[], imported: number, cap: number, what: Sized): Sizes {
  return { imported: sizes.slice(0, imported), defined: capSizes(sizes.slice(imported), cap, what) };
}

export function memoryFacts(module: Module, { imported, defined }: Sizes): MemoryFacts[] {
  const from = importsOf(module).filter((item) => item.type.kind === "memory");
  return [...imported, ...defined].map((size, index) => ({
    ...importOf(from[index]),
    minPages: Number(size.min),
    maxPages: size.max === undefined ? undefined : Number(size.max),
    isMemory64: size.is64,
    isShared: size.isShared,
  }));
}

export function tableFacts(module: Module, { imported, defined }: Sizes): TableFacts[] {
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
