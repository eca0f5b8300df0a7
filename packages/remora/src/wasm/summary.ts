/** What a module is made of, for people and for the policy: imports, exports, sizes, features. */

import { ByteReader } from "./byte-reader.ts";
import { findSection } from "./decode.ts";
import { scanFeatures } from "./features.ts";
import { externTypeOf, type IndexSpaces, importsOf, indexSpaces } from "./index-spaces.ts";
import { type DecodeLimits, defaultDecodeLimits } from "./limits.ts";
import type { ExternType, MemoryType, Module, SizeLimits, TableType } from "./module.ts";
import { type Names, readNames } from "./names.ts";
import { formatStorageType } from "./sections/value-types.ts";

export interface ExternSummary {
  readonly kind: ExternType["kind"];
  /** As in the text format, without the keyword: `(param i32) (result i32)`, `1 16`, `mut i32`. */
  readonly type: string;
}

export interface ImportSummary extends ExternSummary {
  readonly module: string;
  readonly name: string;
}

export interface ExportSummary extends ExternSummary {
  readonly name: string;
}

export interface ModuleSummary {
  readonly bytes: number;
  readonly codeBytes: number;
  readonly functionCount: number;
  readonly imports: readonly ImportSummary[];
  readonly exports: readonly ExportSummary[];
  /** Imported ones first. */
  readonly memories: readonly MemoryType[];
  readonly tables: readonly TableType[];
  readonly hasStart: boolean;
  /** Features beyond the first version of WebAssembly that something in the module uses; sorted. */
  readonly features: readonly string[];
  readonly customSections: readonly { readonly name: string; readonly bytes: number }[];
  readonly names: Names;
  /** From the `producers` section: `processed-by: clang 19.1.7`. */
  readonly producers: readonly string[];
}

/**
 * Sums up a decoded module. Reads every operator once to tell the features.
 * @throws wasm/unknown-opcode, wasm/malformed, … as `decodeModule`, for what is inside of function bodies
 */
export function summarizeModule(module: Module, limits: DecodeLimits = defaultDecodeLimits): ModuleSummary {
  const spaces = indexSpaces(module);
  const customs = module.sections.filter((section) => section.kind === "custom");
  const code = findSection(module, "code")?.source;
  return {
    bytes: module.bytes.length,
    codeBytes: code === undefined ? 0 : code.end - code.contentStart,
    functionCount: spaces.functions.length - spaces.imported.functions,
    imports: importsOf(module).map(({ module: from, name, type }) => ({
      module: from,
      name,
      kind: type.kind,
      type: formatExternType(spaces, type),
    })),
    exports: (findSection(module, "export")?.items ?? []).map(({ name, kind, index }) => {
      const type = externTypeOf(spaces, kind, index);
      return { name, kind, type: type === undefined ? "unknown" : formatExternType(spaces, type) };
    }),
    memories: spaces.memories,
    tables: spaces.tables,
    hasStart: findSection(module, "start") !== undefined,
    features: [...scanFeatures(module, limits).keys()].filter((feature) => feature !== "mvp").sort(),
    customSections: customs.map(({ name, items }) => ({ name, bytes: items.length })),
    names: readNames(module),
    producers: readProducers(customs.find(({ name }) => name === "producers")?.items),
  };
}

export function formatExternType(spaces: IndexSpaces, extern: ExternType): string {
  if (extern.kind === "func" || extern.kind === "tag") {
    const composite = spaces.types[extern.type]?.composite;
    if (composite?.kind !== "func") return `(type ${extern.type})`;
    const part = (keyword: string, types: readonly string[]) =>
      types.length === 0 ? [] : [`(${keyword} ${types.join(" ")})`];
    const parameters = composite.parameters.map(formatStorageType);
    return [...part("param", parameters), ...part("result", composite.results.map(formatStorageType))].join(
      " ",
    );
  }
  if (extern.kind === "global") {
    const value = formatStorageType(extern.type.value);
    return extern.type.isMutable ? `(mut ${value})` : value;
  }
  if (extern.kind === "memory") return formatSize(extern.type);
  return `${formatSize(extern.type.limits)} ${formatStorageType(extern.type.element)}`;
}

export function formatSize({ min, max, is64, isShared }: SizeLimits): string {
  const parts = [is64 ? "i64" : "", `${min}`, max === undefined ? "" : `${max}`, isShared ? "shared" : ""];
  return parts.filter((part) => part !== "").join(" ");
}

const producersMax = 1_000;

/** Tool conventions, "ProducersSection": fields of name and version pairs. Malformed ones are as good as none. */
function readProducers(bytes: Uint8Array | undefined): string[] {
  if (bytes === undefined) return [];
  const reader = new ByteReader(bytes);
  const lines: string[] = [];
  try {
    const fields = reader.count("fields", { max: producersMax });
    for (let field = 0; field < fields; field++) {
      const name = reader.name("a field", 1_000);
      const values = reader.count("values", { max: producersMax });
      for (let value = 0; value < values; value++) {
        lines.push(`${name}: ${reader.name("a value", 1_000)} ${reader.name("a version", 1_000)}`.trim());
      }
    }
  } catch {
    // A tool's remark about itself: whatever could be read is shown, nothing depends on it.
    return lines;
  }
  return lines;
}
