/**
 * Types of everything that a name or an index can stand for while a component is validated. Resource types are
 * numbered as they come up; what a component or instance type brings into being itself is a range of these
 * numbers, so that an instantiation knows which of them to make anew.
 */

import type { FuncType, ResourceType, ValueType } from "../types.ts";

export type CoreExtern =
  /** `signature` as text: `(i32 i32) -> (i32)`. */
  | { readonly kind: "func"; readonly signature: string }
  | { readonly kind: "tag"; readonly signature: string }
  | ({ readonly kind: "memory" } & CoreSize)
  | ({ readonly kind: "table"; readonly element: string } & CoreSize)
  | { readonly kind: "global"; readonly valueType: string; readonly isMutable: boolean };

export interface CoreSize {
  readonly min: bigint;
  readonly max: bigint | undefined;
  readonly is64: boolean;
  readonly isShared: boolean;
}

export interface CoreModuleType {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly type: CoreExtern }[];
  readonly exports: ReadonlyMap<string, CoreExtern>;
}

/** The exports of a core instance. */
export type CoreInstanceType = ReadonlyMap<string, CoreExtern>;

/** Numbers of resource types from `start` up to, but not with, `end`. */
export interface ResourceRange {
  readonly start: number;
  readonly end: number;
}

export interface InstanceType {
  readonly exports: ReadonlyMap<string, Entity>;
  readonly own: ResourceRange;
}

export interface ComponentType {
  readonly imports: ReadonlyMap<string, Entity>;
  readonly exports: ReadonlyMap<string, Entity>;
  readonly own: ResourceRange;
}

/** What stands in a type index space. */
export type TypeEntity =
  | { readonly kind: "value"; readonly type: ValueType }
  | { readonly kind: "func"; readonly type: FuncType }
  | { readonly kind: "resource"; readonly resource: ResourceType }
  | { readonly kind: "component"; readonly type: ComponentType }
  | { readonly kind: "instance"; readonly type: InstanceType };

export type Entity =
  | { readonly kind: "core-module"; readonly type: CoreModuleType }
  | { readonly kind: "func"; readonly type: FuncType }
  | { readonly kind: "type"; readonly type: TypeEntity; readonly isAbstract: boolean }
  | { readonly kind: "component"; readonly type: ComponentType }
  | { readonly kind: "instance"; readonly type: InstanceType };
