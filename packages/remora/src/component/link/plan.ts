/**
 * A plan: what a component does when it is instantiated, worked out once. Nested components, aliases and
 * type indices are all static, so that planning is a symbolic instantiation; what remains for each instance is
 * a list of core modules to instantiate in order, with every import resolved to its source.
 */

import type { AddressType } from "../abi/address.ts";
import type { PlannedResource } from "../abi/codec-resource.ts";
import type { StringEncoding } from "../model.ts";
import type { FuncType, ResourceType, ValueType } from "../types.ts";

/**
 * Part of the key of every plan that is kept: changes whenever the same component would give another plan, or is refused
 * now and was not before.
 */
export const planVersion = 1;

/** Where a core function, memory, table, global or tag comes from. */
export type CoreRef =
  | { readonly kind: "export"; readonly instance: number; readonly name: string }
  | { readonly kind: "lower"; readonly index: number }
  /** A builtin of the asynchronous ABI. */
  | { readonly kind: "builtin"; readonly index: number }
  | { readonly kind: "backpressure.inc" | "backpressure.dec"; readonly state: number }
  /** `context.get` and `context.set`: two values that a task keeps for the guest. */
  | {
      readonly kind: "context.get" | "context.set";
      readonly state: number;
      readonly slot: number;
      readonly isBigInt: boolean;
    }
  | {
      readonly kind: "resource.new" | "resource.drop" | "resource.rep";
      readonly resource: number;
      /** The component instance whose handles it works on. */
      readonly state: number;
    };

/** What a core module is instantiated with under one module name: another instance, or chosen items. */
export type CoreNamespace =
  | { readonly kind: "instance"; readonly instance: number }
  | { readonly kind: "exports"; readonly exports: ReadonlyMap<string, CoreRef> };

export type CoreModule =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly offset: number }
  /** Given by the host under this import name. */
  | { readonly kind: "import"; readonly name: string };

export type Step =
  | {
      readonly kind: "core-instance";
      readonly module: CoreModule;
      readonly args: readonly { readonly name: string; readonly from: CoreNamespace }[];
    }
  | { readonly kind: "resource"; readonly resource: number; readonly destructor: CoreRef | undefined };

/** The canonical options of one side: each distinct one becomes a `Context` of the instance. */
export interface ContextPlan {
  readonly state: number;
  readonly memory: CoreRef | undefined;
  /** Of the memory; `i32` where there is none. */
  readonly address: AddressType;
  readonly realloc: CoreRef | undefined;
  readonly encoding: StringEncoding;
}

/** A guest function made callable. */
export interface LiftPlan {
  readonly type: FuncType;
  readonly core: CoreRef;
  readonly context: number;
  readonly postReturn: CoreRef | undefined;
  /** Lifted by the asynchronous ABI; by its stackful form without a callback. */
  readonly isAsync: boolean;
  readonly callback: CoreRef | undefined;
}

/** A function made callable for a guest's core code. */
export interface LowerPlan {
  readonly callee: FuncItem;
  readonly context: number;
  /** Lowered by the asynchronous ABI. */
  readonly isAsync: boolean;
}

/** A canonical function of the asynchronous ABI, as one component instance has it. */
export interface BuiltinPlan {
  readonly name: string;
  readonly state: number;
  readonly context: number;
  readonly isFlagged: boolean;
  /** What its stream or future carries, or its task gives. */
  readonly type: ValueType | undefined;
  readonly table: CoreRef | undefined;
}

/** A function that the host gives. */
export interface HostFuncPlan {
  /** Import name, then names inside the imported instance. */
  readonly path: readonly string[];
  readonly type: FuncType;
}

/** A resource type that the host gives. */
export interface HostResourcePlan {
  readonly path: readonly string[];
  readonly resource: PlannedResource;
}

export type FuncItem = { readonly type: FuncType } & (
  | { readonly kind: "lifted"; readonly index: number }
  | { readonly kind: "host"; readonly index: number }
);

/** What stands behind a name of an instance while planning, and in the exports of the whole. */
export type Item =
  | { readonly kind: "func"; readonly func: FuncItem }
  | { readonly kind: "type"; readonly type: TypeItem }
  | { readonly kind: "instance"; readonly instance: InstanceItem }
  | { readonly kind: "component" }
  | { readonly kind: "core-module"; readonly module: CoreModule };

export interface InstanceItem {
  readonly exports: ReadonlyMap<string, Item>;
}

export type TypeItem =
  | { readonly kind: "value"; readonly type: ValueType }
  | { readonly kind: "func"; readonly type: FuncType }
  | { readonly kind: "resource"; readonly resource: ResourceType }
  /** The type of a component or instance: only the types of the host's imports are ever looked into. */
  | { readonly kind: "scope" };

/** A component instance and the one that instantiated it. */
export interface StatePlan {
  readonly index: number;
  readonly parent: number | undefined;
}

export interface Plan {
  readonly states: readonly StatePlan[];
  readonly steps: readonly Step[];
  readonly contexts: readonly ContextPlan[];
  readonly lifts: readonly LiftPlan[];
  readonly lowers: readonly LowerPlan[];
  readonly builtins: readonly BuiltinPlan[];
  readonly hostFuncs: readonly HostFuncPlan[];
  readonly hostResources: readonly HostResourcePlan[];
  readonly hostModules: readonly string[];
  readonly resources: readonly PlannedResource[];
  readonly coreInstanceCount: number;
  /** Whether some guest keeps values in its tasks. */
  readonly usesSlots: boolean;
  /** Whether a call may be anything but one that gives its result at once. */
  readonly isAsync: boolean;
  readonly imports: ReadonlyMap<string, Item>;
  readonly exports: ReadonlyMap<string, Item>;
}
