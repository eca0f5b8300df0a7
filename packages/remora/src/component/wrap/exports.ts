/**
 * What a component exports. The functions of an interface are lifted out of the module; a component of its own, with nothing
 * in it but names, makes an instance of them: that is the way in which a type gets a name in an export.
 */

import { invariant } from "../../base/index.ts";
import { type Interface, type TypeDef, typesIn, usedInterfaces, type World } from "../wit/model.ts";
import { type CanonOptions, ComponentWriter, type Item } from "./component-writer.ts";
import { coreName, postReturnName } from "./joints.ts";
import { exportedInterfaces } from "./live-types.ts";
import { TypeWriter } from "./type-writer.ts";
import {
  functionsOf,
  namedTypes,
  plainFunction,
  typesOf,
  type WorldFunction,
  withParts,
} from "./world-functions.ts";

export interface LiftOptions {
  /** The instance of the module. */
  readonly instance: number;
  /** Names of the functions that it exports. */
  readonly exported: ReadonlySet<string>;
  readonly canon: CanonOptions;
  readonly importedTypes: ReadonlyMap<TypeDef, number>;
  /** Resources that the world exports, by index in the component. */
  readonly resources: ReadonlyMap<TypeDef, number>;
}

export function writeExports(to: ComponentWriter, world: World, options: LiftOptions): void {
  // Types of the world itself, which are among its imports.
  const writer = new TypeWriter(to, (type) => indexIn([options.importedTypes], type));
  for (const [name, item] of world.exports) {
    if (item.kind !== "func") continue;
    const func = { ...plainFunction(item.func), name };
    to.export({ name, sort: "func", index: liftFunction(to, writer, { key: undefined, func, options }) });
  }
  const ownTypes = new Map<TypeDef, number>(options.resources);
  const exported = exportedInterfaces(world);
  const written = new Set<Interface>();
  const write = (owner: Interface): void => {
    const key = exported.get(owner);
    if (key === undefined || written.has(owner)) return;
    written.add(owner);
    // The types of another exported interface are those of the instance that is exported.
    for (const used of usedInterfaces(owner.types.values())) write(used);
    exportInterface(to, { key, owner, options, ownTypes });
  };
  for (const owner of exported.keys()) write(owner);
}

interface InterfaceExport {
  readonly key: string;
  readonly owner: Interface;
  readonly options: LiftOptions;
  /** Types of exported interfaces, this one's added. */
  readonly ownTypes: Map<TypeDef, number>;
}

function exportInterface(to: ComponentWriter, { key, owner, options, ownTypes }: InterfaceExport): void {
  const indexOf = (type: TypeDef): number => {
    const known = ownTypes.get(type) ?? (type.owner === owner ? undefined : options.importedTypes.get(type));
    if (known !== undefined) return known;
    invariant(type.owner === owner, `${type.name} is defined before ${owner.name}`);
    const index = writer.body(type);
    ownTypes.set(type, index);
    return index;
  };
  const writer = new TypeWriter(to, indexOf);
  const lifted = functionsOf(owner).map((func) => ({
    func,
    index: liftFunction(to, writer, { key, func, options }),
  }));
  const { bytes, args } = namingComponent(owner, lifted, indexOf);
  const instance = to.instance(to.component(bytes), args);
  const exported = to.export({ name: key, sort: "instance", index: instance });
  for (const type of owner.types.values()) ownTypes.set(type, to.alias("type", exported, type.name));
}

interface LiftedFunction {
  readonly key: string | undefined;
  readonly func: WorldFunction;
  readonly options: LiftOptions;
}

function liftFunction(
  to: ComponentWriter,
  writer: TypeWriter,
  { key, func, options }: LiftedFunction,
): number {
  const name = coreName(key, func);
  const core = to.coreAlias("func", options.instance, name);
  const after = postReturnName(name);
  const postReturn = options.exported.has(after) ? to.coreAlias("func", options.instance, after) : undefined;
  return to.lift(core, writer.func(func), { ...options.canon, postReturn });
}

interface NamingComponent {
  readonly bytes: Uint8Array;
  /** What it is given to make the instance. */
  readonly args: readonly Item[];
}

/** Takes the functions, and the types that they are made of, and exports both by the interface's names. */
function namingComponent(
  owner: Interface,
  lifted: readonly { readonly func: WorldFunction; readonly index: number }[],
  outerIndex: (type: TypeDef) => number,
): NamingComponent {
  const to = new ComponentWriter();
  const args: Item[] = [];
  const given = new Map<TypeDef, number>();
  const givenTypes = new TypeWriter(to, (type) => indexIn([given], type));
  const names = new Set<string>();
  const add = (name: string, sort: Item["sort"], index: number): string => {
    let free = name;
    // Two interfaces may call a type the same.
    while (names.has(free)) free = `${free}-other`;
    names.add(free);
    args.push({ name: free, sort, index });
    return free;
  };
  const functions = lifted.flatMap(({ func }) => [...typesOf(func)]);
  const seen = new Set<TypeDef>();
  const all = [
    ...[...owner.types.values()].flatMap((type) => [...withParts(type, seen)]),
    ...functions.flatMap((type) => [...namedTypes(typesIn(type), seen)]),
  ];
  for (const type of all) {
    const { body } = type;
    if (body.kind === "use" || body.kind === "alias") {
      given.set(type, givenTypes.body(type));
      continue;
    }
    const equalTo = body.kind === "resource" ? undefined : givenTypes.body(type);
    const name = add(`import-type-${type.name}`, "type", outerIndex(type));
    given.set(type, to.import(name, { kind: "type", equalTo }));
  }
  const taken = lifted.map(({ func, index }) => {
    const name = add(importName(func.name), "func", index);
    return { func, index: to.import(name, { kind: "func", type: givenTypes.func(func) }) };
  });

  const exported = new Map<TypeDef, number>();
  const exportedTypes = new TypeWriter(to, (type) => indexIn([exported, given], type));
  for (const type of all) {
    if (type.owner !== owner) continue;
    // Defined once more, of types that are exported: one that an export is made of has a name there too.
    const index = type.body.kind === "resource" ? indexIn([given], type) : exportedTypes.body(type);
    exported.set(type, to.export({ name: type.name, sort: "type", index }));
  }
  for (const { func, index } of taken) {
    to.export({ name: func.name, sort: "func", index }, { kind: "func", type: exportedTypes.func(func) });
  }
  return { bytes: to.finish(), args };
}

/** `[method]message.lat` → `import-method-message-lat`: annotations mean something only where the resource is. */
function importName(name: string): string {
  const plain = name.replace(/^\[(\w+)\]/, "$1-").replace(".", "-");
  return plain === name ? `import-func-${name}` : `import-${plain}`;
}

function indexIn(spaces: readonly ReadonlyMap<TypeDef, number>[], type: TypeDef): number {
  for (const space of spaces) {
    const found = space.get(type);
    if (found !== undefined) return found;
  }
  throw new Error(`Invariant broken: the type "${type.name}" is defined before it is used`);
}
