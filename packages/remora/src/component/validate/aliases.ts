/** Aliases: of exports, and of what stands in a scope further out (Explainer.md, "Alias Definitions"). */

import { componentErrors } from "../errors.ts";
import { at } from "../link/type-scope.ts";
import type { AliasDefinition } from "../model.ts";
import { usesOuterResource } from "./outer-resource.ts";
import { type ComponentScope, isSameSort, sortName, sortOf } from "./scope.ts";

export function alias(scope: ComponentScope, { sort, target, offset }: AliasDefinition): void {
  switch (target.kind) {
    case "export": {
      const instance = at(scope.instances, target.instance, "instance", offset);
      const entity = instance.exports.get(target.name);
      if (entity === undefined) fail(`instance ${target.instance} has no export "${target.name}"`, offset);
      if (!isSameSort(sort, sortOf(entity))) {
        fail(`export "${target.name}" of instance ${target.instance} is not a ${sortName(sort)}`, offset);
      }
      scope.push(entity);
      return;
    }
    case "core-export": {
      if (typeof sort === "string") fail(`an alias of a core export as a ${sort}`, offset);
      const instance = at(scope.coreInstances, target.instance, "core instance", offset);
      const extern = instance.get(target.name);
      if (extern === undefined)
        fail(`core instance ${target.instance} has no export "${target.name}"`, offset);
      if (extern.kind !== sort.core) {
        fail(`export "${target.name}" of core instance ${target.instance} is not a ${sort.core}`, offset);
      }
      scope.coreItems(sort.core, offset).push(extern);
      return;
    }
    case "outer":
      outerAlias(scope, { sort, count: target.count, index: target.index, offset });
  }
}

function outerAlias(
  scope: ComponentScope,
  { sort, count, index, offset }: Pick<AliasDefinition, "sort" | "offset"> & { count: number; index: number },
): void {
  const target = outerScope(scope, count, offset);
  if (sort === "type") {
    const type = target.type(index, offset);
    if (crossesComponent(scope, count) && usesOuterResource(type)) {
      fail("an outer alias of a type that refers to a resource type", offset);
    }
    scope.types.push(type);
  } else if (sort === "component") {
    scope.components.push(at(target.components, index, "component", offset));
  } else if (typeof sort !== "string" && sort.core === "module") {
    scope.coreModules.push(at(target.coreModules, index, "core module", offset));
  } else if (typeof sort !== "string" && sort.core === "type") {
    scope.coreTypes.push(at(target.coreTypes, index, "core type", offset));
  } else {
    fail(`an outer alias of a ${sortName(sort)}`, offset);
  }
}

/** Whether going out by `count` scopes leaves a component, as opposed to a type. */
function crossesComponent(scope: ComponentScope, count: number): boolean {
  let at: ComponentScope | undefined = scope;
  for (let left = count; left > 0 && at !== undefined; left--) {
    if (at.kind === "component") return true;
    at = at.parent;
  }
  return false;
}

/** Inside a component or instance type only types and instances can be aliased. */
export function checkAliasInType({ sort, target, offset }: AliasDefinition): void {
  const isType = sort === "type";
  const isCoreType = typeof sort !== "string" && sort.core === "type";
  if (target.kind === "export" && !isType && sort !== "instance") {
    fail(`an alias of a ${sortName(sort)} inside a type`, offset);
  }
  if (target.kind === "core-export") fail("an alias of a core export inside a type", offset);
  if (target.kind === "outer" && !isType && !isCoreType)
    fail(`an outer alias of a ${sortName(sort)} inside a type`, offset);
}

/** The scope that is so many further out. */
export function outerScope(scope: ComponentScope, count: number, offset: number): ComponentScope {
  let found: ComponentScope | undefined = scope;
  for (let left = count; left > 0 && found !== undefined; left--) found = found.parent;
  return found ?? fail(`outer alias over ${count} scopes, there are not that many`, offset);
}

function fail(what: string, offset: number): never {
  throw componentErrors.invalid({ what, offset });
}
