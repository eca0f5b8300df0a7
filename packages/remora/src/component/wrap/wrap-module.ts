/**
 * From a core module to a component of a world: the module as it is, and around it what lifts its exports and lowers its imports.
 * What wit-component's `component new` does, for functions that are not asynchronous.
 */

import type { CoreSignature } from "../core.ts";
import type { StringEncoding } from "../model.ts";
import type { TypeDef, World } from "../wit/model.ts";
import { type CanonOptions, ComponentWriter, type CoreItem } from "./component-writer.ts";
import { writeExports } from "./exports.ts";
import { type Imported, writeImports } from "./imports.ts";
import {
  type CoreImport,
  destructorName,
  exportedResources,
  findJoints,
  initializeName,
  type Joints,
  type LoweredImport,
  memoryName,
  reallocName,
} from "./joints.ts";
import { fillingModule, standInModule, tableName } from "./late-functions.ts";
import { withCanonicalNames } from "./written-names.ts";

export interface WrapOptions {
  /** How the module writes its strings, and wants them. */
  readonly stringEncoding: StringEncoding;
}

/**
 * Makes a component out of a core module.
 *
 * @param core  The module. Its exports have the names of the canonical ABI (`a:b/filter@0.1.0#evaluate`), or what is made of them
 *              for languages that cannot write such names: `filter_evaluate`, camel case with an underscore between interface,
 *              resource and function. Its imports have the names of the canonical ABI.
 * @param world The world that it is for. What the module does not import, the component does not either.
 * @throws component/cannot-wrap the module and the world do not fit; all that is wrong is told
 * @throws wasm/…                what is no module
 */
export function wrapModule(core: Uint8Array, world: World, { stringEncoding }: WrapOptions): Uint8Array {
  const module = withCanonicalNames(core, world);
  const joints = findJoints(module, world);
  const to = new ComponentWriter();
  const imported = writeImports(to, world, joints);
  const { instance, canon, resources } = writeCore(to, { module, world, joints, imported, stringEncoding });
  const { exported } = joints;
  writeExports(to, world, { instance, exported, canon, importedTypes: imported.types, resources });
  return to.finish();
}

interface Core {
  readonly module: Uint8Array;
  readonly world: World;
  readonly joints: Joints;
  readonly imported: Imported;
  readonly stringEncoding: StringEncoding;
}

interface CoreInstance {
  readonly instance: number;
  /** How its functions are lifted. */
  readonly canon: CanonOptions;
  readonly resources: ReadonlyMap<TypeDef, number>;
}

/** A function that is made after the module, and what stands for it before. */
interface LateFunction {
  readonly signature: CoreSignature;
  readonly source:
    | { readonly kind: "import"; readonly lowered: LoweredImport }
    | { readonly kind: "destructor"; readonly name: string; readonly resource: TypeDef };
}

function writeCore(
  to: ComponentWriter,
  { module, world, joints, imported, stringEncoding }: Core,
): CoreInstance {
  const late = lateFunctions(world, joints);
  const signatures = late.map(({ signature }) => signature);
  const main = to.coreModule(module);
  const standIn =
    late.length === 0 ? 0 : to.coreInstance(to.coreModule(standInModule(signatures)), new Map());
  const stand = (index: number) => to.coreAlias("func", standIn, String(index));
  const resources = writeResources(to, world, late, stand);
  const functionFor = (each: CoreImport): number => {
    if (each.kind === "resource") {
      const types = each.side === "exports" ? resources : imported.types;
      return to.resourceFunction(each.what, indexOf(types, each.resource));
    }
    const place = late.findIndex(({ source }) => source.kind === "import" && source.lowered === each);
    if (place >= 0) return stand(place);
    const none = { encoding: stringEncoding, memory: undefined, realloc: undefined };
    return to.lower(indexOf(imported.functions, each), none);
  };
  const instance = to.coreInstance(main, writeArguments(to, joints.imports, functionFor));

  const memory = joints.hasMemory ? to.coreAlias("memory", instance, memoryName) : undefined;
  const realloc = joints.hasRealloc ? to.coreAlias("func", instance, reallocName) : undefined;
  const canon = { encoding: stringEncoding, memory, realloc };
  const lateFunction = ({ source }: LateFunction): number =>
    source.kind === "import"
      ? to.lower(indexOf(imported.functions, source.lowered), canon)
      : to.coreAlias("func", instance, source.name);
  const functions = late.map(lateFunction);
  const hasInitialize = joints.exported.has(initializeName);
  if (hasInitialize) functions.push(to.coreAlias("func", instance, initializeName));
  if (functions.length > 0) {
    const items: CoreItem[] = functions.map((index, place) => ({ name: String(place), sort: "func", index }));
    if (late.length > 0)
      items.push({ name: tableName, sort: "table", index: to.coreAlias("table", standIn, tableName) });
    const filling = to.coreModule(fillingModule(signatures, hasInitialize));
    to.coreInstance(filling, new Map([["", to.coreExports(items)]]));
  }
  return { instance, canon, resources };
}

function lateFunctions(world: World, { imports, exported }: Joints): LateFunction[] {
  const functions = imports.flatMap((each): LateFunction[] =>
    each.kind === "function" && each.isThroughMemory
      ? [{ signature: each.signature, source: { kind: "import", lowered: each } }]
      : [],
  );
  const destructors = [...exportedResources(world)].flatMap(({ key, resource }): LateFunction[] => {
    const name = destructorName(key, resource);
    const signature: CoreSignature = { params: ["i32"], results: [] };
    return exported.has(name) ? [{ signature, source: { kind: "destructor", name, resource } }] : [];
  });
  return [...functions, ...destructors];
}

/** The resources that the module implements: numbers of its own, and perhaps a destructor. */
function writeResources(
  to: ComponentWriter,
  world: World,
  late: readonly LateFunction[],
  stand: (index: number) => number,
): Map<TypeDef, number> {
  const types = new Map<TypeDef, number>();
  for (const { resource } of exportedResources(world)) {
    const place = late.findIndex(
      ({ source }) => source.kind === "destructor" && source.resource === resource,
    );
    const destructor = place < 0 ? undefined : stand(place);
    const index = to.type((bytes) => {
      bytes.byte(0x3f).byte(0x7f);
      if (destructor === undefined) bytes.byte(0x00);
      else bytes.byte(0x01).u32(destructor);
    });
    types.set(resource, index);
  }
  return types;
}

/** An instance for each module that is imported from. */
function writeArguments(
  to: ComponentWriter,
  imports: readonly CoreImport[],
  functionFor: (each: CoreImport) => number,
): Map<string, number> {
  const byModule = new Map<string, CoreItem[]>();
  for (const each of imports) {
    const items = byModule.get(each.module) ?? [];
    items.push({ name: each.name, sort: "func", index: functionFor(each) });
    byModule.set(each.module, items);
  }
  return new Map([...byModule].map(([module, items]) => [module, to.coreExports(items)]));
}

function indexOf<Key>(indices: ReadonlyMap<Key, number>, key: Key): number {
  const found = indices.get(key);
  if (found === undefined)
    throw new Error("Invariant broken: what is lowered or handled was imported or defined before");
  return found;
}
