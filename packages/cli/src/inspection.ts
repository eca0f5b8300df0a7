/**
 * What a file is, as far as it can be told without running any of it: decoded, never compiled, never
 * instantiated. All of it is plain data, as `--json` prints it.
 */

import { createHash } from "node:crypto";
import { isRemoraError } from "remora/base";
import {
  type Component,
  decodeComponent,
  type ExternType,
  isComponent,
  prepareComponent,
  printWit,
} from "remora/component";
import { decodeModule, type ModuleSummary, summarizeModule } from "remora/wasm";
import { cliErrors } from "./errors.ts";
import { beginning, isWasm } from "./file-start.ts";

export interface FileFacts {
  readonly file: string;
  readonly sizeBytes: number;
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
}

/** A count of pages or elements; a string where it is more than a number of JSON holds exactly. */
export type Size = number | string;

export interface Range {
  readonly min: Size;
  /** Null: as much as the engine gives. */
  readonly max: Size | null;
  readonly is64: boolean;
  readonly isShared: boolean;
}

export interface ModuleFacts {
  readonly codeBytes: number;
  readonly functions: number;
  /** Runs a function when it is instantiated. */
  readonly hasStart: boolean;
  /** Beyond the first version of WebAssembly. */
  readonly features: readonly string[];
  readonly imports: ModuleSummary["imports"];
  readonly exports: ModuleSummary["exports"];
  /** In pages of 64 KiB, imported ones first. */
  readonly memories: readonly Range[];
  /** In elements. */
  readonly tables: readonly (Range & { readonly element: string })[];
  readonly customSections: ModuleSummary["customSections"];
  readonly producers: readonly string[];
}

/** What a component imports or exports. */
export interface ItemFacts {
  readonly name: string;
  readonly kind: ExternType["kind"];
  /** What an instance holds. */
  readonly items?: readonly ItemFacts[];
}

export interface ComponentFacts {
  /** Of all core modules together. */
  readonly features: readonly string[];
  readonly imports: readonly ItemFacts[];
  readonly exports: readonly ItemFacts[];
  /** The same with types, as lines of WIT. */
  readonly world: readonly string[];
  /** The core modules that an instance is made of, in their order. */
  readonly modules: readonly (Omit<FileFacts, "file"> & ModuleFacts)[];
}

export type ModuleInspection = FileFacts & { readonly kind: "module" } & ModuleFacts;
export type ComponentInspection = FileFacts & { readonly kind: "component" } & ComponentFacts;
export type Inspection = ModuleInspection | ComponentInspection;

/**
 * Looks into a file.
 *
 * @throws cli/not-wasm   it does not begin as WebAssembly does
 * @throws wasm/malformed, component/malformed or another error of reading, with the offset
 */
export function inspectBytes(file: string, bytes: Uint8Array): Inspection {
  if (!isWasm(bytes)) throw cliErrors["not-wasm"]({ file, found: beginning(bytes) });
  return isComponent(bytes)
    ? { file, kind: "component", ...identityOf(bytes), ...componentFacts(bytes) }
    : { file, kind: "module", ...identityOf(bytes), ...moduleFacts(bytes) };
}

export function identityOf(bytes: Uint8Array): Omit<FileFacts, "file"> {
  return { sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

function componentFacts(bytes: Uint8Array): ComponentFacts {
  const decoded = decodeComponent(bytes);
  const component = prepareComponent(decoded);
  const modules = component.coreModules.map((module) => ({ ...identityOf(module), ...moduleFacts(module) }));
  return {
    features: [...new Set(modules.flatMap((module) => module.features))].sort(),
    imports: itemsOf(component.imports),
    exports: itemsOf(component.exports),
    world: worldLines(decoded),
    modules,
  };
}

/** A component may run and still have types that unfold to more than anyone can read. */
function worldLines(component: Component): string[] {
  try {
    return printWit(component).trimEnd().split("\n");
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    return [`not shown: ${error.message}`];
  }
}

function itemsOf(items: ReadonlyMap<string, ExternType>): ItemFacts[] {
  return [...items].map(([name, item]) =>
    item.kind === "instance"
      ? { name, kind: item.kind, items: itemsOf(item.exports) }
      : { name, kind: item.kind },
  );
}

function moduleFacts(bytes: Uint8Array): ModuleFacts {
  const summary = summarizeModule(decodeModule(bytes));
  return {
    codeBytes: summary.codeBytes,
    functions: summary.functionCount,
    hasStart: summary.hasStart,
    features: summary.features,
    imports: summary.imports,
    exports: summary.exports,
    memories: summary.memories.map(rangeOf),
    tables: summary.tables.map(({ element, limits }) => ({
      ...rangeOf(limits),
      element: `${element.isNullable ? "nullable " : ""}${element.heap}`,
    })),
    customSections: summary.customSections,
    producers: summary.producers,
  };
}

function rangeOf(limits: ModuleSummary["memories"][number]): Range {
  const { min, max, is64, isShared } = limits;
  return { min: sizeOf(min), max: max === undefined ? null : sizeOf(max), is64, isShared };
}

function sizeOf(count: bigint): Size {
  return count <= Number.MAX_SAFE_INTEGER ? Number(count) : String(count);
}
