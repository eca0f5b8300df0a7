/** What each index of a module means: imports come before definitions in every space (§2.5.1). */

import { wasmErrors } from "./errors.ts";
import type { ExternType, GlobalType, Import, MemoryType, Module, SubType, TableType } from "./module.ts";
import type { FuncType } from "./sections/value-types.ts";

export interface IndexSpaces {
  readonly types: readonly SubType[];
  /** Type index of each function. */
  readonly functions: readonly number[];
  readonly tables: readonly TableType[];
  readonly memories: readonly MemoryType[];
  readonly globals: readonly GlobalType[];
  /** Type index of each tag. */
  readonly tags: readonly number[];
  /** How many of each space are imported. */
  readonly imported: {
    readonly functions: number;
    readonly tables: number;
    readonly memories: number;
    readonly globals: number;
    readonly tags: number;
  };
}

export function indexSpaces(module: Module): IndexSpaces {
  const types: SubType[] = [];
  const functions: number[] = [];
  const tables: TableType[] = [];
  const memories: MemoryType[] = [];
  const globals: GlobalType[] = [];
  const tags: number[] = [];
  let imported = { functions: 0, tables: 0, memories: 0, globals: 0, tags: 0 };
  // Sections stand in order, imports before definitions.
  for (const section of module.sections) {
    if (section.kind === "type") for (const group of section.items) types.push(...group.types);
    if (section.kind === "import") {
      for (const item of section.items) addExtern(item.type);
      imported = {
        functions: functions.length,
        tables: tables.length,
        memories: memories.length,
        globals: globals.length,
        tags: tags.length,
      };
    }
    if (section.kind === "function") for (const type of section.items) functions.push(type);
    if (section.kind === "table") for (const table of section.items) tables.push(table.type);
    if (section.kind === "memory") for (const memory of section.items) memories.push(memory);
    if (section.kind === "global") for (const global of section.items) globals.push(global.type);
    if (section.kind === "tag") for (const tag of section.items) tags.push(tag);
  }
  return { types, functions, tables, memories, globals, tags, imported };

  function addExtern(extern: ExternType): void {
    if (extern.kind === "func") functions.push(extern.type);
    else if (extern.kind === "table") tables.push(extern.type);
    else if (extern.kind === "memory") memories.push(extern.type);
    else if (extern.kind === "global") globals.push(extern.type);
    else tags.push(extern.type);
  }
}

/**
 * The function type with this index.
 * @throws wasm/unknown-index, wasm/malformed when it is not a function type
 */
export function funcTypeAt(spaces: IndexSpaces, index: number, offset: number): FuncType {
  const type = spaces.types[index];
  if (type === undefined) {
    throw wasmErrors["unknown-index"]({ offset, space: "type", index, count: spaces.types.length });
  }
  if (type.composite.kind !== "func") {
    const { kind } = type.composite;
    throw wasmErrors.malformed({ offset, what: `type ${index}`, found: kind, allowed: "a function type" });
  }
  return type.composite;
}

/** What an export refers to, with its type; undefined when the index is out of range. */
export function externTypeOf(
  spaces: IndexSpaces,
  kind: ExternType["kind"],
  index: number,
): ExternType | undefined {
  const of = <Type>(type: Type | undefined, make: (type: Type) => ExternType) =>
    type === undefined ? undefined : make(type);
  if (kind === "func") return of(spaces.functions[index], (type) => ({ kind, type }));
  if (kind === "table") return of(spaces.tables[index], (type) => ({ kind, type }));
  if (kind === "memory") return of(spaces.memories[index], (type) => ({ kind, type }));
  if (kind === "global") return of(spaces.globals[index], (type) => ({ kind, type }));
  return of(spaces.tags[index], (type) => ({ kind, type }));
}

/** The imports, or none. */
export function importsOf(module: Module): readonly Import[] {
  for (const section of module.sections) if (section.kind === "import") return section.items;
  return [];
}
