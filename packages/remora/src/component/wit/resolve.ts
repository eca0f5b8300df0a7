/**
 * WIT files to packages in which every name is looked up. The files of one folder are one package, each entry of
 * its `deps/` another, and braces hold further ones (WIT.md, "Filesystem structure").
 */

import { didYouMean } from "../../base/index.ts";
import type {
  Attributes,
  InterfaceItem,
  Name,
  PackageDecl,
  PackagePart,
  UseItem,
  UsePath,
  WorldItem,
} from "./ast.ts";
import { witErrors } from "./errors.ts";
import { checkContained, type GateVerdict, judgeGates, type OpenFeatures } from "./gates.ts";
import {
  type Func,
  type Interface,
  itemId,
  type PackageName,
  packageId,
  type TypeDef,
  type WitPackage,
  type WitPackages,
  type World,
} from "./model.ts";
import { gatherPackages, type PackageTree } from "./packages.ts";
import { TypeScope } from "./resolve-types.ts";
import { resolveWorld } from "./resolve-world.ts";
import { gatedName, invalid, Names, unknownName } from "./scope.ts";
import { placeOf, type WitFile } from "./source.ts";

/** Interfaces that each use the next: longer chains are nothing that a person wrote. */
const chainMax = 300;

export interface WitOptions {
  /** Features whose items are there although they are unstable. Default: none. */
  readonly features?: Iterable<string> | "all";
}

/**
 * Reads WIT.
 *
 * @param files What a folder of WIT holds, or one file alone. A path with `deps/` in it belongs to the dependency
 *              that is named behind it; all others are files of the root package.
 * @throws component/wit-syntax, and the other `component/wit-…`, with the place
 */
export function parseWit(files: readonly WitFile[], options: WitOptions = {}): WitPackages {
  const features = options.features ?? [];
  const { root, packages } = gatherPackages(files);
  return new Resolver(packages, features === "all" ? "all" : new Set(features)).resolve(root);
}

/** An item with the file-wide names that it sees. */
interface Scoped<Tree> {
  readonly tree: Tree;
  readonly part: PackagePart;
}

interface PackageDraft {
  readonly name: PackageName;
  readonly tree: PackageTree;
  readonly interfaceTrees: Map<string, Scoped<InterfaceItem>>;
  readonly worldTrees: Map<string, Scoped<WorldItem>>;
  /** Undefined behind a closed gate. */
  readonly interfaces: Map<string, Interface | undefined>;
  readonly worlds: Map<string, World | undefined>;
}

class Resolver {
  readonly #features: OpenFeatures;
  readonly #drafts = new Map<string, PackageDraft>();
  /** What is being resolved, for cycles: `interface` or `world` and its id. */
  readonly #open: string[] = [];
  readonly #hiddenTypes = new Map<Interface, ReadonlyMap<string, string>>();
  readonly #done = new Map<string, WitPackage>();

  constructor(trees: ReadonlyMap<string, PackageTree>, features: OpenFeatures) {
    this.#features = features;
    for (const [id, tree] of trees) this.#drafts.set(id, draftOf(tree));
  }

  resolve(rootId: string): WitPackages {
    for (const draft of this.#drafts.values()) this.#checkFileNames(draft);
    for (const [id, draft] of this.#drafts) {
      for (const name of draft.interfaceTrees.keys()) this.#interface(draft, name);
      for (const name of draft.worldTrees.keys()) this.#world(draft, name);
      this.#done.set(id, finished(draft));
    }
    const root = this.#done.get(rootId);
    if (root === undefined) throw witErrors["wit-no-package"]({ paths: [] });
    return { root, packages: inUseOrder(this.#done) };
  }

  /** `use a:b/c as d;` at the top of a file: it names an interface that is there, and its own name is free. */
  #checkFileNames(draft: PackageDraft): void {
    for (const part of draft.tree.parts) {
      const names = new Names();
      for (const item of part.items) {
        const local = item.kind === "top-level-use" ? (item.as ?? item.path.name) : item.name;
        names.claim(local, "name");
        if (item.kind !== "top-level-use") continue;
        const target = this.#find(item.path, draft, undefined);
        if (!target.draft.interfaceTrees.has(target.name))
          throw this.#notFound(item.path, target, "interface");
      }
    }
  }

  #interface(draft: PackageDraft, name: string): Interface | undefined {
    if (draft.interfaces.has(name)) return draft.interfaces.get(name);
    const scoped = draft.interfaceTrees.get(name);
    if (scoped === undefined) return undefined;
    const { tree, part } = scoped;
    const id = itemId(draft.name, name);
    const result = this.#within(`interface ${id}`, tree.name, () => {
      const verdict = this.#judge(tree.attributes, draft);
      if (verdict.closedBy !== undefined) return undefined;
      return this.#interfaceBody(tree, { id, verdict, draft, part });
    });
    draft.interfaces.set(name, result);
    return result;
  }

  #interfaceBody(
    tree: Pick<InterfaceItem, "name" | "items" | "attributes">,
    at: { id: string | undefined; verdict: GateVerdict; draft: PackageDraft; part: PackagePart },
  ): Interface {
    const functions = new Map<string, Func>();
    const types = new Map<string, TypeDef>();
    const result: Interface = {
      kind: "interface",
      id: at.id,
      name: tree.name.text,
      docs: tree.attributes.docs,
      stability: at.verdict.stability,
      types,
      functions,
    };
    const names = new Names();
    const scope = this.#types(result, tree.items, names, at.draft, at.part);
    for (const [name, type] of scope.types) types.set(name, type);
    this.#hiddenTypes.set(result, scope.hidden);
    for (const item of tree.items) {
      if (item.kind !== "func") continue;
      names.claim(item.name, "name");
      const { stability, closedBy } = this.#judge(item.attributes, at.draft);
      if (closedBy !== undefined) continue;
      functions.set(item.name.text, scope.func(item.name, item.func, item.attributes.docs, stability));
    }
    return result;
  }

  #types(
    owner: Interface | World,
    items: InterfaceItem["items"] | WorldItem["items"],
    names: Names,
    draft: PackageDraft,
    part: PackagePart,
  ): TypeScope {
    return new TypeScope({
      owner,
      items,
      names,
      judge: (attributes) => this.#judge(attributes, draft),
      interfaceAt: (use: UseItem) => this.#interfaceAt(use.path, draft, part),
      hiddenIn: (other, name) => this.#hiddenTypes.get(other)?.get(name),
    });
  }

  #world(draft: PackageDraft, name: string): World | undefined {
    if (draft.worlds.has(name)) return draft.worlds.get(name);
    const scoped = draft.worldTrees.get(name);
    if (scoped === undefined) return undefined;
    const { tree, part } = scoped;
    const id = itemId(draft.name, name);
    const result = this.#within(`world ${id}`, tree.name, () => {
      const verdict = this.#judge(tree.attributes, draft);
      if (verdict.closedBy !== undefined) return undefined;
      return resolveWorld({
        tree,
        id,
        verdict,
        judge: (attributes) => this.#judge(attributes, draft),
        interfaceAt: (path) => this.#interfaceAt(path, draft, part),
        worldAt: (path) => this.#worldAt(path, draft, part),
        typesOf: (owner, world, names) => this.#types(owner, world.items, names, draft, part),
        inlineInterface: (inlineName, attributes, items) => {
          const inline = { name: inlineName, attributes, items };
          return this.#interfaceBody(inline, {
            id: undefined,
            verdict: { stability: {}, closedBy: undefined },
            draft,
            part,
          });
        },
      });
    });
    draft.worlds.set(name, result);
    return result;
  }

  #judge(attributes: Attributes, draft: PackageDraft): GateVerdict {
    return judgeGates(attributes.gates, draft.name, this.#features);
  }

  /** Resolves one item; throws when that needs the same item again. */
  #within<Result>(what: string, name: Name, resolve: () => Result): Result {
    const from = this.#open.indexOf(what);
    if (from >= 0) {
      const path = [...this.#open.slice(from), what].join(" → ");
      throw witErrors["wit-cycle"]({
        ...placeOf(name.span),
        what: `these name each other in a circle: ${path}`,
      });
    }
    if (this.#open.length > chainMax) {
      throw witErrors["wit-limit"]({
        ...placeOf(name.span),
        what: "interfaces that each use the next",
        max: chainMax,
      });
    }
    this.#open.push(what);
    const result = resolve();
    this.#open.pop();
    return result;
  }

  #interfaceAt(path: UsePath, draft: PackageDraft, part: PackagePart): Interface {
    const target = this.#find(path, draft, part);
    const found = this.#interface(target.draft, target.name);
    if (found !== undefined) return found;
    throw this.#notFound(path, target, "interface");
  }

  #worldAt(path: UsePath, draft: PackageDraft, part: PackagePart): World {
    const target = this.#find(path, draft, part);
    const found = this.#world(target.draft, target.name);
    if (found !== undefined) return found;
    throw this.#notFound(path, target, "world");
  }

  #notFound(
    path: UsePath,
    target: { draft: PackageDraft; name: string },
    wanted: "interface" | "world",
  ): Error {
    const { interfaceTrees, worldTrees } = target.draft;
    const [right, wrong] =
      wanted === "interface" ? [interfaceTrees, worldTrees] : [worldTrees, interfaceTrees];
    const gated = right.get(target.name)?.tree.attributes.gates.find((gate) => gate.kind === "unstable");
    if (gated !== undefined) return gatedName(path.name, gated.feature);
    if (wrong.has(target.name)) {
      const found = wanted === "interface" ? "a world" : "an interface";
      return invalid(
        path.name.span,
        `"${path.name.text}" is ${found}: expected ${wanted === "world" ? "a world" : "an interface"}`,
      );
    }
    return unknownName(path.name, {
      what: wanted,
      where: packageId(target.draft.name),
      candidates: right.keys(),
    });
  }

  /** The package and name behind a path. Without a part, of the package alone: a file's own names are not looked at. */
  #find(
    path: UsePath,
    draft: PackageDraft,
    part: PackagePart | undefined,
  ): { draft: PackageDraft; name: string } {
    if (path.package === undefined) {
      for (const item of part?.items ?? []) {
        if (item.kind !== "top-level-use" || (item.as ?? item.path.name).text !== path.name.text) continue;
        return this.#find(item.path, draft, undefined);
      }
      return { draft, name: path.name.text };
    }
    const id = packageId(path.package);
    const found = this.#drafts.get(id);
    if (found !== undefined) return { draft: found, name: path.name.text };
    const what = `there is no package "${id}"${didYouMean(id, this.#drafts.keys())}`;
    throw witErrors["wit-unknown-name"]({ ...placeOf(path.span), what });
  }
}

function draftOf(tree: PackageTree): PackageDraft {
  const draft: PackageDraft = {
    name: tree.name,
    tree,
    interfaceTrees: new Map(),
    worldTrees: new Map(),
    interfaces: new Map(),
    worlds: new Map(),
  };
  const names = new Names();
  for (const part of tree.parts) {
    for (const item of part.items) {
      if (item.kind === "top-level-use") continue;
      names.claim(item.name, item.kind);
      checkContained(item);
      if (item.kind === "interface") draft.interfaceTrees.set(item.name.text, { tree: item, part });
      else draft.worldTrees.set(item.name.text, { tree: item, part });
    }
  }
  return draft;
}

function finished(draft: PackageDraft): WitPackage {
  const present = <Item>(items: Map<string, Item | undefined>, order: Iterable<string>) => {
    const result = new Map<string, Item>();
    for (const name of order) {
      const item = items.get(name);
      if (item !== undefined) result.set(name, item);
    }
    return result;
  };
  return {
    name: draft.name,
    docs: docsOf(draft.tree.parts.map((part) => part.package)),
    interfaces: present(draft.interfaces, draft.interfaceTrees.keys()),
    worlds: present(draft.worlds, draft.worldTrees.keys()),
  };
}

function docsOf(declarations: readonly (PackageDecl | undefined)[]): string | undefined {
  return declarations.find((each) => each?.docs !== undefined)?.docs;
}

/** Dependencies before those that use them. */
function inUseOrder(packages: ReadonlyMap<string, WitPackage>): Map<string, WitPackage> {
  const ordered = new Map<string, WitPackage>();
  const visiting = new Set<string>();
  const visit = (id: string): void => {
    const found = packages.get(id);
    if (found === undefined || ordered.has(id) || visiting.has(id)) return;
    visiting.add(id);
    for (const used of usedPackages(found)) visit(used);
    ordered.set(id, found);
  };
  for (const id of packages.keys()) visit(id);
  return ordered;
}

function usedPackages(found: WitPackage): Set<string> {
  const ids = new Set<string>();
  const addOwner = (owner: Interface | World) => {
    const [path = "", version] = (owner.id ?? "").split("@");
    const slash = path.indexOf("/");
    if (slash >= 0)
      ids.add(version === undefined ? path.slice(0, slash) : `${path.slice(0, slash)}@${version}`);
  };
  const addTypes = (types: Iterable<TypeDef>) => {
    for (const { body } of types) if (body.kind === "use") addOwner(body.target.owner);
  };
  for (const each of found.interfaces.values()) addTypes(each.types.values());
  for (const world of found.worlds.values()) {
    addTypes(world.types.values());
    for (const item of [...world.imports.values(), ...world.exports.values()]) {
      if (item.kind !== "interface") continue;
      addOwner(item.interface);
      addTypes(item.interface.types.values());
    }
  }
  return ids;
}
