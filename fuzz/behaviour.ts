/**
 * What a random module does when each of its exports is called in turn: everything that it logs, returns, throws
 * and leaves in its memory, as a list of lines. Two runs are alike when their lists are.
 */

import { createHash } from "node:crypto";
import { decodeModule, externTypeOf, findSection, indexSpaces, type ValueType } from "remora/wasm";
import type { Side } from "../conformance/core/side.ts";
import type {
  CoreExtern,
  CoreFunction,
  CoreImports,
  CoreMemory,
} from "../packages/remora/src/component/core.ts";
import { type WasmGlobal, type WasmTable, webAssembly } from "../packages/remora/src/engine/webassembly.ts";

export interface Behaviour {
  readonly lines: readonly string[];
  /** Of each call that returned, and in which nothing trapped: a trap leaves the counter where it was last written. */
  readonly fuel: readonly (number | undefined)[];
  /** V8's own stack ran out, at a depth that nobody promises: not to be compared. */
  readonly isDepthDependent: boolean;
}

/** Lines kept of one run; a module that logs more is compared up to here. */
const linesMax = 20_000;

/** Host calls that call back into the guest, inside of one another. */
const depthMax = 8;

/** Such calls in one run: inside of one another they multiply, at hardly any fuel. */
const callsBackMax = 5_000;

export function behaviourOf(bytes: Uint8Array, side: Side): Behaviour {
  const lines: string[] = [];
  const fuel: (number | undefined)[] = [];
  let isDepthDependent = false;
  let depth = 0;
  let callsBack = 0;
  let hasTrapped = false;
  const log = (line: string) => {
    if (lines.length < linesMax) lines.push(line);
  };
  let exports: Readonly<Record<string, CoreExtern>> = {};
  try {
    exports = side.instantiate(bytes, importsFor(bytes));
  } catch (error) {
    log(`instantiation: ${failure(error)}`);
    return { lines, fuel, isDepthDependent };
  }
  for (const { name, parameters } of functionsOf(bytes)) {
    for (const variant of [0, 1]) {
      if (variant === 1 && parameters.length === 0) continue;
      const args = parameters.map((type, index) => argument(type, index + variant));
      hasTrapped = false;
      try {
        const result: unknown = side.call(() => (exports[name] as CoreFunction)(...args));
        log(`${name}: ${describe(result)}`);
      } catch (error) {
        log(`${name}: ${failure(error)}`);
      }
      fuel.push(hasTrapped ? undefined : side.fuelUsed);
    }
  }
  for (const [name, item] of Object.entries(exports)) {
    if (typeof item === "function") continue;
    if ("buffer" in item) {
      const { buffer } = item as CoreMemory;
      log(`memory ${name}: ${createHash("sha256").update(new Uint8Array(buffer)).digest("hex")}`);
    } else if ("value" in item) log(`global ${name}: ${globalValue(item as WasmGlobal)}`);
    else if ("length" in item) log(`table ${name}: ${(item as WasmTable).length}`);
  }
  return { lines, fuel, isDepthDependent };

  function failure(error: unknown): string {
    const isStackOut = error instanceof RangeError && error.message.includes("call stack");
    if (isStackOut || side.isStackSpent()) isDepthDependent = true;
    hasTrapped = true;
    if (error instanceof webAssembly.RuntimeError) return `trapped: ${error.message}`;
    if (error instanceof webAssembly.Exception) return "threw";
    if (error instanceof Error) return `${error.name}: ${error.message.replace(/.*: /, "")}`;
    return `threw ${describe(error)}`;
  }

  function callBack(callee: unknown): void {
    if (typeof callee !== "function" || depth >= depthMax || callsBack >= callsBackMax) return;
    callsBack++;
    depth++;
    try {
      log(`called back: ${describe((callee as CoreFunction)())}`);
    } finally {
      depth--;
    }
  }

  /** 1 when it failed, as the tool's own shell has it. */
  function callBackCaught(callee: unknown): number {
    try {
      callBack(callee);
      return 0;
    } catch (error) {
      log(`caught: ${failure(error)}`);
      return 1;
    }
  }

  function importsFor(module: Uint8Array): CoreImports {
    const { Tag, JSTag } = webAssembly;
    const wasmTag = new Tag({ parameters: ["i32"] });
    const exportAt = (index: number) => exports[Object.keys(exports)[index >>> 0] ?? ""];
    const table = () => exports.table as WasmTable;
    const support: Record<string, CoreExtern> = {
      throw: (which: number) => {
        if (which === 0) throw "a string by the host";
        throw new webAssembly.Exception(wasmTag as never, [which] as never);
      },
      "table-get": (index: number) => table().get(index >>> 0),
      "table-set": (index: number, value: CoreFunction | null) => table().set(index >>> 0, value),
      "call-export": (index: number) => callBack(exportAt(index)),
      "call-export-catch": (index: number) => callBackCaught(exportAt(index)),
      "call-ref": (callee: unknown) => callBack(callee),
      "call-ref-catch": (callee: unknown) => callBackCaught(callee),
      sleep: (_ms: number, id: number) => id,
      wasmtag: wasmTag,
      jstag: JSTag,
    };
    const imports: CoreImports = {};
    for (const { module: from, name, kind } of webAssembly.Module.imports(new webAssembly.Module(module))) {
      const fields = imports[from] ?? {};
      imports[from] = fields;
      if (from === "fuzzing-support" && Object.hasOwn(support, name))
        fields[name] = support[name] as CoreExtern;
      else if (kind === "function")
        fields[name] = (...args: unknown[]) => log(`${name} ${args.map(describe).join(" ")}`);
      // Immutable globals of references take any value.
      else if (kind === "global") fields[name] = `host ${name}` as unknown as CoreExtern;
    }
    return imports;
  }
}

interface Callable {
  readonly name: string;
  readonly parameters: readonly ValueType[];
}

function functionsOf(bytes: Uint8Array): Callable[] {
  const module = decodeModule(bytes);
  const spaces = indexSpaces(module);
  const callable: Callable[] = [];
  for (const { name, kind, index } of findSection(module, "export")?.items ?? []) {
    const type = externTypeOf(spaces, kind, index);
    const composite = type?.kind === "func" ? spaces.types[type.type]?.composite : undefined;
    if (composite?.kind === "func") callable.push({ name, parameters: composite.parameters });
  }
  return callable;
}

const numbers = [0, 1, -1, 42, 0x7fff_ffff, -0x8000_0000, 3.75];

function argument(type: ValueType, index: number): unknown {
  const number = numbers[index % numbers.length] ?? 0;
  if (type === "i64") return BigInt(Math.trunc(number)) * 0x1_0000_0001n;
  return typeof type === "string" ? number : null;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.map(describe).join(", ");
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  return Object.is(value, -0) ? "-0" : String(value);
}

function globalValue(global: WasmGlobal): string {
  try {
    return describe(global.value);
  } catch {
    // A v128 or an exception cannot be read from JavaScript.
    return "not for JavaScript";
  }
}
