/** Remora, with its limits and without: the latter runs the original modules as V8 has them. */

import { decodeComponent, prepareComponent } from "remora/component";
import { CompileCache, defaultLimits, type Limits, openArtifact } from "remora/engine";
import type { CoreEngine, CoreImports, CoreInstance } from "../../packages/remora/src/component/core.ts";
import { routineEngine } from "../../packages/remora/src/engine/routine-engine.ts";
import { textCodec } from "../../packages/remora/src/engine/text.ts";
import {
  type WasmInstance,
  type WasmModule,
  webAssembly,
} from "../../packages/remora/src/engine/webassembly.ts";
import type { Contestant } from "./contestant.ts";

export const limits: Limits = defaultLimits;

export function remora(name: string, given: Limits): Contestant {
  let cache = new CompileCache();
  return {
    name,
    hasLimits: true,
    async prepare(component, imports = {}) {
      const artifact = openArtifact(component, { cache, plugin: "bench" });
      return () => artifact.instantiate({ imports, limits: given });
    },
    forget() {
      cache = new CompileCache();
    },
  };
}

export function remoraUnlimited(name: string): Contestant {
  return {
    name,
    hasLimits: false,
    async prepare(component, imports = {}) {
      const prepared = prepareComponent(decodeComponent(component));
      const compiled = new Map<Uint8Array, WasmModule>();
      return () => prepared.instantiate({ engine: new PlainEngine(compiled), imports });
    },
  };
}

/** One call at a time and no accounts: all that the canonical ABI itself asks for. */
class PlainEngine implements CoreEngine {
  readonly text = textCodec;
  readonly routines = routineEngine;
  #isBusy = false;
  readonly #compiled: Map<Uint8Array, WasmModule>;

  constructor(compiled: Map<Uint8Array, WasmModule>) {
    this.#compiled = compiled;
  }

  instantiate(bytes: Uint8Array, imports: CoreImports): CoreInstance {
    let module = this.#compiled.get(bytes);
    if (module === undefined) {
      module = new webAssembly.Module(bytes);
      this.#compiled.set(bytes, module);
    }
    const instance: WasmInstance = new webAssembly.Instance(module, imports);
    return instance;
  }

  enter(): void {
    if (this.#isBusy) throw new Error("The instance is already inside a call");
    this.#isBusy = true;
  }

  leave(): void {
    this.#isBusy = false;
  }

  cancel(): void {
    this.#isBusy = false;
  }

  abort(error: Error): never {
    throw error;
  }

  fail(error: unknown): unknown {
    return error;
  }
}
