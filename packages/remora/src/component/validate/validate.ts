/**
 * Validation of a whole component (Explainer.md and Binary.md): every index refers to something of its sort, types
 * fit where things are connected, names are what they should be. Definitions are looked at in their order; each
 * puts what it defines into the index spaces that later ones refer to.
 */

import { componentErrors } from "../errors.ts";
import { at, resolvePlainType, resolveRef } from "../link/type-scope.ts";
import type {
  CanonBody,
  Component,
  Definition,
  ExportDefinition,
  ExternDecl,
  InstanceDefinition,
  NameAttributes,
  ScopeTypeDecl,
  TypeDecl,
  TypeDeclBody,
} from "../model.ts";
import type { ResourceType } from "../types.ts";
import { alias, checkAliasInType } from "./aliases.ts";
import { addressTypeOf, checkBuiltin, checkLift, checkLower, checkResourceBuiltin } from "./canon.ts";
import { coreInstance, declaredModule, pushCoreType } from "./core-definitions.ts";
import { coreModuleType } from "./core-module.ts";
import type { ComponentType, Entity, InstanceType, ResourceRange, TypeEntity } from "./entity.ts";
import { NameScope } from "./name-scope.ts";
import { ComponentScope } from "./scope.ts";
import { Substitution } from "./substitute.ts";
import { Matcher } from "./subtype.ts";
import { checkFuncType, checkValueType } from "./value-types.ts";
import { renamed } from "./visible.ts";
import { Work } from "./work.ts";

/**
 * Validates a decoded component, all nested ones included.
 *
 * @throws component/invalid     the first thing that is wrong, with its byte offset
 * @throws component/malformed   a core module in it cannot be decoded
 * @throws component/unsupported features that are gated: values, start functions, threads that share memory
 * @throws component/limit       types that multiply beyond all use
 */
export function validateComponent(component: Component): Validated {
  const validator = new Validator();
  validator.component(component, undefined);
  return validator;
}

/** What is only known from the types of core modules, which nobody looks at again. */
export interface Validated {
  /** Canonical functions whose memory is a 64-bit one. */
  readonly wide: ReadonlySet<CanonBody>;
}

const nothing: ResourceRange = { start: 0, end: 0 };

class Validator implements Validated {
  readonly wide = new Set<CanonBody>();
  #resources = 0;
  readonly #work = new Work();

  component(component: Component, parent: ComponentScope | undefined): ComponentType {
    const scope = new ComponentScope("component", parent, this.#work);
    const start = this.#resources;
    for (const definition of component.definitions) this.#define(scope, definition);
    return { imports: scope.imports, exports: scope.exports, own: { start, end: this.#resources } };
  }

  #define(scope: ComponentScope, definition: Definition): void {
    const { offset } = definition;
    switch (definition.kind) {
      case "core-module":
        scope.coreModules.push(coreModuleType(definition));
        return;
      case "core-instance":
        scope.coreInstances.push(coreInstance(scope, definition));
        return;
      case "core-type":
        pushCoreType(scope, definition.type, offset);
        return;
      case "component":
        scope.components.push(this.component(definition.component, scope));
        return;
      case "instance":
        scope.instances.push(this.#instance(scope, definition));
        return;
      case "alias":
        alias(scope, definition);
        return;
      case "type":
        scope.types.push(this.#type(scope, definition.type, offset));
        return;
      case "canon": {
        const { body } = definition;
        if (body.kind === "lift") scope.funcs.push(checkLift(body, scope, offset));
        else if (body.kind === "lower") scope.core.func.push(checkLower(body, scope, offset));
        else if (body.kind === "builtin") scope.core.func.push(checkBuiltin(body, scope, offset));
        else scope.core.func.push(checkResourceBuiltin(body, scope, offset));
        if (addressTypeOf(body, scope, offset) === "i64") this.wide.add(body);
        return;
      }
      case "import":
        this.#import(scope, definition.name, definition.type, definition.attributes, offset);
        return;
      case "export":
        this.#export(scope, definition);
        return;
      case "start":
      case "value":
        throw componentErrors.unsupported({ what: "values and start functions", offset });
    }
  }

  #freshResource(name: string): ResourceType {
    return { id: this.#resources++, name };
  }

  #type(scope: ComponentScope, body: TypeDeclBody, offset: number): TypeEntity {
    switch (body.kind) {
      case "value": {
        const type = resolvePlainType(body, scope, offset);
        if (type.kind === "value") checkValueType(type.type, offset);
        return type;
      }
      case "func": {
        const type = resolvePlainType(body, scope, offset);
        if (type.kind === "func") checkFuncType(type.type, offset);
        return type;
      }
      case "resource": {
        if (scope.kind !== "component") return fail("a resource type defined inside a type", offset);
        const { rep } = body;
        if (rep !== "i32" && rep !== "i64")
          return fail("a resource represented by neither i32 nor i64", offset);
        if (body.destructor !== undefined) {
          const destructor = scope.coreFunc(body.destructor, offset);
          if (destructor.kind !== "func" || destructor.signature !== `(${rep}) -> ()`) {
            fail(`a destructor that is not of type (${rep}) -> ()`, offset);
          }
        }
        const resource = this.#freshResource("resource");
        scope.ownResources.set(resource.id, rep);
        return { kind: "resource", resource };
      }
      case "component":
      case "instance":
        return this.#scopeType(scope, body);
    }
  }

  #scopeType(parent: ComponentScope, body: ScopeTypeDecl): TypeEntity {
    const scope = new ComponentScope(
      body.kind === "component" ? "component-type" : "instance-type",
      parent,
      this.#work,
    );
    const start = this.#resources;
    for (const decl of body.decls) this.#declare(scope, decl);
    const own = { start, end: this.#resources };
    if (body.kind === "instance") return { kind: "instance", type: { exports: scope.exports, own } };
    return { kind: "component", type: { imports: scope.imports, exports: scope.exports, own } };
  }

  #declare(scope: ComponentScope, decl: TypeDecl): void {
    const { offset } = decl;
    switch (decl.kind) {
      case "core-type":
        pushCoreType(scope, decl.type, offset);
        return;
      case "type":
        scope.types.push(this.#type(scope, decl.type, offset));
        return;
      case "alias":
        checkAliasInType(decl);
        alias(scope, decl);
        return;
      case "import":
        this.#import(scope, decl.name, decl.type, decl.attributes, offset);
        return;
      case "export-decl": {
        const entity = this.#extern(scope, decl.type, decl.name, offset);
        this.#addExport(scope, decl.name, entity, decl.attributes, offset);
      }
    }
  }

  #import(
    scope: ComponentScope,
    name: string,
    type: ExternDecl,
    attributes: NameAttributes | undefined,
    offset: number,
  ): void {
    const entity = this.#extern(scope, type, name, offset);
    scope.importNames.add(name, entity, attributes, offset);
    const hidden = scope.visibleImports.admit(entity, offset);
    if (hidden !== undefined) fail(`import "${name}": ${hidden}`, offset);
    scope.imports.set(name, entity);
    scope.push(entity);
  }

  #export(scope: ComponentScope, definition: ExportDefinition): void {
    const { name, offset, ascribed } = definition;
    let entity = scope.entity(definition.item, offset);
    if (ascribed !== undefined) {
      const start = this.#resources;
      const wanted = this.#extern(scope, ascribed, name, offset);
      const end = this.#resources;
      const why = new Matcher(this.#work, offset, (id) => id >= start && id < end).mismatch(entity, wanted);
      if (why !== undefined) fail(`export "${name}" does not fit the type it is given: ${why}`, offset);
      entity = wanted;
    } else {
      entity = renamed(entity, name);
    }
    this.#addExport(scope, name, entity, definition.attributes, offset);
  }

  #addExport(
    scope: ComponentScope,
    name: string,
    entity: Entity,
    attributes: NameAttributes | undefined,
    offset: number,
  ): void {
    scope.exportNames.add(name, entity, attributes, offset);
    // An instance type is looked into when something of that type is imported or exported.
    if (scope.kind !== "instance-type") {
      const hidden = scope.visibleExports.admit(entity, offset);
      if (hidden !== undefined) fail(`export "${name}": ${hidden}`, offset);
    }
    scope.exports.set(name, entity);
    scope.push(entity);
  }

  /** What an import or export is declared to be; open resource types in it become resource types of this scope. */
  #extern(scope: ComponentScope, decl: ExternDecl, name: string, offset: number): Entity {
    switch (decl.kind) {
      case "core-module": {
        const type = at(scope.coreTypes, decl.type, "core type", offset);
        if (type.kind !== "module") return fail(`core type ${decl.type} is not a module type`, offset);
        return { kind: "core-module", type: declaredModule(scope, type.decls) };
      }
      case "func": {
        const type = scope.type(decl.type, offset);
        if (type.kind !== "func") return fail(`type ${decl.type} is not a function type`, offset);
        return { kind: "func", type: type.type };
      }
      case "type": {
        if (decl.bound === "resource") {
          const resource = this.#freshResource(name);
          return { kind: "type", type: { kind: "resource", resource }, isAbstract: true };
        }
        const type = scope.type(decl.bound.equalTo, offset);
        return renamed({ kind: "type", type, isAbstract: false }, name);
      }
      case "component": {
        const type = scope.type(decl.type, offset);
        if (type.kind !== "component") return fail(`type ${decl.type} is not a component type`, offset);
        return { kind: "component", type: type.type };
      }
      case "instance": {
        const type = scope.type(decl.type, offset);
        if (type.kind !== "instance") return fail(`type ${decl.type} is not an instance type`, offset);
        return { kind: "instance", type: this.#fresh(type.type, offset) };
      }
      case "value": {
        if (typeof decl.type !== "object") resolveRef(decl.type, scope, offset);
        throw componentErrors.unsupported({ what: "values and start functions", offset });
      }
    }
  }

  /** An instance of an instance type: its open resource types are made. */
  #fresh(type: InstanceType, offset: number): InstanceType {
    const { own } = type;
    const made = new Map<number, ResourceType>();
    const substitution = new Substitution(this.#replacement(own, made), this.#work, offset);
    return { exports: substitution.entities(type.exports), own: nothing };
  }

  #replacement(
    own: ResourceRange,
    made: Map<number, ResourceType>,
  ): (id: number) => ResourceType | undefined {
    return (id) => {
      const known = made.get(id);
      if (known !== undefined || id < own.start || id >= own.end) return known;
      const fresh = this.#freshResource("resource");
      made.set(id, fresh);
      return fresh;
    };
  }

  #instance(scope: ComponentScope, definition: InstanceDefinition): InstanceType {
    const { expr, offset } = definition;
    if (expr.kind === "exports") {
      const names = new NameScope("export");
      const exports = new Map<string, Entity>();
      for (const { name, attributes, item } of expr.exports) {
        const entity = scope.entity(item, offset);
        names.addInline(name, entity, attributes, offset);
        exports.set(name, entity);
      }
      return { exports, own: nothing };
    }
    const type = at(scope.components, expr.component, "component", offset);
    const args = new Map<string, Entity>();
    for (const { name, item } of expr.args) {
      if (args.has(name)) fail(`argument "${name}" given twice`, offset);
      args.set(name, scope.entity(item, offset));
    }
    const { own } = type;
    const matcher = new Matcher(this.#work, offset, (id) => id >= own.start && id < own.end);
    for (const [name, wanted] of type.imports) {
      const given = args.get(name);
      if (given === undefined) return fail(`missing argument "${name}"`, offset);
      const why = matcher.mismatch(given, wanted);
      if (why !== undefined) fail(`argument "${name}": ${why}`, offset);
    }
    const replacement = this.#replacement(own, matcher.bindings);
    const substitution = new Substitution(replacement, this.#work, offset, matcher.values);
    return { exports: substitution.entities(type.exports), own: nothing };
  }
}

function fail(what: string, offset: number): never {
  throw componentErrors.invalid({ what, offset });
}
