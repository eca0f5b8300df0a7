/**
 * An artifact on its way to where its instances live: everything that was found out about it once, on the host's side,
 * so that nothing is decoded, validated or rewritten again; and in a thread, not even compiled.
 */

import type { Plan } from "../../component/link/plan.ts";
import type { ModuleFacts } from "../compile.ts";
import type { CompileRequest } from "../compile-cache.ts";
import type { MemoryReads } from "../guest-memory.ts";
import type { Limits } from "../limits.ts";
import type { ModuleImport } from "../module-imports.ts";
import type { WasmModule } from "../webassembly.ts";
import type { CoreFunctionType } from "./core-values.ts";

export interface ShippedModule {
  /** Stands for the module's bytes in the plan; the same object there and here. */
  readonly key: Uint8Array;
  /** Compiled, for a thread; rewritten bytes, for a process. */
  readonly code: WasmModule | Uint8Array;
  readonly facts: ModuleFacts;
  readonly digest: string;
  readonly imports: readonly ModuleImport[];
}

interface Shipped {
  /** How its modules were rewritten, and for whom. */
  readonly request: CompileRequest;
  readonly limits: Limits;
  readonly modules: readonly ShippedModule[];
}

export interface ShippedComponent extends Shipped {
  readonly kind: "component";
  readonly plan: Plan;
}

export interface ShippedFunction extends CoreFunctionType {
  readonly name: string;
}

/** A function that the host gives to a core module. */
export interface ShippedImport extends ShippedFunction {
  readonly module: string;
  /** What it reads of the guest's memory, to be sent along. */
  readonly reads: MemoryReads;
}

export interface ShippedCoreModule extends Shipped {
  readonly kind: "module";
  /** In the order of their numbers. */
  readonly exports: readonly ShippedFunction[];
  readonly imports: readonly ShippedImport[];
}

export type Shipment = ShippedComponent | ShippedCoreModule;
