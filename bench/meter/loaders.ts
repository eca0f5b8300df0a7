/**
 * The ways in which a benchmarked module is loaded: as it is, with exact fuel, with a deadline alone. A program is
 * written once against a loader; what comes from JavaScript glue of an npm package gets a `WebAssembly` of ours.
 */

import { counterModule, type MeterMode, type MeterOptions, reservedPrefix } from "remora/wasm";
import type { CoreImports } from "../../packages/remora/src/component/core.ts";
import {
  type CompiledModule,
  compileRewritten,
  rewriteChecked,
} from "../../packages/remora/src/engine/compile.ts";
import { Meter } from "../../packages/remora/src/engine/meter.ts";
import { type WasmInstance, webAssembly } from "../../packages/remora/src/engine/webassembly.ts";
import { meterSteps } from "../../packages/remora/src/wasm/metering/meter-module.ts";

export type Exports = WasmInstance["exports"];

export interface Loader {
  readonly name: string;
  instantiate(bytes: Uint8Array, imports: CoreImports): WasmInstance;
  /** Modules loaded so far. */
  readonly loaded: number;
  /** Runs a piece of work inside one budget. */
  run<Result>(work: () => Result): Result;
}

export function plainLoader(): Loader {
  let loaded = 0;
  return {
    name: "plain",
    get loaded() {
      return loaded;
    },
    instantiate(bytes, imports) {
      loaded++;
      return new webAssembly.Instance(new webAssembly.Module(bytes), imports);
    },
    run: (work) => work(),
  };
}

const limits = { memoryPagesMax: 65_536, tableElementsMax: 10_000_000, stackSlotsMax: 65_536 };

export function meterOptions(mode: MeterMode): MeterOptions {
  const { memoryPagesMax, tableElementsMax } = limits;
  return { mode, profile: "default", memoryPagesMax, tableElementsMax, stack: true };
}

/** The defaults of a plugin, of one module unless it shares its counters: a deadline as well as fuel, neither reached. */
export function meteredLoader(mode: MeterMode, sharesCounters = false): Loader {
  const meter = new Meter({ limits, sharesCounters });
  const options = { ...meterOptions(mode), sharesCounters };
  const budget = { fuelMax: mode === "fuel" ? 1e15 : Infinity, deadlineMs: 1_000_000 };
  // Always inside a budget: glue runs constructors when it likes. Each piece of work gets a new one.
  meter.begin(budget);
  const run = <Result>(work: () => Result): Result => {
    meter.end();
    meter.begin(budget);
    return work();
  };
  let loaded = 0;
  return {
    name: mode,
    run,
    get loaded() {
      return loaded;
    },
    instantiate(bytes, imports) {
      loaded++;
      const { module, facts } = compiled(bytes, options);
      const instance = new webAssembly.Instance(module, {
        ...imports,
        ...(meter.counters !== undefined && { [counterModule]: meter.counters }),
      });
      meter.attach(instance, facts.injected, facts.stackSlotsUncounted);
      const { start } = facts.injected;
      // The rewriter promises its type.
      if (start !== undefined) (instance.exports[start] as () => void)();
      const own = Object.entries(instance.exports).filter(([name]) => !name.startsWith(reservedPrefix));
      return { exports: Object.freeze(Object.fromEntries(own)) };
    },
  };
}

function compiled(bytes: Uint8Array, options: MeterOptions): CompiledModule {
  const origin = { plugin: "bench", digest: "" };
  const { bytes: rewritten, ...facts } = rewriteChecked(bytes, origin, options, meterSteps);
  return compileRewritten(rewritten, facts, origin);
}

/** A compiled module as glue sees it: the bytes until they are instantiated. */
class LoadedModule {
  readonly bytes: Uint8Array;
  constructor(source: Uint8Array | ArrayBuffer) {
    this.bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  }
}

/**
 * Runs `work`, and whatever it awaits, with a global `WebAssembly` that loads through `loader`. One at a time.
 */
export async function withGlobal<Result>(loader: Loader, work: () => Promise<Result>): Promise<Result> {
  const place = globalThis as unknown as { WebAssembly: object };
  const original = place.WebAssembly;
  const load = (source: unknown, imports: CoreImports) => {
    const bytes =
      source instanceof LoadedModule ? source.bytes : new LoadedModule(source as Uint8Array).bytes;
    return loader.instantiate(bytes, imports);
  };
  place.WebAssembly = Object.create(original, {
    Module: { value: LoadedModule },
    compile: { value: async (source: Uint8Array) => new LoadedModule(source) },
    Instance: {
      // Glue calls it with `new`, which gives what a constructor returns.
      value: function Instance(source: unknown, imports: CoreImports) {
        return load(source, imports);
      },
    },
    instantiate: {
      value: async (source: unknown, imports: CoreImports) => {
        const instance = load(source, imports);
        return source instanceof LoadedModule
          ? instance
          : { module: new LoadedModule(source as Uint8Array), instance };
      },
    },
  });
  try {
    return await work();
  } finally {
    place.WebAssembly = original;
  }
}
