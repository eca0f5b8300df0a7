/**
 * One world from its text to what a component of it imports and exports: `include` merged in, and the interfaces
 * added whose types the named ones use (WIT.md, "Union of Worlds with include", "Transitive imports and worlds").
 */

import type {
  Attributes,
  ExternItem,
  IncludeItem,
  InterfaceItem,
  Name,
  UsePath,
  WorldItem as WorldTree,
} from "./ast.ts";
import type { GateVerdict } from "./gates.ts";
import { type Interface, type TypeDef, usedInterfaces, type World, type WorldItem } from "./model.ts";
import type { TypeScope } from "./resolve-types.ts";
import { invalid, Names, unknownName } from "./scope.ts";

export interface WorldInput {
  readonly tree: WorldTree;
  readonly id: string;
  readonly verdict: GateVerdict;
  readonly judge: (attributes: Attributes) => GateVerdict;
  readonly interfaceAt: (path: UsePath) => Interface;
  readonly worldAt: (path: UsePath) => World;
  /** The types of the world itself. */
  readonly typesOf: (owner: World, tree: WorldTree, names: Names) => TypeScope;
  readonly inlineInterface: (name: Name, attributes: Attributes, items: InterfaceItem["items"]) => Interface;
}

type Side = "imports" | "exports";

interface Draft extends World {
  readonly types: Map<string, TypeDef>;
  readonly imports: Map<string, WorldItem>;
  readonly exports: Map<string, WorldItem>;
}

export function resolveWorld(input: WorldInput): World {
  const { tree, id, verdict } = input;
  const world: Draft = {
    kind: "world",
    id,
    name: tree.name.text,
    docs: tree.attributes.docs,
    stability: verdict.stability,
    types: new Map(),
    imports: new Map(),
    exports: new Map(),
  };
  // Types of a world are imports of it: they share their names.
  const names = { imports: new Names(), exports: new Names() };
  const scope = input.typesOf(world, tree, names.imports);
  for (const [name, type] of scope.types) world.types.set(name, type);
  for (const item of tree.items) {
    if (item.kind === "import" || item.kind === "export") addExtern(world, item, input, scope, names);
  }
  for (const item of tree.items) {
    if (item.kind === "include" && input.judge(item.attributes).closedBy === undefined) {
      include(world, item, input.worldAt(item.path), names);
    }
  }
  addImplied(world, tree.name);
  return world;
}

function addExtern(
  world: Draft,
  item: ExternItem,
  input: WorldInput,
  scope: TypeScope,
  names: Record<Side, Names>,
): void {
  const { stability, closedBy } = input.judge(item.attributes);
  if (closedBy !== undefined) return;
  const side: Side = item.kind === "import" ? "imports" : "exports";
  const { extern, attributes } = item;
  const { externalId } = attributes;
  if (extern.kind === "path") {
    const found = input.interfaceAt(extern.path);
    const key = found.id ?? found.name;
    names[side].claim({ text: key, span: extern.path.span }, item.kind);
    world[side].set(key, { kind: "interface", interface: found, stability, isImplied: false, externalId });
    return;
  }
  const name = extern.name.text;
  names[side].claim(extern.name, item.kind);
  if (extern.kind === "func") {
    const func = scope.func(extern.name, extern.func, attributes.docs, stability);
    world[side].set(name, { kind: "func", func, stability, externalId });
    return;
  }
  const found =
    extern.kind === "inline"
      ? input.inlineInterface(extern.name, attributes, extern.items)
      : input.interfaceAt(extern.path);
  world[side].set(name, { kind: "interface", interface: found, stability, isImplied: false, externalId });
}

/** Interfaces by their names are the same wherever they are; plain names must differ, or be renamed. */
function include(world: Draft, item: IncludeItem, included: World, names: Record<Side, Names>): void {
  const renames = new Map(item.renames.map((rename) => [rename.name.text, rename]));
  const used = new Set<string>();
  const nameFor = (key: string, side: Side): string => {
    const rename = renames.get(key);
    if (rename !== undefined) used.add(key);
    const text = rename?.as.text ?? key;
    names[side].claim(
      { text, span: rename?.as.span ?? item.path.span },
      side === "imports" ? "import" : "export",
    );
    return text;
  };
  for (const [name, type] of included.types) world.types.set(nameFor(name, "imports"), type);
  for (const side of ["imports", "exports"] as const) {
    for (const [key, value] of included[side]) {
      const isById = value.kind === "interface" && value.interface.id === key;
      if (!isById) world[side].set(nameFor(key, side), value);
      else if (!world[side].has(key)) world[side].set(key, value);
      else if (value.kind === "interface" && !value.isImplied) markNamed(world[side], key);
    }
  }
  for (const { name } of item.renames) {
    if (used.has(name.text)) continue;
    const plain = [...included.types.keys(), ...included.imports.keys(), ...included.exports.keys()];
    const isInterface = plain.some((key) => key.includes(`/${name.text}@`) || key.endsWith(`/${name.text}`));
    if (isInterface)
      throw invalid(
        name.span,
        `"${name.text}" is an interface, whose name stays: only plain names are renamed`,
      );
    const candidates = plain.filter((key) => !key.includes("/"));
    throw unknownName(name, { what: "plain name", where: included.name, candidates });
  }
}

function markNamed(items: Map<string, WorldItem>, key: string): void {
  const found = items.get(key);
  if (found?.kind === "interface") items.set(key, { ...found, isImplied: false });
}

/** What an interface uses is imported before it, unless an export uses what is exported too. */
function addImplied(world: Draft, name: Name): void {
  const imports = new Map<string, WorldItem>();
  const addWithUsed = (key: string, item: WorldItem): void => {
    if (imports.has(key)) return;
    if (item.kind === "interface") addUsed(item.interface.types.values());
    imports.set(key, item);
  };
  const addUsed = (types: Iterable<TypeDef>): void => {
    for (const used of usedInterfaces(types)) {
      const key = used.id ?? used.name;
      addWithUsed(key, world.imports.get(key) ?? implied(used));
    }
  };
  addUsed(world.types.values());
  for (const [key, item] of world.imports) addWithUsed(key, item);
  const visited = new Set<Interface>();
  const addUsedByExport = (exported: Interface): void => {
    if (visited.has(exported)) return;
    visited.add(exported);
    for (const used of usedInterfaces(exported.types.values())) {
      const key = used.id ?? used.name;
      if (world.exports.has(key)) {
        addUsedByExport(used);
        continue;
      }
      // Its types are the import's, those that it uses in turn included: of an export they would be others.
      const inner = [...allUsed(used)].find((each) => world.exports.has(each.id ?? each.name));
      if (inner !== undefined) {
        const what = `"${exported.name}" is exported and uses "${used.name}", which is imported and uses "${inner.name}", which is exported: export "${used.name}" as well`;
        throw invalid(name.span, what);
      }
      addWithUsed(key, implied(used));
    }
  };
  for (const item of world.exports.values()) {
    if (item.kind === "interface") addUsedByExport(item.interface);
  }
  world.imports.clear();
  for (const [key, item] of imports) world.imports.set(key, item);
}

/** What an interface uses, and what that uses. */
function allUsed(found: Interface, seen = new Set<Interface>()): Set<Interface> {
  for (const used of usedInterfaces(found.types.values())) {
    if (seen.has(used)) continue;
    seen.add(used);
    allUsed(used, seen);
  }
  return seen;
}

function implied(used: Interface): WorldItem {
  return {
    kind: "interface",
    interface: used,
    stability: used.stability,
    isImplied: true,
    externalId: undefined,
  };
}
