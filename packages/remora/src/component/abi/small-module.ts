/** Modules that Remora writes itself: functions as text around memories and functions that are imported or its own. */

import { assembleBody } from "../../wasm/assemble.ts";
import { encodeModule } from "../../wasm/encode.ts";
import type { Export, ExternType, Section } from "../../wasm/module.ts";
import type { FuncType, ValueType } from "../../wasm/sections/value-types.ts";

export interface SmallFunction {
  readonly type: FuncType;
  /** Types of the locals behind the parameters. */
  readonly locals: readonly ValueType[];
  /** See `assembleBody`. Function indices begin with the imports, in their order. */
  readonly code: string;
  /** Exported under this name. */
  readonly name?: string;
}

export interface SmallModuleOptions {
  readonly functionImports: readonly (readonly [module: string, name: string, type: FuncType])[];
  readonly memoryImports?: readonly (readonly [module: string, name: string])[];
  /** A memory of the module's own, exported under this name; it is the last of its memories. */
  readonly memory?: { readonly name: string; readonly pagesMin: number; readonly pagesMax: number };
  /** First values of globals of type i32. */
  readonly globals?: readonly number[];
  readonly functions: readonly SmallFunction[];
}

export function funcType(parameters: readonly ValueType[], results: readonly ValueType[] = []): FuncType {
  return { kind: "func", parameters, results };
}

/** Each import and each function has a type of its own, with its own index. */
export function smallModule(options: SmallModuleOptions): Uint8Array {
  const { functionImports, memoryImports = [], memory, globals = [], functions } = options;
  const importedMemory: ExternType = { kind: "memory", type: pages(0, undefined) };
  const types = [...functionImports.map(([, , type]) => type), ...functions.map(({ type }) => type)];
  const imports = [
    ...functionImports.map(([module, name], type) => ({
      module,
      name,
      type: { kind: "func" as const, type },
    })),
    ...memoryImports.map(([module, name]) => ({ module, name, type: importedMemory })),
  ];
  const exports: Export[] = functions.flatMap(({ name }, index) =>
    name === undefined ? [] : [{ name, kind: "func" as const, index: functionImports.length + index }],
  );
  if (memory !== undefined) exports.push({ name: memory.name, kind: "memory", index: memoryImports.length });
  const sections: Section[] = [
    {
      kind: "type",
      items: types.map((composite) => ({
        isExplicit: false,
        types: [{ isFinal: true, supertypes: [], composite }],
      })),
    },
    { kind: "import", items: imports },
    { kind: "function", items: functions.map((_, index) => functionImports.length + index) },
  ];
  if (memory !== undefined)
    sections.push({ kind: "memory", items: [pages(memory.pagesMin, memory.pagesMax)] });
  if (globals.length > 0) sections.push({ kind: "global", items: globals.map(mutableGlobal) });
  sections.push({ kind: "export", items: exports }, { kind: "code", items: functions.map(bodyOf) });
  return encodeModule({ bytes: new Uint8Array(0), sections });
}

function pages(min: number, max: number | undefined) {
  return { min: BigInt(min), max: max === undefined ? undefined : BigInt(max), is64: false, isShared: false };
}

function mutableGlobal(value: number) {
  // The body of a function without locals is its code and an `end`, as a constant expression is.
  const bytes = assembleBody([], `i32.const ${value}`).subarray(1);
  return { type: { value: "i32" as const, isMutable: true }, init: { bytes, functions: [], globals: [] } };
}

function bodyOf({ locals, code }: SmallFunction) {
  const within = assembleBody(locals, code);
  return { within, offset: 0, size: within.length };
}
