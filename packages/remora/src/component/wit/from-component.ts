/** The world of a component that is already built: what it imports and exports, as WIT would say it. */

import { componentErrors } from "../errors.ts";
import type { Component } from "../model.ts";
import { parseInterfaceName } from "../names.ts";
import { type Entity, Scope, walkComponent } from "./component-scope.ts";
import {
  addFunction,
  checkLabel,
  exportType,
  funcOf,
  isNamed,
  type OpenInterface,
  openInterface,
  TypeMaker,
} from "./component-types.ts";
import {
  type Func,
  type Interface,
  type PackageName,
  packageId,
  type Type,
  type TypeDef,
  typesIn,
  type WitPackage,
  type WitPackages,
  type World,
  type WorldItem,
} from "./model.ts";
import { printPackages } from "./print.ts";

/**
 * The WIT of a component: a world `root` of the package `root:component`, and the packages of its interfaces. Of an
 * imported interface a component knows only what it uses.
 *
 * @throws component/invalid an index or name that does not fit, with its byte offset
 * @throws component/limit   types that unfold to more than anyone can read
 */
export function witOf(component: Component): WitPackages {
  const world = worldOf(component);
  for (const item of [...world.imports.values(), ...world.exports.values()]) checkNames(item);
  const packages = packagesOf(world);
  const root: WitPackage = {
    name: { namespace: "root", name: "component", version: undefined },
    docs: undefined,
    interfaces: new Map(),
    worlds: new Map([[world.name, world]]),
  };
  return { root, packages: new Map([...packages, [packageId(root.name), root]]) };
}

/** The same as text, which `parseWit` reads. */
export function printWit(component: Component): string {
  const { root, packages } = witOf(component);
  return printPackages([root, ...[...packages.values()].filter((each) => each !== root)]);
}

type OpenWorld = World & {
  readonly types: Map<string, TypeDef>;
  readonly imports: Map<string, WorldItem>;
  readonly exports: Map<string, WorldItem>;
};

function worldOf(component: Component): World {
  const world: OpenWorld = {
    kind: "world",
    id: "root:component/root",
    name: "root",
    docs: undefined,
    stability: {},
    types: new Map(),
    imports: new Map(),
    exports: new Map(),
  };
  // Resources of the world itself have their functions beside them.
  const plain: Record<"imports" | "exports", OpenInterface> = {
    imports: openInterface(),
    exports: openInterface(),
  };
  const note = (
    side: "imports" | "exports",
    {
      name,
      attributes,
      offset,
    }: {
      name: string;
      attributes: { implements: string | undefined; externalId: string | undefined } | undefined;
      offset: number;
    },
    entity: Entity,
  ): Entity => {
    const externalId = attributes?.externalId;
    if (entity.kind === "value") {
      const type = exportType(world, checkLabel(name, offset), entity.type);
      const made = world.types.get(name);
      if (made !== undefined) plain[side].types.set(name, made);
      return { kind: "value", type };
    }
    if (entity.kind === "func") {
      if (name.startsWith("[")) addFunction(plain[side], name, entity.func, offset);
      else {
        const func = funcOf(checkLabel(name, offset), "free", entity.func);
        world[side].set(name, { kind: "func", func, stability: {}, externalId });
      }
    }
    if (entity.kind === "instance") {
      const found = named(entity.instance, attributes?.implements ?? name, offset);
      world[side].set(name, {
        kind: "interface",
        interface: found,
        stability: {},
        isImplied: false,
        externalId,
      });
    }
    return entity;
  };
  walkComponent(component, new Scope({ types: new TypeMaker(), steps: 0 }, undefined, 0), {
    argument: () => undefined,
    onImport: (definition, entity) => note("imports", definition, entity),
    onExport: (definition, entity) => note("exports", definition, entity),
  });
  return world;
}

/** `a:b/c@1.0.0`, and nothing that would be more than a name when it is printed. */
const idPattern = /^([a-zA-Z][\w-]*):([a-zA-Z][\w-]*)\/([a-zA-Z][\w-]*)(?:@([0-9A-Za-z.+-]+))?$/;

/** An instance is named by its first import or export. */
function named(instance: OpenInterface, name: string, offset: number): Interface {
  if (instance.name !== "") return instance;
  if (name.includes(":")) {
    if (!idPattern.test(name)) {
      throw componentErrors.invalid({ what: `${JSON.stringify(name)} is no name of an interface`, offset });
    }
    instance.id = name;
    instance.name = parseInterfaceName(name)?.label ?? name;
  } else {
    instance.name = checkLabel(name, offset);
  }
  return instance;
}

/** A record without a name cannot be written: a valid component has none. */
function checkNames(item: WorldItem): void {
  const check = (type: Type | undefined) => {
    for (const part of type === undefined ? [] : typesIn(type)) {
      const found = part.kind === "named" ? part.type : part.kind === "borrow" ? part.resource : undefined;
      if (found === undefined || isNamed(found)) continue;
      throw componentErrors.invalid({ what: `a ${found.body.kind} that is used has no name`, offset: 0 });
    }
  };
  const checkFunc = (func: Func) => {
    for (const param of func.params) check(param.type);
    check(func.result);
  };
  if (item.kind === "func") {
    checkFunc(item.func);
    return;
  }
  for (const { body } of item.interface.types.values()) {
    if (body.kind === "alias") check(body.type);
    if (body.kind === "record") for (const field of body.fields) check(field.type);
    if (body.kind === "variant") for (const each of body.cases) check(each.type);
    if (body.kind === "resource") for (const func of body.functions) checkFunc(func);
  }
  for (const func of item.interface.functions.values()) checkFunc(func);
}

/** Interfaces by the packages in their names. Of one that is imported and exported, the export says more. */
function packagesOf(world: World): Map<string, WitPackage> {
  const packages = new Map<string, { name: PackageName; interfaces: Map<string, Interface> }>();
  for (const item of [...world.imports.values(), ...world.exports.values()]) {
    const parts = item.kind === "interface" ? idPattern.exec(item.interface.id ?? "") : null;
    if (item.kind !== "interface" || parts === null) continue;
    const [, namespace = "", label = "", , version] = parts;
    const name = { namespace, name: label, version };
    const found = packages.get(packageId(name)) ?? { name, interfaces: new Map() };
    packages.set(packageId(name), found);
    found.interfaces.set(item.interface.name, item.interface);
  }
  const result = new Map<string, WitPackage>();
  for (const [id, { name, interfaces }] of packages) {
    result.set(id, { name, docs: undefined, interfaces, worlds: new Map() });
  }
  return result;
}
