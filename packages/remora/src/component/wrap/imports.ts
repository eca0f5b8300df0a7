/** What a component imports: of its world only what the module calls, and the types that this and its exports need. */

import { invariant } from "../../base/index.ts";
import type { TypeDef, World } from "../wit/model.ts";
import type { ComponentWriter } from "./component-writer.ts";
import type { Joints, LoweredImport } from "./joints.ts";
import { liveTypes } from "./live-types.ts";
import { InstanceTypeWriter, TypeWriter } from "./type-writer.ts";

export interface Imported {
  /** Types of the imports, by index in the component. */
  readonly types: ReadonlyMap<TypeDef, number>;
  readonly functions: ReadonlyMap<LoweredImport, number>;
}

export function writeImports(to: ComponentWriter, world: World, { imports }: Joints): Imported {
  const live = liveTypes(world, imports);
  const types = new Map<TypeDef, number>();
  const functions = new Map<LoweredImport, number>();
  const called = imports.filter((each) => each.kind === "function");
  for (const [key, item] of world.imports) {
    if (item.kind !== "interface") continue;
    const own = [...item.interface.types.values()].filter((type) => live.has(type));
    const used = called.filter((each) => each.key === key);
    if (own.length === 0 && used.length === 0) continue;
    const instanceType = typeOfInstance(own, used, types);
    const instance = to.import(key, {
      kind: "instance",
      type: to.type((bytes) => instanceType.write(bytes)),
    });
    for (const each of own) types.set(each, to.alias("type", instance, each.name));
    for (const each of used) functions.set(each, to.alias("func", instance, each.name));
  }
  const indexOf = (type: TypeDef): number => types.get(type) ?? importType(type);
  const writer = new TypeWriter(to, indexOf);
  /** A type of the world itself. */
  const importType = (type: TypeDef): number => {
    const equalTo = type.body.kind === "resource" ? undefined : writer.body(type);
    const index = to.import(type.name, { kind: "type", equalTo });
    types.set(type, index);
    return index;
  };
  for (const type of world.types.values()) if (live.has(type)) indexOf(type);
  for (const each of called) {
    if (each.key !== undefined) continue;
    functions.set(each, to.import(each.name, { kind: "func", type: writer.func(each.func) }));
  }
  return { types, functions };
}

/** @param outer Types of the component around it, which those of a `use` are. */
function typeOfInstance(
  own: readonly TypeDef[],
  used: readonly LoweredImport[],
  outer: ReadonlyMap<TypeDef, number>,
): InstanceTypeWriter {
  const to = new InstanceTypeWriter();
  const inner = new Map<TypeDef, number>();
  // In the order of need: WIT lets a type stand before those that it is made of.
  const indexOf = (type: TypeDef): number => inner.get(type) ?? exportType(type);
  const writer = new TypeWriter(to, indexOf);
  const exportType = (type: TypeDef): number => {
    const index = to.exportType(type.name, definition(type));
    inner.set(type, index);
    return index;
  };
  const definition = (type: TypeDef): number | undefined => {
    const { body } = type;
    if (body.kind === "resource") return undefined;
    if (body.kind !== "use") return writer.body(type);
    const index = outer.get(body.target);
    invariant(index !== undefined, `${body.target.name} is imported before it is used`);
    return to.outer(index);
  };
  for (const type of own) indexOf(type);
  for (const { name, func } of used) to.exportFunc(name, writer.func(func));
  return to;
}
