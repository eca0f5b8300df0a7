/**
 * Modules that Remora writes itself: functions as text around memories and functions that are imported or its own. The
 * guest's side of a wall writes them when it starts, so they do without the encoder of all modules.
 */

import { assembleBody, writeOwnType } from "../../wasm/assemble.ts";
import { ByteWriter } from "../../wasm/byte-writer.ts";
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

/** The module's bytes (§5.5). Each import and each function has a type of its own, with its own index. */
export function smallModule(options: SmallModuleOptions): Uint8Array {
  const { functionImports, memoryImports = [], memory, globals = [], functions } = options;
  const types = [...functionImports.map(([, , type]) => type), ...functions.map(({ type }) => type)];
  const ownIndex = (index: number) => functionImports.length + index;
  const module = new ByteWriter();
  module.raw(header);
  writeSection(module, sections.type, types, writeFuncType);
  writeSection(module, sections.import, [...functionImports, ...memoryImports], (to, imported, index) => {
    const [from, name, type] = imported;
    to.name(from).name(name);
    if (type === undefined) to.byte(kinds.memory).byte(noMaximum).u32(0);
    else to.byte(kinds.function).u32(index);
  });
  writeSection(module, sections.function, functions, (to, _, index) => to.u32(ownIndex(index)));
  writeSection(module, sections.memory, memory === undefined ? [] : [memory], (to, own) =>
    to.byte(withMaximum).u32(own.pagesMin).u32(own.pagesMax),
  );
  writeSection(module, sections.global, globals, (to, value) => {
    writeOwnType(to, "i32");
    // Behind its locals, of which there are none, a body is a constant expression.
    to.byte(isMutable).raw(assembleBody([], `i32.const ${value}`).subarray(1));
  });
  const exported = functions.flatMap(({ name }, index) =>
    name === undefined ? [] : [{ name, kind: kinds.function, index: ownIndex(index) }],
  );
  if (memory !== undefined)
    exported.push({ name: memory.name, kind: kinds.memory, index: memoryImports.length });
  writeSection(module, sections.export, exported, (to, { name, kind, index }) =>
    to.name(name).byte(kind).u32(index),
  );
  writeSection(module, sections.code, functions, (to, { locals, code }) =>
    to.sized(assembleBody(locals, code)),
  );
  return module.finish();
}

const header = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
const sections = { type: 1, import: 2, function: 3, memory: 5, global: 6, export: 7, code: 10 } as const;
const kinds: Readonly<Record<"function" | "memory", number>> = { function: 0, memory: 2 };
const noMaximum = 0x00;
const withMaximum = 0x01;
const isMutable = 0x01;
const functionForm = 0x60;

function writeSection<Item>(
  module: ByteWriter,
  id: number,
  items: readonly Item[],
  write: (to: ByteWriter, item: Item, index: number) => unknown,
): void {
  if (items.length === 0) return;
  const content = new ByteWriter();
  content.u32(items.length);
  for (const [index, item] of items.entries()) write(content, item, index);
  module.byte(id).sized(content.finish());
}

function writeFuncType(to: ByteWriter, { parameters, results }: FuncType): void {
  to.byte(functionForm);
  to.vector(parameters, writeOwnType).vector(results, writeOwnType);
}
