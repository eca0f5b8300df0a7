/**
 * Where a core module and a world meet: each import and export of the module, by the names that wit-component and all
 * bindings of guests use, and what of the world it stands for. All that does not fit is told at once.
 */

import { didYouMean } from "../../base/index.ts";
import {
  type FuncType as CoreFuncType,
  decodeModule,
  type Export,
  externTypeOf,
  findSection,
  funcTypeAt,
  type IndexSpaces,
  importsOf,
  indexSpaces,
  type Module,
} from "../../wasm/index.ts";
import { formatStorageType, type ValueType } from "../../wasm/sections/value-types.ts";
import { coreSignature } from "../abi/layout.ts";
import type { CoreSignature } from "../core.ts";
import { componentErrors } from "../errors.ts";
import { signature as textOf } from "../validate/core-module.ts";
import { hasPointer } from "../validate/pointers.ts";
import { type Interface, isResource, type TypeDef, typesIn, type World } from "../wit/model.ts";
import { isGivenMemory, isThroughMemory } from "./through-memory.ts";
import {
  funcTypeOf,
  functionsOf,
  namedTypes,
  partsOf,
  plainFunction,
  typesOf,
  type WorldFunction,
} from "./world-functions.ts";

/** A function of the world that the module calls. */
export interface LoweredImport {
  readonly kind: "function";
  readonly module: string;
  readonly name: string;
  /** The imported interface; undefined for a function of the world itself. */
  readonly key: string | undefined;
  readonly func: WorldFunction;
  readonly signature: CoreSignature;
  /** Whether values go through the module's memory, so that the function can only be made after the module. */
  readonly isThroughMemory: boolean;
}

/** What the module does with handles. */
export interface ResourceImport {
  readonly kind: "resource";
  readonly module: string;
  readonly name: string;
  readonly what: "new" | "drop" | "rep";
  readonly resource: TypeDef;
  readonly side: "imports" | "exports";
}

export type CoreImport = LoweredImport | ResourceImport;

export interface Joints {
  readonly imports: readonly CoreImport[];
  /** Names of the functions that the module exports. */
  readonly exported: ReadonlySet<string>;
  readonly hasMemory: boolean;
  readonly hasRealloc: boolean;
}

export const memoryName = "memory";
export const reallocName = "cabi_realloc";
/** Called once, before anything else (the reactors of WASI). */
export const initializeName = "_initialize";

/** The name of an export in the core module. */
export function coreName(key: string | undefined, func: WorldFunction): string {
  return key === undefined ? func.name : `${key}#${func.name}`;
}

/** Called with its results when they have been read. */
export function postReturnName(name: string): string {
  return `cabi_post_${name}`;
}

export function destructorName(key: string, resource: TypeDef): string {
  return `${key}#[dtor]${resource.name}`;
}

/** All functions that a component of this world exports. */
export function* exportedFunctions(
  world: World,
): Generator<{ key: string | undefined; func: WorldFunction }> {
  for (const [key, item] of world.exports) {
    if (item.kind === "func") yield { key: undefined, func: { ...plainFunction(item.func), name: key } };
    else for (const func of functionsOf(item.interface)) yield { key, func };
  }
}

/** The resources that a component of this world implements. */
export function* exportedResources(world: World): Generator<{ key: string; resource: TypeDef }> {
  for (const [key, item] of world.exports) {
    if (item.kind !== "interface") continue;
    for (const resource of item.interface.types.values()) {
      if (resource.body.kind === "resource") yield { key, resource };
    }
  }
}

/** @throws component/cannot-wrap with all that does not fit */
export function findJoints(core: Uint8Array, world: World): Joints {
  const module = decodeModule(core);
  const exports = new ModuleExports(module);
  const problems: string[] = [];
  const imports = findImports(module, world, problems);
  const needs = checkFunctions(exports, world, problems);
  checkOwn(exports, world, problems);
  const lowered = imports.filter((each) => each.kind === "function");
  if (needs.memory || lowered.some((each) => each.isThroughMemory)) {
    if (!exports.hasMemory) problems.push(`it does not export its memory as "${memoryName}"`);
  }
  const hasRealloc = exports.typeOf(reallocName) !== undefined;
  const needsRealloc = needs.realloc || lowered.some(({ func }) => hasPointer(funcTypeOf(func).result));
  if (needsRealloc || hasRealloc) problems.push(...exports.mismatch(reallocName, reallocSignature));
  if (problems.length > 0) throw componentErrors["cannot-wrap"]({ world: world.id, problems });
  return { imports, exported: exports.functions, hasMemory: exports.hasMemory, hasRealloc };
}

const reallocSignature: CoreSignature = { params: ["i32", "i32", "i32", "i32"], results: ["i32"] };

function findImports(module: Module, world: World, problems: string[]): CoreImport[] {
  const spaces = indexSpaces(module);
  const imports: CoreImport[] = [];
  for (const { module: from, name, type } of importsOf(module)) {
    const path = `"${from}" "${name}"`;
    const found = type.kind === "func" ? standsFor(from, name, world) : undefined;
    if (found === undefined || type.kind !== "func") {
      const near = didYouMean(from, moduleNames(world));
      problems.push(`it imports ${path}, which is no function of the world${near}`);
      continue;
    }
    problems.push(...mismatch(`it imports ${path} as`, funcTypeAt(spaces, type.type, 0), signatureOf(found)));
    // Explainer.md: two imports of one module name and name cannot be told apart.
    if (imports.some((each) => each.module === from && each.name === name)) {
      problems.push(`it imports ${path} twice, which a component's module may not`);
      continue;
    }
    imports.push(found);
    if (found.kind === "function") problems.push(...unsupported(found.func));
  }
  return imports;
}

/** What the module exports for the functions of the world; says what that takes besides. */
function checkFunctions(exports: ModuleExports, world: World, problems: string[]) {
  const needs = { memory: false, realloc: false };
  for (const { key, func } of exportedFunctions(world)) {
    const reasons = unsupported(func);
    problems.push(...reasons);
    if (reasons.length > 0) continue;
    const type = funcTypeOf(func);
    const name = coreName(key, func);
    const signature = coreSignature(type, "lift");
    problems.push(...exports.mismatch(name, signature));
    problems.push(...exports.mismatchIfAny(postReturnName(name), { params: signature.results, results: [] }));
    needs.memory ||= isThroughMemory(type);
    needs.realloc ||= isGivenMemory(type);
  }
  return needs;
}

/** What it may export for itself. */
function checkOwn(exports: ModuleExports, world: World, problems: string[]): void {
  problems.push(...exports.mismatchIfAny(initializeName, { params: [], results: [] }));
  for (const { key, resource } of exportedResources(world)) {
    problems.push(...exports.mismatchIfAny(destructorName(key, resource), { params: ["i32"], results: [] }));
  }
}

class ModuleExports {
  readonly functions: ReadonlySet<string>;
  readonly hasMemory: boolean;
  readonly #spaces: IndexSpaces;
  readonly #items: readonly Export[];

  constructor(module: Module) {
    this.#spaces = indexSpaces(module);
    this.#items = findSection(module, "export")?.items ?? [];
    this.functions = new Set(this.#items.flatMap(({ name, kind }) => (kind === "func" ? [name] : [])));
    this.hasMemory = this.#items.some(({ name, kind }) => name === memoryName && kind === "memory");
  }

  typeOf(wanted: string): CoreFuncType | undefined {
    const item = this.#items.find(({ name, kind }) => name === wanted && kind === "func");
    const type = item === undefined ? undefined : externTypeOf(this.#spaces, "func", item.index);
    return type?.kind === "func" ? funcTypeAt(this.#spaces, type.type, 0) : undefined;
  }

  mismatch(name: string, wanted: CoreSignature): string[] {
    if (this.typeOf(name) !== undefined) return this.mismatchIfAny(name, wanted);
    return [`it does not export "${name}", ${signatureText(wanted.params, wanted.results)}`];
  }

  mismatchIfAny(name: string, wanted: CoreSignature): string[] {
    const found = this.typeOf(name);
    return found === undefined ? [] : mismatch(`it exports "${name}" as`, found, wanted);
  }
}

const exportPrefix = "[export]";
const rootModule = "$root";

function moduleNames(world: World): string[] {
  return [...world.imports].flatMap(([key, { kind }]) => (kind === "interface" ? [key] : [rootModule]));
}

function standsFor(module: string, name: string, world: World): CoreImport | undefined {
  const annotation = /^\[resource-(new|drop|rep)\](.+)$/.exec(name);
  const isExported = module.startsWith(exportPrefix);
  const side = isExported ? "exports" : "imports";
  const key = isExported ? module.slice(exportPrefix.length) : module;
  const owner = interfaceAt(world, side, key);
  if (annotation !== null) {
    // One of the three, by the expression.
    const what = annotation[1] as "new" | "drop" | "rep";
    const types = module === rootModule ? world.types : owner?.types;
    const resource = types?.get(annotation[2] ?? "");
    // Of a resource that is somebody else's, a guest can only give its handle back.
    const isItsOwn = isExported || what === "drop";
    if (resource === undefined || !isResource(resource) || !isItsOwn) return undefined;
    return { kind: "resource", module, name, what, resource, side };
  }
  if (isExported) return undefined;
  if (module === rootModule) {
    const item = world.imports.get(name);
    return item?.kind === "func"
      ? lowered(module, undefined, { ...plainFunction(item.func), name })
      : undefined;
  }
  const func = owner === undefined ? undefined : functionsOf(owner).find((each) => each.name === name);
  return func === undefined ? undefined : lowered(module, key, func);
}

function interfaceAt(world: World, side: "imports" | "exports", key: string): Interface | undefined {
  const item = world[side].get(key);
  return item?.kind === "interface" ? item.interface : undefined;
}

function lowered(module: string, key: string | undefined, func: WorldFunction): LoweredImport {
  const type = funcTypeOf(func);
  const signature = coreSignature(type, "lower");
  return {
    kind: "function",
    module,
    name: func.name,
    key,
    func,
    signature,
    isThroughMemory: isThroughMemory(type),
  };
}

const handle: CoreSignature = { params: ["i32"], results: ["i32"] };

function signatureOf(found: CoreImport): CoreSignature {
  if (found.kind === "function") return found.signature;
  return found.what === "drop" ? { ...handle, results: [] } : handle;
}

/** What this does not do: the asynchronous ABI has names and functions of its own. */
function unsupported(func: WorldFunction): string[] {
  if (func.isAsync) return [`"${func.name}" of the world is asynchronous, which is not wrapped here`];
  const types = [...typesOf(func)].flatMap((type) => [...typesIn(type)]);
  const inside = [...namedTypes(types, new Set())].flatMap((type) => [...partsOf(type)]);
  const later = [...types, ...inside].find(({ kind }) => kind === "stream" || kind === "future");
  if (later === undefined) return [];
  return [`"${func.name}" of the world has a ${later.kind}, which is not wrapped here`];
}

function mismatch(what: string, found: CoreFuncType, wanted: CoreSignature): string[] {
  const text = signatureText(found.parameters, found.results);
  const wantedText = signatureText(wanted.params, wanted.results);
  return text === wantedText ? [] : [`${what} ${text}; the world's is ${wantedText}`];
}

function signatureText(params: readonly ValueType[], results: readonly ValueType[]): string {
  const text = (types: readonly ValueType[]) => types.map(formatStorageType).join(" ");
  return textOf(text(params), text(results));
}
