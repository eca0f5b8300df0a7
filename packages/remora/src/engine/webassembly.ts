/**
 * V8's `WebAssembly`, typed: TypeScript declares it with the DOM only, which this library does not have. The
 * one place where the name is taken from the global object; the rest of the engine imports it from here.
 */

import type { CoreExtern, CoreFunction, CoreImports, CoreMemory } from "../component/core.ts";

/** A compiled module: immutable, shareable between instances, and cheap to post to a worker. */
export interface WasmModule {
  readonly wasmModule: unique symbol;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, CoreExtern>>;
}

export interface WasmGlobal {
  value: number;
}

export interface WasmTable {
  readonly length: number;
  get(index: number): CoreFunction | null;
  set(index: number, value: CoreFunction | null): void;
}

export interface WasmMemory extends CoreMemory {
  grow(pages: number): number;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: "function" | "memory" | "table" | "global" | "tag";
}

export interface ModuleImport extends ModuleExport {
  readonly module: string;
}

export interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  /** By threads of V8's own. Node does not stay alive for it. */
  compile(bytes: Uint8Array): Promise<WasmModule>;
  readonly Module: {
    /** `builtins` names groups of functions that V8 has for imports, such as "js-string"; ignored by a V8 without. */
    new (bytes: Uint8Array, options?: { readonly builtins: readonly string[] }): WasmModule;
    exports(module: WasmModule): ModuleExport[];
    imports(module: WasmModule): ModuleImport[];
  };
  readonly Instance: new (module: WasmModule, imports?: CoreImports) => WasmInstance;
  readonly Memory: new (type: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory;
  readonly Table: new (type: { element: string; initial: number; maximum?: number }) => WasmTable;
  readonly Global: new (type: { value: string; mutable?: boolean }, value?: unknown) => WasmGlobal;
  readonly RuntimeError: ErrorConstructor;
  readonly CompileError: ErrorConstructor;
  readonly LinkError: ErrorConstructor;
  /** JavaScript Promise Integration: absent before Node 24. An import made of it lets the guest wait. */
  readonly Suspending?: new (
    hostFunction: (...args: never[]) => Promise<unknown>,
  ) => object;
  /** The export as a function that gives a promise, which such an import needs. */
  readonly promising?: (guestFunction: CoreFunction) => (...args: unknown[]) => Promise<unknown>;
  readonly Tag: new (type: { parameters: readonly string[] }) => object;
  /** What JavaScript throws has it: a guest that names it can catch that. */
  readonly JSTag: object;
  /** What a guest's uncaught `throw` arrives as. */
  readonly Exception: new (
    ...args: never[]
  ) => object;
}

// `globalThis` has it in every Node that we support; only its declaration is missing.
export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
