// Calls that are no longer wanted.
export { abortable, type CancelSignal } from "./async/abortable.ts";
// Host functions that give promises.
export { asyncHostFunction, isAsyncHostFunction } from "./async-host.ts";
// Decoding.
export { decodeComponent, isComponent } from "./binary/decode.ts";
export { type DecodeLimits, defaultDecodeLimits } from "./binary/limits.ts";
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
  CoreSignature,
  CoreValue,
  CoreWaiting,
  Flat,
  TextCodec,
} from "./core.ts";
// Errors.
export { componentErrors, type MissingImport } from "./errors.ts";
export { exportedFunction } from "./exported-function.ts";
// Descriptions.
export type { ExternType } from "./link/describe.ts";
export type { HostImports } from "./link/host-imports.ts";
export { defaultInstanceLimits, type InstanceLimits } from "./link/instance-limits.ts";
export { defaultPlanLimits, type PlanLimits } from "./link/plan-limits.ts";
export type { Component } from "./model.ts";
export { camelCase, compatibleName, functionName, pascalCase } from "./names.ts";
export { neededImports } from "./needed-imports.ts";
// Preparing and instantiating.
export {
  type ComponentExports,
  type ComponentInstance,
  type InstantiateOptions,
  type PreparedComponent,
  prepareComponent,
} from "./prepare.ts";
// Host functions that take long.
export { isSlowHostFunction, slowHostFunction, slowHostInterface } from "./slow-host.ts";
export type { Case, Field, FuncType, PrimitiveKind, ResourceType, ValueType } from "./types.ts";
// WIT: text and components to worlds, worlds to TypeScript.
export { witErrors } from "./wit/errors.ts";
export { printWit, witOf } from "./wit/from-component.ts";
export type { Interface as WitInterface, WitPackage, WitPackages, World as WitWorld } from "./wit/model.ts";
export { printPackages } from "./wit/print.ts";
export { parseWit, type WitOptions } from "./wit/resolve.ts";
export { selectWorld } from "./wit/select-world.ts";
export type { WitFile } from "./wit/source.ts";
export { generateTypes } from "./wit/typescript.ts";
// From a core module to a component.
export { type WrapOptions, wrapModule } from "./wrap/wrap-module.ts";
