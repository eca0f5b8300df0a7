/**
 * Makes the plan of a component by walking its definitions as if it were being instantiated. Each component
 * instance is a frame with its own index spaces; outer aliases look through the frames it was defined in.
 */

import { hostOwner, type PlannedResource } from "../abi/codec-resource.ts";
import { componentErrors } from "../errors.ts";
import type {
  AliasDefinition,
  CanonBody,
  CanonDefinition,
  CanonOptions,
  Component,
  CoreInstanceDefinition,
  Definition,
  ExternDecl,
  ImportDefinition,
  InstanceDefinition,
} from "../model.ts";
import type { ValueType } from "../types.ts";
import type { Validated } from "../validate/validate.ts";
import {
  type ComponentItem,
  coreRef,
  coreSpace,
  Frame,
  type FrameInstance,
  type FrameItem,
  itemAt,
  push,
} from "./frame.ts";
import type {
  BuiltinPlan,
  ContextPlan,
  CoreNamespace,
  CoreRef,
  HostFuncPlan,
  HostResourcePlan,
  LiftPlan,
  LowerPlan,
  Plan,
  StatePlan,
  Step,
} from "./plan.ts";
import { at, resolveRef, resolveType, type ScopedType, type TypeScope } from "./type-scope.ts";

/** What a component may make the host hold when it is planned; all nested instances are counted. */
export interface PlanLimits {
  /** Core and component instances that one instantiation makes. */
  readonly instancesMax: number;
  /** Definitions walked over, those of a component counted each time it is instantiated. */
  readonly stepsMax: number;
}

export const defaultPlanLimits: PlanLimits = { instancesMax: 1_000, stepsMax: 500_000 };

/** @param validated What the validator found out about this very component. */
export function planComponent(
  component: Component,
  validated: Validated,
  limits: Partial<PlanLimits> = {},
): Plan {
  return new Planner(validated, { ...defaultPlanLimits, ...limits }).plan(component);
}

class Planner {
  readonly #validated: Validated;
  readonly #limits: PlanLimits;
  readonly #states: StatePlan[] = [];
  readonly #steps: Step[] = [];
  readonly #contexts: ContextPlan[] = [];
  readonly #contextIndices = new Map<string, number>();
  readonly #lifts: LiftPlan[] = [];
  readonly #lowers: LowerPlan[] = [];
  readonly #builtins: BuiltinPlan[] = [];
  readonly #hostFuncs: HostFuncPlan[] = [];
  readonly #hostResources: HostResourcePlan[] = [];
  readonly #hostModules: string[] = [];
  readonly #resources: PlannedResource[] = [];
  #coreInstanceCount = 0;
  #walked = 0;
  #usesSlots = false;

  constructor(validated: Validated, limits: PlanLimits) {
    this.#validated = validated;
    this.#limits = limits;
  }

  plan(component: Component): Plan {
    const imports = new Map<string, FrameItem>();
    const root = this.#instantiate({ component, definedIn: undefined }, imports, undefined, 0);
    return {
      states: this.#states,
      steps: this.#steps,
      contexts: this.#contexts,
      lifts: this.#lifts,
      lowers: this.#lowers,
      builtins: this.#builtins,
      hostFuncs: this.#hostFuncs,
      hostResources: this.#hostResources,
      hostModules: this.#hostModules,
      resources: this.#resources,
      coreInstanceCount: this.#coreInstanceCount,
      usesSlots: this.#usesSlots,
      isAsync:
        this.#builtins.length > 0 || [...this.#lifts, ...this.#hostFuncs].some(({ type }) => type.isAsync),
      imports,
      exports: root.exports,
    };
  }

  /** With `parent` undefined it is the whole: its imports are the host's, and are written into `args`. */
  #instantiate(
    item: ComponentItem,
    args: Map<string, FrameItem>,
    parent: number | undefined,
    offset: number,
  ): FrameInstance {
    const index = this.#states.length;
    this.#states.push({ index, parent });
    this.#countInstances(offset);
    const frame = new Frame(index, item.definedIn);
    for (const definition of item.component.definitions) {
      if (++this.#walked > this.#limits.stepsMax) {
        throw componentErrors.limit({
          what: "definitions to instantiate",
          max: this.#limits.stepsMax,
          offset: definition.offset,
        });
      }
      if (definition.kind === "import" && parent === undefined) {
        args.set(definition.name, this.#hostImport(frame, definition));
      }
      this.#define(frame, definition, args);
    }
    return { exports: frame.exports };
  }

  #countInstances(offset: number): void {
    if (this.#states.length + this.#coreInstanceCount > this.#limits.instancesMax) {
      throw componentErrors.limit({ what: "instances", max: this.#limits.instancesMax, offset });
    }
  }

  #define(frame: Frame, definition: Definition, args: ReadonlyMap<string, FrameItem>): void {
    const { offset } = definition;
    switch (definition.kind) {
      case "core-module":
        frame.coreModules.push({ kind: "bytes", bytes: definition.bytes, offset });
        return;
      case "core-instance":
        frame.coreInstances.push(this.#coreInstance(frame, definition));
        return;
      case "core-type":
        return;
      case "component":
        frame.components.push({ component: definition.component, definedIn: frame });
        return;
      case "instance":
        frame.instances.push(this.#instance(frame, definition));
        return;
      case "alias":
        this.#alias(frame, definition);
        return;
      case "type": {
        if (definition.type.kind === "resource") {
          const resource = this.#resource("resource", frame.state);
          const { destructor } = definition.type;
          this.#steps.push({
            kind: "resource",
            resource: resource.id,
            destructor:
              destructor === undefined ? undefined : at(frame.core.func, destructor, "core function", offset),
          });
          frame.types.push({ kind: "resource", resource });
        } else {
          frame.types.push(resolveType(definition.type, frame, offset));
        }
        return;
      }
      case "canon":
        this.#canon(frame, definition);
        return;
      case "import": {
        const item = args.get(definition.name);
        if (item === undefined) {
          throw componentErrors.invalid({ what: `missing argument "${definition.name}"`, offset });
        }
        push(frame, item);
        return;
      }
      case "export": {
        const item = itemAt(frame, definition.item, offset);
        if (item.kind === "type" && item.type.kind === "resource")
          this.#nameResource(item.type.resource, definition.name);
        push(frame, item);
        frame.exports.set(definition.name, item);
        return;
      }
      case "start":
      case "value":
        throw componentErrors.unsupported({ what: "values and start functions", offset });
    }
  }

  /** A resource is called by the first name that it is exported under. */
  #nameResource(resource: { readonly id: number; readonly name: string }, name: string): void {
    const planned = this.#resources[resource.id];
    if (planned === undefined || planned.name !== "resource") return;
    Object.assign(planned, { name });
  }

  #resource(name: string, owner: number): PlannedResource {
    const resource = { id: this.#resources.length, name, owner };
    this.#resources.push(resource);
    return resource;
  }

  #coreInstance(frame: Frame, definition: CoreInstanceDefinition): CoreNamespace {
    const { expr, offset } = definition;
    if (expr.kind === "exports") {
      const exports = new Map<string, CoreRef>();
      for (const { name, item } of expr.exports)
        exports.set(name, coreRef(frame, item.sort, item.index, offset));
      return { kind: "exports", exports };
    }
    const module = at(frame.coreModules, expr.module, "core module", offset);
    const args = expr.args.map(({ name, instance }) => ({
      name,
      from: at(frame.coreInstances, instance, "core instance", offset),
    }));
    this.#steps.push({ kind: "core-instance", module, args });
    const index = this.#coreInstanceCount++;
    this.#countInstances(offset);
    return { kind: "instance", instance: index };
  }

  #instance(frame: Frame, definition: InstanceDefinition): FrameInstance {
    const { expr, offset } = definition;
    const items = new Map<string, FrameItem>();
    if (expr.kind === "exports") {
      for (const { name, item } of expr.exports) items.set(name, itemAt(frame, item, offset));
      return { exports: items };
    }
    for (const { name, item } of expr.args) items.set(name, itemAt(frame, item, offset));
    return this.#instantiate(
      at(frame.components, expr.component, "component", offset),
      items,
      frame.state,
      offset,
    );
  }

  #alias(frame: Frame, definition: AliasDefinition): void {
    const { sort, target, offset } = definition;
    switch (target.kind) {
      case "export": {
        const instance = at(frame.instances, target.instance, "instance", offset);
        const item = instance.exports.get(target.name);
        if (item === undefined) {
          throw componentErrors.invalid({ what: `instance has no export "${target.name}"`, offset });
        }
        push(frame, item);
        return;
      }
      case "core-export": {
        if (typeof sort === "string") break;
        const namespace = at(frame.coreInstances, target.instance, "core instance", offset);
        const ref =
          namespace.kind === "instance"
            ? ({ kind: "export", instance: namespace.instance, name: target.name } as const)
            : namespace.exports.get(target.name);
        if (ref === undefined) {
          throw componentErrors.invalid({ what: `core instance has no export "${target.name}"`, offset });
        }
        coreSpace(frame, sort.core, offset).push(ref);
        return;
      }
      case "outer": {
        let scope: Frame | undefined = frame;
        for (let count = target.count; count > 0 && scope !== undefined; count--) scope = scope.parent;
        if (scope === undefined)
          throw componentErrors.invalid({ what: "alias beyond the outermost scope", offset });
        if (typeof sort !== "string") {
          if (sort.core === "module")
            frame.coreModules.push(at(scope.coreModules, target.index, "core module", offset));
          return;
        }
        if (sort === "type") frame.types.push(at(scope.types, target.index, "type", offset));
        else if (sort === "component") {
          frame.components.push(at(scope.components, target.index, "component", offset));
        } else break;
        return;
      }
    }
    throw componentErrors.invalid({ what: `alias of a sort that cannot be aliased so`, offset });
  }

  #canon(frame: Frame, definition: CanonDefinition): void {
    const { body, offset } = definition;
    switch (body.kind) {
      case "lift": {
        const type = at(frame.types, body.type, "type", offset);
        if (type.kind !== "func")
          throw componentErrors.invalid({ what: "lift to what is no function type", offset });
        const index = this.#lifts.length;
        const { postReturn } = body.options;
        this.#lifts.push({
          type: type.type,
          core: at(frame.core.func, body.func, "core function", offset),
          context: this.#context(frame, body, body.options, offset),
          postReturn:
            postReturn === undefined ? undefined : at(frame.core.func, postReturn, "core function", offset),
          isAsync: body.options.isAsync,
          callback:
            body.options.callback === undefined
              ? undefined
              : at(frame.core.func, body.options.callback, "core function", offset),
        });
        frame.funcs.push({ kind: "lifted", index, type: type.type });
        return;
      }
      case "lower": {
        const callee = at(frame.funcs, body.func, "function", offset);
        frame.core.func.push({ kind: "lower", index: this.#lowers.length });
        this.#lowers.push({
          callee,
          context: this.#context(frame, body, body.options, offset),
          isAsync: body.options.isAsync,
        });
        return;
      }
      case "builtin":
        frame.core.func.push(this.#builtin(body, frame, offset));
        return;
      default: {
        const type = at(frame.types, body.type, "type", offset);
        if (type.kind !== "resource")
          throw componentErrors.invalid({ what: `${body.kind} of no resource type`, offset });
        frame.core.func.push({ kind: body.kind, resource: type.resource.id, state: frame.state });
      }
    }
  }

  #builtin(body: Extract<CanonBody, { kind: "builtin" }>, frame: Frame, offset: number): CoreRef {
    const { name, slot, options, table } = body;
    const { state } = frame;
    if (name === "backpressure.inc" || name === "backpressure.dec") return { kind: name, state };
    if ((name === "context.get" || name === "context.set") && slot !== undefined) {
      this.#usesSlots = true;
      return { kind: name, state, slot: slot.index, isBigInt: slot.type === "i64" };
    }
    this.#builtins.push({
      name,
      state,
      context: this.#context(frame, body, options ?? { ...noOptions, memory: body.memory }, offset),
      isFlagged: options?.isAsync ?? body.isFlagged,
      type: builtinType(body, frame, offset),
      table: table === undefined ? undefined : at(frame.core.table, table, "core table", offset),
    });
    return { kind: "builtin", index: this.#builtins.length - 1 };
  }

  #context(frame: Frame, body: CanonBody, options: CanonOptions, offset: number): number {
    const memory =
      options.memory === undefined ? undefined : at(frame.core.memory, options.memory, "core memory", offset);
    const realloc =
      options.realloc === undefined
        ? undefined
        : at(frame.core.func, options.realloc, "core function", offset);
    const encoding = options.encoding ?? "utf8";
    const key = JSON.stringify([frame.state, memory, realloc, encoding]);
    let index = this.#contextIndices.get(key);
    if (index === undefined) {
      index = this.#contexts.length;
      const address = this.#validated.wide.has(body) ? "i64" : "i32";
      this.#contexts.push({ state: frame.state, memory, address, realloc, encoding });
      this.#contextIndices.set(key, index);
    }
    return index;
  }

  #hostImport(frame: Frame, definition: ImportDefinition): FrameItem {
    return this.#hostItem([definition.name], definition.type, frame, definition.offset);
  }

  #hostItem(path: readonly string[], type: ExternDecl, scope: TypeScope, offset: number): FrameItem {
    switch (type.kind) {
      case "func": {
        const found = at(scope.types, type.type, "type", offset);
        if (found.kind !== "func")
          throw componentErrors.invalid({ what: "import of no function type", offset });
        const index = this.#hostFuncs.length;
        this.#hostFuncs.push({ path, type: found.type });
        return { kind: "func", func: { kind: "host", index, type: found.type } };
      }
      case "type": {
        if (type.bound !== "resource") {
          return { kind: "type", type: at(scope.types, type.bound.equalTo, "type", offset) };
        }
        const resource = this.#resource(path.at(-1) ?? "resource", hostOwner);
        this.#hostResources.push({ path, resource });
        return { kind: "type", type: { kind: "resource", resource } };
      }
      case "instance": {
        const found = at(scope.types, type.type, "type", offset);
        if (found.kind !== "scope" || found.decl.kind !== "instance") {
          throw componentErrors.invalid({ what: "import of no instance type", offset });
        }
        return { kind: "instance", instance: this.#hostInstance(path, found) };
      }
      case "core-module": {
        const name = path[0] ?? "";
        if (path.length > 1) break;
        this.#hostModules.push(name);
        return { kind: "core-module", module: { kind: "import", name } };
      }
      case "component":
      case "value":
        break;
    }
    throw componentErrors.unsupported({ what: `a ${type.kind} as import of the host`, offset });
  }

  /** Walks an instance type as if it were being instantiated: its exports are what the host shall give. */
  #hostInstance(path: readonly string[], type: Extract<ScopedType, { kind: "scope" }>): FrameInstance {
    const scope: TypeScope & { types: ScopedType[]; instances: FrameInstance[] } = {
      parent: type.definedIn,
      types: [],
      instances: [],
    };
    const exports = new Map<string, FrameItem>();
    for (const decl of type.decl.decls) {
      const { offset } = decl;
      if (++this.#walked > this.#limits.stepsMax) {
        throw componentErrors.limit({
          what: "definitions to instantiate",
          max: this.#limits.stepsMax,
          offset,
        });
      }
      switch (decl.kind) {
        case "type":
          scope.types.push(resolveType(decl.type, scope, offset));
          break;
        case "alias":
          aliasInType(scope, decl);
          break;
        case "export-decl": {
          const item = this.#hostItem([...path, decl.name], decl.type, scope, offset);
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

const noOptions: CanonOptions = {
  encoding: undefined,
  memory: undefined,
  realloc: undefined,
  postReturn: undefined,
  isAsync: false,
  callback: undefined,
  duplicate: undefined,
};

/** What a builtin is about: the element of its stream or future, or the result of its task. */
function builtinType(
  { type, name, result }: Extract<CanonBody, { kind: "builtin" }>,
  frame: Frame,
  offset: number,
): ValueType | undefined {
  if (result !== undefined) return resolveRef(result, frame, offset);
  if (type === undefined || name.startsWith("thread.")) return undefined;
  const found = at(frame.types, type, "type", offset);
  // The validator checked that it is a stream or a future.
  return found.kind === "value" && (found.type.kind === "stream" || found.type.kind === "future")
    ? found.type.element
    : undefined;
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
