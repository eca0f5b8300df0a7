/** The index spaces of a component, or of a component or instance type, while it is validated. */

import { componentErrors } from "../errors.ts";
import { at } from "../link/type-scope.ts";
import type { CoreSort, CoreTypeDecl, Sort, SortIndex } from "../model.ts";
import type { FuncType } from "../types.ts";
import type {
  ComponentType,
  CoreExtern,
  CoreInstanceType,
  CoreModuleType,
  Entity,
  InstanceType,
  TypeEntity,
} from "./entity.ts";
import { NameScope } from "./name-scope.ts";
import { VisibleNames } from "./visible.ts";
import type { Work } from "./work.ts";

type CoreItemSort = "func" | "table" | "memory" | "global" | "tag";

export class ComponentScope {
  readonly kind: "component" | "component-type" | "instance-type";
  readonly parent: ComponentScope | undefined;
  readonly coreModules: CoreModuleType[] = [];
  readonly coreInstances: CoreInstanceType[] = [];
  readonly coreTypes: CoreTypeDecl[] = [];
  readonly core: { readonly [Sort in CoreItemSort]: CoreExtern[] } = {
    func: [],
    table: [],
    memory: [],
    global: [],
    tag: [],
  };
  readonly funcs: FuncType[] = [];
  readonly types: TypeEntity[] = [];
  readonly components: ComponentType[] = [];
  readonly instances: InstanceType[] = [];
  readonly imports = new Map<string, Entity>();
  readonly exports = new Map<string, Entity>();
  readonly importNames = new NameScope("import");
  readonly exportNames = new NameScope("export");
  readonly visibleImports: VisibleNames;
  readonly visibleExports: VisibleNames;
  /** Of what a thread keeps: one for all that this component defines (CanonicalABI.md, "canon context.get"). */
  slotType: "i32" | "i64" | undefined;
  /** Resource types defined by this component itself, which alone may make handles to them; and what represents each. */
  readonly ownResources = new Map<number, "i32" | "i64">();

  constructor(kind: ComponentScope["kind"], parent: ComponentScope | undefined, work: Work) {
    this.visibleImports = new VisibleNames(work);
    this.visibleExports = new VisibleNames(work, this.visibleImports);
    this.kind = kind;
    this.parent = parent;
  }

  type(index: number, offset: number): TypeEntity {
    return at(this.types, index, "type", offset);
  }

  func(index: number, offset: number): FuncType {
    return at(this.funcs, index, "function", offset);
  }

  coreFunc(index: number, offset: number): CoreExtern {
    return at(this.core.func, index, "core function", offset);
  }

  coreMemory(index: number, offset: number): CoreExtern {
    return at(this.core.memory, index, "core memory", offset);
  }

  /** The space of a core item that a core instance may export. */
  coreItems(sort: CoreSort, offset: number): CoreExtern[] {
    if (sort === "type" || sort === "module" || sort === "instance") {
      throw componentErrors.invalid({ what: `a core ${sort} where a core export is expected`, offset });
    }
    return this.core[sort];
  }

  entity({ sort, index }: SortIndex, offset: number): Entity {
    switch (sort) {
      case "func":
        return { kind: "func", type: this.func(index, offset) };
      case "type":
        return { kind: "type", type: this.type(index, offset), isAbstract: false };
      case "component":
        return { kind: "component", type: at(this.components, index, "component", offset) };
      case "instance":
        return { kind: "instance", type: at(this.instances, index, "instance", offset) };
      case "value":
        throw componentErrors.unsupported({ what: "values and start functions", offset });
      default:
        if (sort.core !== "module") {
          throw componentErrors.invalid({
            what: `a core ${sort.core} among the items of a component`,
            offset,
          });
        }
        return { kind: "core-module", type: at(this.coreModules, index, "core module", offset) };
    }
  }

  /** The next index of its sort is this entity's. */
  push(entity: Entity): void {
    switch (entity.kind) {
      case "core-module":
        this.coreModules.push(entity.type);
        return;
      case "func":
        this.funcs.push(entity.type);
        return;
      case "type":
        this.types.push(entity.type);
        return;
      case "component":
        this.components.push(entity.type);
        return;
      case "instance":
        this.instances.push(entity.type);
    }
  }
}

/** What an alias has to find at its target. */
export function sortOf(entity: Entity): Sort {
  return entity.kind === "core-module" ? { core: "module" } : entity.kind;
}

export function isSameSort(a: Sort, b: Sort): boolean {
  return typeof a === "string" || typeof b === "string" ? a === b : a.core === b.core;
}

export function sortName(sort: Sort): string {
  return typeof sort === "string" ? sort : `core ${sort.core}`;
}
