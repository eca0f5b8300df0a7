/**
 * Walks a component's definitions in their order, as an instantiation would, but for types alone: what each index
 * stands for, and which types and functions each instance has. No code is looked at.
 */

import { componentErrors } from "../errors.ts";
import type {
  AliasDefinition,
  Component,
  Definition,
  ExportDefinition,
  ExternDecl,
  ImportDefinition,
  InstanceDefinition,
  ScopeTypeDecl,
  TypeDecl,
  TypeDeclBody,
} from "../model.ts";
import {
  addFunction,
  checkLabel,
  exportType,
  type FuncShape,
  isNamed,
  type OpenInterface,
  openInterface,
  type TypeMaker,
  unnamed,
} from "./component-types.ts";
import type { Type } from "./model.ts";

/** A component may instantiate another again and again: bounds on what is walked, however often. */
const stepsMax = 500_000;
const depthMax = 100;

export interface Walk {
  readonly types: TypeMaker;
  steps: number;
}

export type TypeEntity =
  | { readonly kind: "value"; readonly type: Type }
  | { readonly kind: "func"; readonly func: FuncShape }
  | { readonly kind: "scope"; readonly decl: ScopeTypeDecl; readonly outer: Scope };

export type Entity =
  | TypeEntity
  | { readonly kind: "instance"; readonly instance: OpenInterface }
  | { readonly kind: "component"; readonly component: Component; readonly outer: Scope }
  | { readonly kind: "other" };

/** Who is told about imports and exports: a world, or the interface that an instance is. */
export interface Listener {
  /** What is given for an import, when there is something. */
  readonly argument: (name: string) => Entity | undefined;
  readonly onImport: (definition: ImportDefinition, entity: Entity) => Entity;
  readonly onExport: (definition: ExportDefinition, entity: Entity) => Entity;
}

export class Scope {
  readonly walk: Walk;
  readonly outer: Scope | undefined;
  readonly depth: number;
  readonly types: TypeEntity[] = [];
  readonly funcs: FuncShape[] = [];
  readonly instances: OpenInterface[] = [];
  readonly components: Entity[] = [];

  constructor(walk: Walk, outer: Scope | undefined, depth: number) {
    this.walk = walk;
    this.outer = outer;
    this.depth = depth;
  }

  step(offset: number): void {
    if (++this.walk.steps <= stepsMax) return;
    throw componentErrors.limit({
      what: "definitions, each counted as often as it is used",
      max: stepsMax,
      offset,
    });
  }

  typeAt(index: number, offset: number): Type {
    const found = this.types[index];
    if (found?.kind === "value") return found.type;
    throw invalidIndex("value type", index, offset);
  }

  define(type: TypeDeclBody, offset: number): void {
    const at = (index: number) => this.typeAt(index, offset);
    switch (type.kind) {
      case "value":
        this.types.push({ kind: "value", type: this.walk.types.defined(type.type, at, offset) });
        return;
      case "func":
        this.types.push({ kind: "func", func: this.walk.types.func(type, at, offset) });
        return;
      case "resource":
        this.types.push({ kind: "value", type: unnamed({ kind: "resource", functions: [] }) });
        return;
      case "component":
      case "instance":
        this.types.push({ kind: "scope", decl: type, outer: this });
    }
  }

  alias({ target, sort, offset }: AliasDefinition): void {
    if (typeof sort !== "string") return;
    if (target.kind === "outer") {
      let scope: Scope | undefined = this;
      for (let count = 0; count < target.count; count++) scope = scope?.outer;
      this.push(scope?.entity(sort, target.index, offset) ?? { kind: "other" }, sort);
      return;
    }
    const instance = this.instances[target.instance];
    if (target.kind === "core-export") return;
    if (instance === undefined) throw invalidIndex("instance", target.instance, offset);
    this.push(memberOf(instance, target.name, sort, offset), sort);
  }

  entity(sort: string, index: number, offset: number): Entity {
    const found: Entity | undefined =
      sort === "type"
        ? this.types[index]
        : sort === "func"
          ? this.funcs[index] && { kind: "func", func: this.funcs[index] }
          : sort === "instance"
            ? this.instances[index] && { kind: "instance", instance: this.instances[index] }
            : sort === "component"
              ? this.components[index]
              : { kind: "other" };
    if (found === undefined) throw invalidIndex(sort, index, offset);
    return found;
  }

  /** Into the index space of its sort. */
  push(entity: Entity, sort: string): void {
    switch (sort) {
      case "type":
        if (entity.kind === "value" || entity.kind === "func" || entity.kind === "scope")
          this.types.push(entity);
        return;
      case "func":
        if (entity.kind === "func") this.funcs.push(entity.func);
        return;
      case "instance":
        if (entity.kind === "instance") this.instances.push(entity.instance);
        return;
      case "component":
        this.components.push(entity);
    }
  }

  /** What a declaration stands for. Types are not named here. */
  declared(type: ExternDecl, offset: number): { entity: Entity; sort: string } {
    switch (type.kind) {
      case "func": {
        const found = this.types[type.type];
        if (found?.kind !== "func") throw invalidIndex("function type", type.type, offset);
        return { entity: found, sort: "func" };
      }
      case "type": {
        if (type.bound === "resource") {
          return {
            entity: { kind: "value", type: unnamed({ kind: "resource", functions: [] }) },
            sort: "type",
          };
        }
        return { entity: { kind: "value", type: this.typeAt(type.bound.equalTo, offset) }, sort: "type" };
      }
      case "instance": {
        const found = this.types[type.type];
        if (found?.kind !== "scope") throw invalidIndex("instance type", type.type, offset);
        return { entity: { kind: "instance", instance: instanceOf(found, this.walk) }, sort: "instance" };
      }
      case "component":
        return { entity: { kind: "other" }, sort: "component" };
      case "value":
      case "core-module":
        return { entity: { kind: "other" }, sort: type.kind };
    }
  }
}

/** Walks the definitions of one component. */
export function walkComponent(component: Component, scope: Scope, listener: Listener): void {
  for (const definition of component.definitions) {
    scope.step(definition.offset);
    walkDefinition(definition, scope, listener);
  }
}

function walkDefinition(definition: Definition, scope: Scope, listener: Listener): void {
  const { offset } = definition;
  switch (definition.kind) {
    case "type":
      scope.define(definition.type, offset);
      return;
    case "alias":
      scope.alias(definition);
      return;
    case "component":
      scope.push({ kind: "component", component: definition.component, outer: scope }, "component");
      return;
    case "instance":
      scope.push({ kind: "instance", instance: instantiate(definition, scope) }, "instance");
      return;
    case "canon": {
      if (definition.body.kind !== "lift") return;
      const type = scope.types[definition.body.type];
      if (type?.kind !== "func") throw invalidIndex("function type", definition.body.type, offset);
      scope.push(type, "func");
      return;
    }
    case "import": {
      const { entity, sort } = scope.declared(definition.type, offset);
      const given = listener.argument(definition.name);
      // A type that has a name outside is that type; one without gets its name in here.
      const isGiven = given?.kind === "value" && isBound(given.type, definition);
      scope.push(listener.onImport(definition, isGiven ? given : entity), sort);
      return;
    }
    case "export": {
      const { sort, index } = definition.item;
      if (typeof sort !== "string") return;
      const ascribed =
        definition.ascribed?.kind === "func" ? scope.declared(definition.ascribed, offset) : undefined;
      const entity = ascribed?.entity ?? scope.entity(sort, index, offset);
      scope.push(listener.onExport(definition, entity), sort);
      return;
    }
    case "core-module":
    case "core-instance":
    case "core-type":
    case "start":
    case "value":
  }
}

function isBound(type: Type, definition: ImportDefinition): boolean {
  const isResource = definition.type.kind === "type" && definition.type.bound === "resource";
  return type.kind === "named" && (isResource || isNamed(type.type));
}

/** The types and functions of a new instance. */
function instantiate({ expr, offset }: InstanceDefinition, scope: Scope): OpenInterface {
  const instance = openInterface();
  if (expr.kind === "exports") {
    for (const { name, item } of expr.exports) {
      if (typeof item.sort === "string")
        add(instance, name, scope.entity(item.sort, item.index, offset), offset);
    }
    return instance;
  }
  const found = scope.entity("component", expr.component, offset);
  if (found.kind !== "component") return instance;
  if (scope.depth >= depthMax) {
    throw componentErrors.limit({ what: "components that each instantiate the next", max: depthMax, offset });
  }
  const args = new Map<string, Entity>();
  for (const { name, item } of expr.args) {
    if (typeof item.sort === "string") args.set(name, scope.entity(item.sort, item.index, offset));
  }
  walkComponent(found.component, new Scope(scope.walk, found.outer, scope.depth + 1), {
    argument: (name) => args.get(name),
    onImport: (_, entity) => entity,
    onExport: (definition, entity) => add(instance, definition.name, entity, definition.offset),
  });
  return instance;
}

/** What an instance type describes. */
function instanceOf({ decl, outer }: { decl: ScopeTypeDecl; outer: Scope }, walk: Walk): OpenInterface {
  const instance = openInterface();
  const scope = new Scope(walk, outer, outer.depth);
  for (const each of decl.decls) declare(each, scope, instance);
  return instance;
}

function declare(decl: TypeDecl, scope: Scope, instance: OpenInterface): void {
  scope.step(decl.offset);
  switch (decl.kind) {
    case "type":
      scope.define(decl.type, decl.offset);
      return;
    case "alias":
      scope.alias(decl);
      return;
    case "export-decl": {
      const { entity, sort } = scope.declared(decl.type, decl.offset);
      scope.push(add(instance, decl.name, entity, decl.offset), sort);
      return;
    }
    case "import":
    case "core-type":
  }
}

/** Gives an instance one more export; returns what refers to it from now on. */
function add(instance: OpenInterface, name: string, entity: Entity, offset: number): Entity {
  if (entity.kind === "func") addFunction(instance, name, entity.func, offset);
  if (entity.kind === "instance") instance.instances.set(name, entity.instance);
  if (entity.kind !== "value") return entity;
  return { kind: "value", type: exportType(instance, checkLabel(name, offset), entity.type) };
}

function memberOf(instance: OpenInterface, name: string, sort: string, offset: number): Entity {
  const type = sort === "type" ? instance.types.get(name) : undefined;
  if (type !== undefined) return { kind: "value", type: { kind: "named", type } };
  const func = sort === "func" ? instance.shapes.get(name) : undefined;
  if (func !== undefined) return { kind: "func", func };
  const inner = sort === "instance" ? instance.instances.get(name) : undefined;
  if (inner !== undefined) return { kind: "instance", instance: inner };
  if (sort === "component") return { kind: "other" };
  throw componentErrors.invalid({ what: `an instance has no ${sort} "${name}"`, offset });
}

function invalidIndex(what: string, index: number, offset: number): Error {
  return componentErrors.invalid({ what: `there is no ${what} with index ${index}`, offset });
}
