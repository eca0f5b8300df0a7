/** Which types of its imports a component needs: those that what it calls and what it exports are made of. */

import type { Interface, Type, TypeDef, World } from "../wit/model.ts";
import { typesIn } from "../wit/model.ts";
import type { CoreImport } from "./joints.ts";
import { functionsOf, partsOf, plainFunction, typesOf } from "./world-functions.ts";

/** Each by the name that it is exported under. */
export function exportedInterfaces(world: World): Map<Interface, string> {
  const exported = new Map<Interface, string>();
  for (const [key, item] of world.exports) if (item.kind === "interface") exported.set(item.interface, key);
  return exported;
}

export function liveTypes(world: World, imports: readonly CoreImport[]): ReadonlySet<TypeDef> {
  const exported = exportedInterfaces(world);
  const live = new Set<TypeDef>();
  const ofExports = new Set<TypeDef>();

  // An interface can be both imported and exported; its types are then two, one a side.
  const add = (type: TypeDef, side: "imports" | "exports"): void => {
    const isExported = side === "exports" && type.owner.kind === "interface" && exported.has(type.owner);
    const known = isExported ? ofExports : live;
    if (known.has(type)) return;
    known.add(type);
    const inner = isExported ? "exports" : "imports";
    if (type.body.kind === "use") add(type.body.target, inner);
    addNamed(partsOf(type), inner);
  };
  const addNamed = (types: Iterable<Type>, side: "imports" | "exports"): void => {
    for (const type of types) {
      if (type.kind === "named") add(type.type, side);
      if (type.kind === "borrow") add(type.resource, side);
    }
  };

  for (const each of imports) {
    if (each.kind === "resource") add(each.resource, each.side);
    else for (const type of typesOf(each.func)) addNamed(typesIn(type), "imports");
  }
  for (const item of world.exports.values()) {
    const functions = item.kind === "func" ? [plainFunction(item.func)] : functionsOf(item.interface);
    for (const func of functions) for (const type of typesOf(func)) addNamed(typesIn(type), "exports");
    if (item.kind === "interface") for (const type of item.interface.types.values()) add(type, "exports");
  }
  return live;
}
