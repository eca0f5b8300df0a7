/** Plans what a component wants of the host: functions, resources and modules, by the paths to them. */

import { hostOwner, type PlannedResource } from "../abi/codec-resource.ts";
import { componentErrors } from "../errors.ts";
import type { AliasDefinition, ExternDecl, ImportDefinition } from "../model.ts";
import type { Frame, FrameInstance, FrameItem } from "./frame.ts";
import type { HostFuncPlan, HostResourcePlan } from "./plan.ts";
import type { PlanBudget } from "./plan-limits.ts";
import { at, resolveType, type ScopedType, type TypeScope } from "./type-scope.ts";

export class HostPlanner {
  readonly funcs: HostFuncPlan[] = [];
  readonly resources: HostResourcePlan[] = [];
  readonly modules: string[] = [];
  readonly #budget: PlanBudget;
  readonly #makeResource: (name: string, owner: number) => PlannedResource;

  constructor(budget: PlanBudget, makeResource: (name: string, owner: number) => PlannedResource) {
    this.#budget = budget;
    this.#makeResource = makeResource;
  }

  /** What a component imports of the host. */
  import(frame: Frame, definition: ImportDefinition): FrameItem {
    return this.#item([definition.name], definition.type, frame, definition.offset);
  }

  #item(path: readonly string[], type: ExternDecl, scope: TypeScope, offset: number): FrameItem {
    switch (type.kind) {
      case "func": {
        const found = at(scope.types, type.type, "type", offset);
        if (found.kind !== "func")
          throw componentErrors.invalid({ what: "import of no function type", offset });
        const index = this.funcs.length;
        this.funcs.push({ path, type: found.type });
        return { kind: "func", func: { kind: "host", index, type: found.type } };
      }
      case "type": {
        if (type.bound !== "resource") {
          return { kind: "type", type: at(scope.types, type.bound.equalTo, "type", offset) };
        }
        const resource = this.#makeResource(path.at(-1) ?? "resource", hostOwner);
        this.resources.push({ path, resource });
        return { kind: "type", type: { kind: "resource", resource } };
      }
      case "instance": {
        const found = at(scope.types, type.type, "type", offset);
        if (found.kind !== "scope" || found.decl.kind !== "instance") {
          throw componentErrors.invalid({ what: "import of no instance type", offset });
        }
        return { kind: "instance", instance: this.#instance(path, found) };
      }
      case "core-module": {
        const name = path[0] ?? "";
        if (path.length > 1) break;
        this.modules.push(name);
        return { kind: "core-module", module: { kind: "import", name } };
      }
      case "component":
      case "value":
        break;
    }
    throw componentErrors.unsupported({ what: `a ${type.kind} as import of the host`, offset });
  }

  /** Walks an instance type as if it were being instantiated: its exports are what the host shall give. */
  #instance(path: readonly string[], type: Extract<ScopedType, { kind: "scope" }>): FrameInstance {
    const scope: TypeScope & { types: ScopedType[]; instances: FrameInstance[] } = {
      parent: type.definedIn,
      types: [],
      instances: [],
    };
    const exports = new Map<string, FrameItem>();
    for (const decl of type.decl.decls) {
      const { offset } = decl;
      this.#budget.step(offset);
      switch (decl.kind) {
        case "type":
          scope.types.push(resolveType(decl.type, scope, offset));
          break;
        case "alias":
          aliasInType(scope, decl);
          break;
        case "export-decl": {
          const item = this.#item([...path, decl.name], decl.type, scope, offset);
          exports.set(decl.name, item);
          if (item.kind === "type") scope.types.push(item.type);
          else if (item.kind === "instance") scope.instances.push(item.instance);
          break;
        }
        case "core-type":
        case "import":
          break;
      }
    }
    return { exports };
  }
}

/** Aliases inside an instance type: types from outside it, or from an instance that it exported before. */
function aliasInType(
  scope: TypeScope & { types: ScopedType[]; instances: FrameInstance[] },
  definition: AliasDefinition,
): void {
  const { sort, target, offset } = definition;
  if (typeof sort !== "string") return;
  if (target.kind === "outer") {
    let outer: TypeScope | undefined = scope;
    for (let count = target.count; count > 0 && outer !== undefined; count--) outer = outer.parent;
    if (outer === undefined)
      throw componentErrors.invalid({ what: "alias beyond the outermost scope", offset });
    scope.types.push(at(outer.types, target.index, "type", offset));
    return;
  }
  const instance = at(scope.instances, target.instance, "instance", offset);
  const item = instance.exports.get(target.name);
  if (item?.kind === "type") scope.types.push(item.type);
  else if (item?.kind === "instance") scope.instances.push(item.instance);
  else throw componentErrors.invalid({ what: `instance has no type "${target.name}"`, offset });
}
