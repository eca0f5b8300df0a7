/** What a core module imports and exports, read out of its bytes or out of a declared module type. */

import { isRemoraError } from "../../base/index.ts";
import {
  decodeModule,
  externTypeOf,
  findSection,
  type IndexSpaces,
  importsOf,
  indexSpaces,
} from "../../wasm/index.ts";
import type { ExternType } from "../../wasm/module.ts";
import { formatStorageType } from "../../wasm/sections/value-types.ts";
import { componentErrors } from "../errors.ts";
import type {
  CoreExternDecl,
  CoreFuncTypeDecl,
  CoreModuleDefinition,
  CoreTypeDecl,
  CoreValueType,
} from "../model.ts";
import type { CoreExtern, CoreModuleType } from "./entity.ts";

/** @throws component/malformed when it is not a module, with the offset in the whole file */
export function coreModuleType(definition: CoreModuleDefinition): CoreModuleType {
  const { bytes, offset } = definition;
  try {
    const module = decodeModule(bytes);
    const spaces = indexSpaces(module);
    const imports = importsOf(module).map((item) => ({
      module: item.module,
      name: item.name,
      type: externOf(spaces, item.type),
    }));
    refuseDuplicates(imports, offset);
    const exports = new Map<string, CoreExtern>();
    for (const { name, kind, index } of findSection(module, "export")?.items ?? []) {
      const type = externTypeOf(spaces, kind, index);
      if (type === undefined) {
        throw componentErrors.invalid({ what: `core module exports an unknown ${kind} ${index}`, offset });
      }
      exports.set(name, externOf(spaces, type));
    }
    return { imports, exports };
  } catch (error) {
    if (!isRemoraError(error) || !error.code.startsWith("wasm/")) throw error;
    // The wasm layer counts from the module's own first byte.
    const inner = (error.details as { offset?: number } | undefined)?.offset ?? 0;
    throw componentErrors.malformed({ what: `core module: ${error.message}`, offset: offset + inner }, error);
  }
}

/** Explainer.md: two imports of one module name and name cannot be told apart. */
function refuseDuplicates(
  imports: readonly { readonly module: string; readonly name: string }[],
  offset: number,
): void {
  const seen = new Set<string>();
  for (const { module, name } of imports) {
    const key = JSON.stringify([module, name]);
    if (seen.has(key)) {
      throw componentErrors.invalid({ what: `core import "${module}" "${name}" given twice`, offset });
    }
    seen.add(key);
  }
}

function externOf(spaces: IndexSpaces, type: ExternType): CoreExtern {
  switch (type.kind) {
    case "func":
    case "tag": {
      const composite = spaces.types[type.type]?.composite;
      if (composite?.kind !== "func") return { kind: type.kind, signature: `type ${type.type}` };
      const text = (types: typeof composite.parameters) => types.map(formatStorageType).join(" ");
      return { kind: type.kind, signature: signature(text(composite.parameters), text(composite.results)) };
    }
    case "memory":
      return { kind: "memory", ...type.type };
    case "table":
      return { kind: "table", element: formatStorageType(type.type.element), ...type.type.limits };
    case "global":
      return {
        kind: "global",
        valueType: formatStorageType(type.type.value),
        isMutable: type.type.isMutable,
      };
  }
}

/** Core §3.2.4: of 64 KiB each, with 32-bit addresses. */
const pagesMax = 65_536n;

export function signature(params: string, results: string): string {
  return `(${params}) -> (${results})`;
}

function coreValueText(type: CoreValueType): string {
  return typeof type === "string" ? type : type.ref;
}

export function declaredSignature(type: CoreFuncTypeDecl): string {
  return signature(type.params.map(coreValueText).join(" "), type.results.map(coreValueText).join(" "));
}

/** An extern of a declared module type; its types stand in that declaration's own index space. */
export function declaredExtern(
  type: CoreExternDecl,
  types: readonly CoreTypeDecl[],
  offset: number,
): CoreExtern {
  switch (type.kind) {
    case "func":
    case "tag": {
      const found = types[type.type];
      if (found === undefined)
        throw componentErrors.invalid({ what: `unknown core type ${type.type}`, offset });
      if (found.kind === "module") {
        throw componentErrors.invalid({ what: `core type ${type.type} is not a function type`, offset });
      }
      if (type.kind === "tag" && found.kind === "func" && found.results.length > 0) {
        throw componentErrors.invalid({ what: "a tag has no results", offset });
      }
      return {
        kind: type.kind,
        signature: found.kind === "func" ? declaredSignature(found) : `type ${type.type}`,
      };
    }
    case "table":
      checkSize(type.type, offset);
      return {
        kind: "table",
        element: coreValueText(type.type.element),
        min: type.type.min,
        max: type.type.max,
        is64: type.type.is64,
        isShared: type.type.isShared,
      };
    case "memory":
      checkSize(type.type, offset);
      if (!type.type.is64 && [type.type.min, type.type.max ?? 0n].some((pages) => pages > pagesMax)) {
        throw componentErrors.invalid({ what: `a memory of more than ${pagesMax} pages`, offset });
      }
      return { kind: "memory", ...type.type };
    case "global":
      return { kind: "global", valueType: coreValueText(type.valueType), isMutable: type.isMutable };
  }
}

function checkSize(size: { readonly min: bigint; readonly max: bigint | undefined }, offset: number): void {
  if (size.max !== undefined && size.max < size.min) {
    throw componentErrors.invalid({
      what: `a maximum of ${size.max} below the minimum of ${size.min}`,
      offset,
    });
  }
}

/** Why one core extern cannot stand where another is wanted; undefined when it can (core §3.3, import matching). */
export function coreMismatch(given: CoreExtern, wanted: CoreExtern): string | undefined {
  if (given.kind !== wanted.kind) return `expected a core ${wanted.kind}, found a core ${given.kind}`;
  if ((given.kind === "func" && wanted.kind === "func") || (given.kind === "tag" && wanted.kind === "tag")) {
    if (given.signature === wanted.signature) return undefined;
    return `expected core ${wanted.kind} ${wanted.signature}, found ${given.signature}`;
  }
  if (given.kind === "global" && wanted.kind === "global") {
    const isSame = given.valueType === wanted.valueType && given.isMutable === wanted.isMutable;
    return isSame ? undefined : "expected another type of core global";
  }
  if (given.kind === "table" && wanted.kind === "table" && given.element !== wanted.element) {
    return `expected a core table of ${wanted.element}, found one of ${given.element}`;
  }
  if (!("min" in given) || !("min" in wanted)) return undefined;
  if (given.is64 !== wanted.is64) return `expected another index type of core ${wanted.kind}`;
  if (given.isShared !== wanted.isShared) return `expected another sharing of core ${wanted.kind}`;
  if (given.min < wanted.min) return `core ${wanted.kind} is smaller than wanted`;
  if (wanted.max !== undefined && (given.max === undefined || given.max > wanted.max)) {
    return `core ${wanted.kind} may grow larger than wanted`;
  }
  return undefined;
}
