/** Makes shipments: what the other side of a wall needs of an artifact, and whether it can be there at all. */

import type { HostImports } from "../../component/index.ts";
import type { Plan } from "../../component/link/plan.ts";
import { decodeModule, findSection } from "../../wasm/decode.ts";
import { funcTypeAt, importsOf, indexSpaces } from "../../wasm/index-spaces.ts";
import { defaultDecodeLimits } from "../../wasm/limits.ts";
import type { Module } from "../../wasm/module.ts";
import type { FuncType as CoreType } from "../../wasm/sections/value-types.ts";
import type { Artifact, ComponentArtifact, ModuleArtifact } from "../artifact.ts";
import type { PreparedAs } from "../compile-cache.ts";
import { engineErrors } from "../errors.ts";
import { type MemoryReads, memoryReadsOf } from "../guest-memory.ts";
import type { Limits } from "../limits.ts";
import type { ResolveFrame } from "../trap.ts";
import type { CoreFunctionType, CoreValueKind } from "./core-values.ts";
import type {
  Shipment,
  ShippedComponent,
  ShippedCoreModule,
  ShippedFunction,
  ShippedImport,
  ShippedModule,
} from "./shipment.ts";

export interface ShipOptions {
  readonly limits: Limits;
  /** Compiled modules for a thread, rewritten bytes for a process. */
  readonly as: PreparedAs;
  /** Of a core module: what each of its host functions reads. */
  readonly reads: (module: string, name: string) => MemoryReads;
}

export interface Shipped {
  readonly shipment: Shipment;
  /** From places of traps in the modules that were sent to those in the originals, which stay here. */
  readonly resolve: ResolveFrame;
}

/**
 * @throws engine/not-isolatable what it needs does not cross a wall
 * @throws wasm/… engine/…       a module cannot be taken
 */
export function ship(artifact: Artifact, options: ShipOptions): Shipped {
  const { cache, request } = artifact.parts(options.limits);
  const places = cache.places(request);
  const made = (bytes: Uint8Array) => {
    if (options.as === "compiled") {
      const compiled = cache.compile(bytes, request);
      return { known: compiled, code: compiled.module };
    }
    const sent = cache.rewritten(bytes, request);
    return { known: sent, code: sent.bytes };
  };
  const shipModule: ShipModule = (bytes) => {
    const { known, code } = made(bytes);
    places.add(bytes, known);
    const { facts, digest } = known;
    return { key: new Uint8Array(1), code, facts, digest, imports: cache.imports(known, bytes) };
  };
  const shipment =
    artifact.kind === "component"
      ? shippedComponent(artifact, options, shipModule)
      : shippedModule(artifact, options, shipModule);
  return { shipment, resolve: places.resolve };
}

type ShipModule = (bytes: Uint8Array) => ShippedModule;

function shippedComponent(
  artifact: ComponentArtifact,
  options: ShipOptions,
  shipModule: ShipModule,
): ShippedComponent {
  const { plan } = artifact.component;
  const { request } = artifact.parts(options.limits);
  checkPlan(request.plugin, plan);
  const modules = new Map<Uint8Array, ShippedModule>();
  const steps = plan.steps.map((step) => {
    if (step.kind !== "core-instance" || step.module.kind !== "bytes") return step;
    const { bytes, offset } = step.module;
    const shipped = modules.get(bytes) ?? shipModule(bytes);
    modules.set(bytes, shipped);
    return { ...step, module: { kind: "bytes" as const, bytes: shipped.key, offset } };
  });
  return {
    kind: "component",
    request,
    limits: options.limits,
    modules: [...modules.values()],
    // What the plan's types of imports and exports are for is done on this side.
    plan: { ...plan, steps, imports: new Map(), exports: new Map() },
  };
}

function shippedModule(
  artifact: ModuleArtifact,
  options: ShipOptions,
  shipModule: ShipModule,
): ShippedCoreModule {
  const { request } = artifact.parts(options.limits);
  const refuse = (what: string): never => {
    throw engineErrors["not-isolatable"]({ plugin: request.plugin, what });
  };
  const decoded = decodeModule(artifact.bytes, {
    ...defaultDecodeLimits,
    moduleBytes: artifact.bytes.length,
  });
  return {
    kind: "module",
    request,
    limits: options.limits,
    modules: [shipModule(artifact.bytes)],
    exports: exportsOf(decoded, refuse),
    imports: coreImports(decoded, options, refuse),
  };
}

/** Refuses at load what would fail at a call. */
function checkPlan(plugin: string, plan: Plan): void {
  const refuse = (what: string): never => {
    throw engineErrors["not-isolatable"]({ plugin, what });
  };
  for (const name of plan.hostModules) refuse(`it imports the core module "${name}"`);
}

function exportsOf(decoded: Module, refuse: (what: string) => never): ShippedFunction[] {
  const spaces = indexSpaces(decoded);
  return (findSection(decoded, "export")?.items ?? [])
    .filter(({ kind }) => kind === "func")
    .map(({ name, index }) => ({
      name,
      ...coreType(funcTypeAt(spaces, spaces.functions[index] ?? 0, 0), `export "${name}"`, refuse),
    }));
}

function coreImports(
  decoded: Module,
  options: ShipOptions,
  refuse: (what: string) => never,
): ShippedImport[] {
  const spaces = indexSpaces(decoded);
  return importsOf(decoded).map(({ module, name, type }) => {
    const what = `import "${module}" "${name}"`;
    if (type.kind !== "func") return refuse(`${what} is a ${type.kind}`);
    const core = coreType(funcTypeAt(spaces, type.type, 0), what, refuse);
    return { module, name, ...core, reads: options.reads(module, name) };
  });
}

function coreType(type: CoreType, what: string, refuse: (what: string) => never): CoreFunctionType {
  const crossing = (value: CoreType["parameters"][number]): CoreValueKind =>
    typeof value === "string" && value !== "v128" ? value : refuse(`${what} has a vector or a reference`);
  return { parameters: type.parameters.map(crossing), results: type.results.map(crossing) };
}

/** What host functions read, by what they declare; see `guest-memory.ts`. */
export function readsOf(imports: HostImports, hasMemory: boolean): ShipOptions["reads"] {
  return (module, name) => {
    const fields = Object.hasOwn(imports, module) ? imports[module] : undefined;
    const isObject = typeof fields === "object" && fields !== null && Object.hasOwn(fields, name);
    // An object that has the name.
    const found = isObject ? (fields as Record<string, unknown>)[name] : undefined;
    const declared = typeof found === "function" ? memoryReadsOf(found) : undefined;
    // Made without an access to the guest, it cannot read anything.
    return declared ?? (hasMemory ? "all" : []);
  };
}
