/**
 * From a decoded component to something that can be instantiated many times: the plan, the codecs and the
 * descriptions of imports and exports are made here, once.
 */

import type { Scheduler } from "./async/scheduler.ts";
import type { CoreEngine } from "./core.ts";
import { describeItems, type ExternType } from "./link/describe.ts";
import { buildExports } from "./link/exports.ts";
import { bindHostImports, type HostImports } from "./link/host-imports.ts";
import { defaultInstanceLimits, type InstanceLimits } from "./link/instance-limits.ts";
import type { Plan } from "./link/plan.ts";
import type { PlanLimits } from "./link/plan-limits.ts";
import { planComponent } from "./link/planner.ts";
import { preparePlan } from "./link/prepared.ts";
import { Runtime } from "./link/runtime.ts";
import type { Component } from "./model.ts";
import { validateComponent } from "./validate/validate.ts";

export interface InstantiateOptions {
  /** Runs the core modules; one for each instance. */
  readonly engine: CoreEngine;
  /** What the component imports. Default: nothing. */
  readonly imports?: HostImports;
  /** What the guest may make the host hold; `defaultInstanceLimits` where nothing is said. */
  readonly limits?: Partial<InstanceLimits>;
  /**
   * Makes every export give a promise, so that guests may also wait in functions of synchronous type. Default: when a
   * host function is asynchronous; functions of asynchronous type give promises in any case.
   */
  readonly isPromised?: boolean;
}

/** Exported functions, resource classes and instances, by name; see `PreparedComponent.instantiate`. */
export type ComponentExports = Readonly<Record<string, unknown>>;

export interface ComponentInstance {
  readonly exports: ComponentExports;
  /** Whether all exports give promises, also those of functions of synchronous type. */
  readonly isPromised: boolean;
  /** What the guest does behind the results of its calls; undefined where it can do nothing. */
  readonly behind: Pick<Scheduler, "isQuiet" | "onQuiet"> | undefined;
  /** Disposes of the host's resources that it still owns. To be called when nothing calls into it any more. */
  close(): void;
}

/** A component that is ready to be instantiated, any number of times. */
export interface PreparedComponent {
  /** What the host has to give, by import name. */
  readonly imports: ReadonlyMap<string, ExternType>;
  /** What the component gives, by export name. */
  readonly exports: ReadonlyMap<string, ExternType>;
  /** What an instance is made by, as plain data: for whoever makes instances elsewhere. */
  readonly plan: Plan;
  /** All core modules in the file, those of nested components included. */
  readonly coreModules: readonly Uint8Array[];
  /** Core instances that each instance of the component consists of. */
  readonly coreInstanceCount: number;
  /**
   * Makes an instance. Exported interfaces stand under their full names (`omnitak:plugin/filter@0.1.0`) and, where
   * no other export would have the same one, under their own (`filter`); functions under camelCase names,
   * resources as classes.
   *
   * @throws component/missing-imports with everything that is missing, at once
   * @throws whatever the engine throws when a core module cannot be instantiated
   */
  instantiate(options: InstantiateOptions): ComponentInstance;
}

/**
 * Prepares a decoded component.
 *
 * @throws component/invalid     what does not fit together, with its byte offset
 * @throws component/unsupported values and start functions
 * @throws component/limit       more instances or definitions than `planLimits` allows
 */
export function prepareComponent(
  component: Component,
  planLimits: Partial<PlanLimits> = {},
): PreparedComponent {
  const plan = planComponent(component, validateComponent(component), planLimits);
  return preparedFrom(plan, coreModulesOf(component));
}

/**
 * The same from a plan that was made before, maybe in another process.
 *
 * @param plan        Made by `prepareComponent` of this `planVersion`: nothing of it is checked again.
 * @param coreModules All in the file.
 */
export function preparedFrom(plan: Plan, coreModules: readonly Uint8Array[]): PreparedComponent {
  const prepared = preparePlan(plan);
  return {
    plan,
    imports: describeItems(plan.imports),
    exports: describeItems(plan.exports),
    coreModules,
    coreInstanceCount: plan.coreInstanceCount,
    instantiate({ engine, imports = {}, limits: given = {}, isPromised = false }) {
      const bindings = bindHostImports(plan, imports);
      const limits = { ...defaultInstanceLimits, ...given };
      const runtime = new Runtime({ prepared, engine, bindings, limits, isPromised });
      return {
        exports: buildExports(runtime.exportSource, plan.exports),
        isPromised: runtime.isPromised,
        behind: runtime.scheduler,
        close: () => runtime.close(),
      };
    },
  };
}

function coreModulesOf(component: Component): Uint8Array[] {
  return component.definitions.flatMap((definition) => {
    if (definition.kind === "core-module") return [definition.bytes];
    return definition.kind === "component" ? coreModulesOf(definition.component) : [];
  });
}
