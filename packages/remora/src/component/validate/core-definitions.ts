/** Core instances, core types and module types as a component defines them (Explainer.md, "Core Definitions"). */

import { componentErrors } from "../errors.ts";
import { at } from "../link/type-scope.ts";
import type { CoreInstanceDefinition, CoreModuleDecl, CoreTypeDecl } from "../model.ts";
import { outerScope } from "./aliases.ts";
import { coreMismatch, declaredExtern } from "./core-module.ts";
import type { CoreExtern, CoreInstanceType, CoreModuleType } from "./entity.ts";
import type { ComponentScope } from "./scope.ts";

export function coreInstance(scope: ComponentScope, definition: CoreInstanceDefinition): CoreInstanceType {
  const { expr, offset } = definition;
  if (expr.kind === "exports") {
    const exports = new Map<string, CoreExtern>();
    for (const { name, item } of expr.exports) {
      if (exports.has(name)) fail(`core export "${name}" given twice`, offset);
      exports.set(name, at(scope.coreItems(item.sort, offset), item.index, `core ${item.sort}`, offset));
    }
    return exports;
  }
  const module = at(scope.coreModules, expr.module, "core module", offset);
  const args = new Map<string, CoreInstanceType>();
  for (const { name, instance } of expr.args) {
    if (args.has(name)) fail(`argument "${name}" given twice`, offset);
    args.set(name, at(scope.coreInstances, instance, "core instance", offset));
  }
  for (const { module: from, name, type } of module.imports) {
    const given = args.get(from)?.get(name);
    if (given === undefined) return fail(`missing argument for the core import "${from}" "${name}"`, offset);
    const why = coreMismatch(given, type);
    if (why !== undefined) fail(`core import "${from}" "${name}": ${why}`, offset);
  }
  return module.exports;
}

export function pushCoreType(scope: ComponentScope, type: CoreTypeDecl, offset: number): void {
  if (type.kind === "module") declaredModule(scope, type.decls);
  if (type.kind === "opaque") {
    for (let index = 0; index < type.count; index++) scope.coreTypes.push(type);
    return;
  }
  if (type.kind === "func") checkCoreReferences(type, scope.coreTypes.length, offset);
  scope.coreTypes.push(type);
}

/** A reference to a type by index refers to an earlier one. */
function checkCoreReferences(
  type: Extract<CoreTypeDecl, { kind: "func" }>,
  count: number,
  offset: number,
): void {
  for (const value of [...type.params, ...type.results]) {
    if (typeof value === "string") continue;
    const index = /^\(ref (?:null )?(\d+)\)$/.exec(value.ref)?.[1];
    if (index !== undefined && Number(index) >= count) fail(`unknown core type ${index}`, offset);
  }
}

/** What a module type says of a module. */
export function declaredModule(scope: ComponentScope, decls: readonly CoreModuleDecl[]): CoreModuleType {
  const types: CoreTypeDecl[] = [];
  const imports: { module: string; name: string; type: CoreExtern }[] = [];
  const exports = new Map<string, CoreExtern>();
  const imported = new Set<string>();
  for (const decl of decls) {
    const { offset } = decl;
    switch (decl.kind) {
      case "type":
        if (decl.type.kind === "func") checkCoreReferences(decl.type, types.length, offset);
        if (decl.type.kind === "opaque")
          for (let index = 1; index < decl.type.count; index++) types.push(decl.type);
        types.push(decl.type);
        break;
      case "outer-alias": {
        // The module type is itself a scope: 0 counts to it, 1 to what it stands in.
        if (decl.count === 0) {
          types.push(at(types, decl.index, "core type", offset));
          break;
        }
        const target = outerScope(scope, decl.count - 1, offset);
        const type = at(target.coreTypes, decl.index, "core type", offset);
        if (type.kind === "module") fail("an alias of a module type inside a module type", offset);
        types.push(type);
        break;
      }
      case "import": {
        const key = JSON.stringify([decl.module, decl.name]);
        if (imported.has(key)) fail(`core import "${decl.module}" "${decl.name}" given twice`, offset);
        imported.add(key);
        imports.push({
          module: decl.module,
          name: decl.name,
          type: declaredExtern(decl.type, types, offset),
        });
        break;
      }
      case "export":
        if (exports.has(decl.name)) fail(`core export "${decl.name}" given twice`, offset);
        exports.set(decl.name, declaredExtern(decl.type, types, offset));
        break;
    }
  }
  return { imports, exports };
}

function fail(what: string, offset: number): never {
  throw componentErrors.invalid({ what, offset });
}
