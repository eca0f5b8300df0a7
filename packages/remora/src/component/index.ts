// Decoding.
export { type DecodeLimits, decodeComponent, defaultDecodeLimits, isComponent } from "./binary/decode.ts";
// Values.
export { ComponentError } from "./component-error.ts";
// What this layer needs of an engine.
export type {
  CoreEngine,
  CoreExtern,
  CoreFunction,
  CoreImports,
  CoreInstance,
  CoreMemory,
  CoreOpaque,
  TextCodec,
} from "./core.ts";
// Errors.
export { componentErrors, type MissingImport } from "./errors.ts";
// Descriptions.
export type { ExternType } from "./link/describe.ts";
export type { HostImports } from "./link/host-imports.ts";
export { defaultPlanLimits, type PlanLimits } from "./link/planner.ts";
export type { Component } from "./model.ts";
export { camelCase, compatibleName, pascalCase } from "./names.ts";
// Preparing and instantiating.
export {
  type ComponentExports,
  type ComponentInstance,
  exportedFunction,
  type InstantiateOptions,
  type PreparedComponent,
  prepareComponent,
} from "./prepare.ts";
export type { Case, Field, FuncType, PrimitiveKind, ResourceType, ValueType } from "./types.ts";
