/**
 * Makes the plan of a component by walking its definitions as if it were being instantiated. Each component
 * instance is a frame with its own index spaces; outer aliases look through the frames it was defined in.
 */

import type { PlannedResource } from "../abi/codec-resource.ts";
import { componentErrors } from "../errors.ts";
import type {
  AliasDefinition,
  Component,
  CoreInstanceDefinition,
  Definition,
  InstanceDefinition,
} from "../model.ts";
import type { Validated } from "../validate/validate.ts";
import { CanonPlanner } from "./canon-planner.ts";
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
import { HostPlanner } from "./host-planner.ts";
import type { CoreNamespace, CoreRef, Plan, StatePlan, Step } from "./plan.ts";
import { PlanBudget, type PlanLimits } from "./plan-limits.ts";
import { at, resolveType } from "./type-scope.ts";

/** @param validated What the validator found out about this very component. */
export function planComponent(
  component: Component,
  validated: Validated,
  limits: Partial<PlanLimits> = {},
): Plan {
  return new Planner(validated, limits).plan(component);
}

class Planner {
  readonly #states: StatePlan[] = [];
  readonly #steps: Step[] = [];
  readonly #resources: PlannedResource[] = [];
  readonly #budget: PlanBudget;
  readonly #canons: CanonPlanner;
  readonly #host: HostPlanner;
  #coreInstanceCount = 0;

  constructor(validated: Validated, limits: Partial<PlanLimits>) {
    this.#budget = new PlanBudget(limits);
    this.#canons = new CanonPlanner(validated);
    this.#host = new HostPlanner(this.#budget, (name, owner) => this.#resource(name, owner));
  }

  plan(component: Component): Plan {
    const imports = new Map<string, FrameItem>();
    const root = this.#instantiate({ component, definedIn: undefined }, imports, undefined, 0);
    const { contexts, lifts, lowers, builtins, usesSlots } = this.#canons;
    const { funcs: hostFuncs, resources: hostResources, modules: hostModules } = this.#host;
    return {
      states: this.#states,
      steps: this.#steps,
      contexts,
      lifts,
      lowers,
      builtins,
      hostFuncs,
      hostResources,
      hostModules,
      resources: this.#resources,
      coreInstanceCount: this.#coreInstanceCount,
      usesSlots,
      isAsync: builtins.length > 0 || [...lifts, ...hostFuncs].some(({ type }) => type.isAsync),
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
    this.#budget.instance(offset);
    const frame = new Frame(index, item.definedIn);
    for (const definition of item.component.definitions) {
      this.#budget.step(definition.offset);
      if (definition.kind === "import" && parent === undefined) {
        args.set(definition.name, this.#host.import(frame, definition));
      }
      this.#define(frame, definition, args);
    }
    return { exports: frame.exports };
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
        this.#canons.define(frame, definition);
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
    this.#budget.instance(offset);
    return { kind: "instance", instance: this.#coreInstanceCount++ };
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
}
