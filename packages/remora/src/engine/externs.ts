/**
 * What crosses the border of an instance's modules. Imports: functions of the host behind a guard, memories and tables
 * counted once, what is the instance's own as it is. Exports: all but those of the meter.
 */

import type { CoreExtern, CoreFunction, CoreImports, CoreInstance } from "../component/core.ts";
import { isSlowHostFunction } from "../component/slow-host.ts";
import { counterModule, reservedPrefix } from "../wasm/metering/contract.ts";
import type { ModuleFacts } from "./compile.ts";
import { guarded } from "./host-guard.ts";
import { withCanonicalBits, withCanonicalResults } from "./host-nan.ts";
import { resultCheck } from "./host-result.ts";
import type { Meter } from "./meter.ts";
import type { ModuleImport } from "./module-imports.ts";
import type { WasmInstance, WasmMemory, WasmTable } from "./webassembly.ts";

const pageBytes = 65_536;

type ImportName = { readonly module: string; readonly name: string } | undefined;

export interface ExternsOptions {
  readonly plugin: string;
  readonly meter: Meter;
  /** The host's NaNs become canonical as well. */
  readonly isStrict: boolean;
  /** What a host function threw; ends the guest. */
  readonly failHost: (error: unknown) => never;
}

export class Externs {
  readonly #options: ExternsOptions;
  /** Functions, memories and tables that came out of this instance's own modules, or were counted. */
  readonly #own = new WeakSet<object>();

  constructor(options: ExternsOptions) {
    this.#options = options;
  }

  adopt(made: object): void {
    this.#own.add(made);
  }

  /** Pages of memories that a module is given and that were not counted before. */
  pagesGiven({ memories }: ModuleFacts, imports: CoreImports): number {
    // V8 checks at linking that it is a memory; here it only must not go uncounted.
    const bytes = (given: CoreExtern) => (given as WasmMemory).buffer?.byteLength ?? 0;
    return this.#sum(memories, imports, (given) => Math.ceil(bytes(given) / pageBytes));
  }

  /** Elements of tables that a module is given and that were not counted before. */
  elementsGiven({ tables }: ModuleFacts, imports: CoreImports): number {
    // As above.
    return this.#sum(tables, imports, (given) => (given as WasmTable).length ?? 0);
  }

  #sum(
    items: readonly { readonly import?: ImportName }[],
    imports: CoreImports,
    sizeOf: (given: CoreExtern) => number,
  ): number {
    let sum = 0;
    for (const item of items) {
      const given = this.#foreign(imports, item.import);
      if (given !== undefined) sum += sizeOf(given);
    }
    return sum;
  }

  /** What is given for an import when it is seen for the first time and not from a module of ours. */
  #foreign(imports: CoreImports, name: ImportName): CoreExtern | undefined {
    if (name === undefined) return undefined;
    const given = importOf(imports, name.module, name.name);
    // What is no object is no memory and no table: V8 says so at linking.
    if (typeof given !== "object" || this.#own.has(given)) return undefined;
    this.#own.add(given);
    return given;
  }

  /** The imports, with every function of the host behind a guard; functions of our own modules stay direct. */
  imports(wanted: readonly ModuleImport[], imports: CoreImports): CoreImports {
    const { meter } = this.#options;
    // Without prototypes: the names are the guest's, and "__proto__" is one of them.
    const hosts: CoreImports = Object.create(null);
    for (const item of wanted) {
      hosts[item.module] ??= Object.create(null) as CoreImports[string];
      const given = importOf(imports, item.module, item.name);
      // Left out when absent: V8 then says which one is missing.
      if (given === undefined) continue;
      (hosts[item.module] as CoreImports[string])[item.name] = this.#guarded(given, item);
    }
    if (meter.counters !== undefined) hosts[counterModule] = meter.counters;
    return hosts;
  }

  #guarded(given: CoreExtern, item: ModuleImport): CoreExtern {
    if (typeof given !== "function" || this.#own.has(given)) return withCanonicalBits(given);
    const { meter, isStrict, failHost, plugin } = this.#options;
    // `typeof` above says that it is a function.
    const plain = given as CoreFunction;
    const hostFunction = isStrict ? withCanonicalResults(plain, item.results) : plain;
    const check = resultCheck(item, plugin);
    const options = { parameters: item.parameters, isSlow: isSlowHostFunction(plain) };
    return guarded(meter, hostFunction, check === undefined ? options : { ...options, check }, failHost);
  }

  exports(instance: WasmInstance): CoreInstance["exports"] {
    const visible: Record<string, CoreExtern> = Object.create(null);
    for (const name in instance.exports) {
      if (name.startsWith(reservedPrefix)) continue;
      const item = instance.exports[name] as CoreExtern;
      visible[name] = item;
      if (typeof item === "function" || typeof item === "object") this.#own.add(item);
    }
    return Object.freeze(visible);
  }
}

/** What the host gives for an import; nothing that an object merely inherits. */
function importOf(imports: CoreImports, module: string, name: string): CoreExtern | undefined {
  if (!Object.hasOwn(imports, module)) return undefined;
  const fields = imports[module];
  if (fields === undefined || !Object.hasOwn(fields, name)) return undefined;
  return fields[name] ?? undefined;
}
