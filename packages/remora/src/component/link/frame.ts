/** One component instance while it is planned: its index spaces, filled in the order of its definitions. */

import { componentErrors } from "../errors.ts";
import type { Component, CoreSort, SortIndex } from "../model.ts";
import type { CoreModule, CoreNamespace, CoreRef, FuncItem, InstanceItem, Item } from "./plan.ts";
import { at, type ScopedType, type TypeScope } from "./type-scope.ts";

/** A component and the frame that its outer aliases count from. */
export interface ComponentItem {
  readonly component: Component;
  readonly definedIn: Frame | undefined;
}

export type FrameItem =
  | Exclude<Item, { kind: "component" } | { kind: "type" } | { kind: "instance" }>
  | { readonly kind: "instance"; readonly instance: FrameInstance }
  | { readonly kind: "type"; readonly type: ScopedType }
  | { readonly kind: "component"; readonly component: ComponentItem };

export interface FrameInstance extends InstanceItem {
  readonly exports: ReadonlyMap<string, FrameItem>;
}

/** The index spaces of one component instance, filled in the order of its definitions. */
export class Frame implements TypeScope {
  readonly state: number;
  readonly parent: Frame | undefined;
  readonly coreModules: CoreModule[] = [];
  readonly coreInstances: CoreNamespace[] = [];
  readonly core: { readonly [Sort in "func" | "table" | "memory" | "global" | "tag"]: CoreRef[] } = {
    func: [],
    table: [],
    memory: [],
    global: [],
    tag: [],
  };
  readonly funcs: FuncItem[] = [];
  readonly types: ScopedType[] = [];
  readonly components: ComponentItem[] = [];
  readonly instances: FrameInstance[] = [];
  readonly exports = new Map<string, FrameItem>();

  constructor(state: number, parent: Frame | undefined) {
    this.state = state;
    this.parent = parent;
  }
}

/** A defined or imported thing takes the next index of its sort. */
export function push(frame: Frame, item: FrameItem): void {
  switch (item.kind) {
    case "func":
      frame.funcs.push(item.func);
      return;
    case "type":
      frame.types.push(item.type);
      return;
    case "instance":
      frame.instances.push(item.instance);
      return;
    case "component":
      frame.components.push(item.component);
      return;
    case "core-module":
      frame.coreModules.push(item.module);
  }
}

export function itemAt(frame: Frame, { sort, index }: SortIndex, offset: number): FrameItem {
  switch (sort) {
    case "func":
      return { kind: "func", func: at(frame.funcs, index, "function", offset) };
    case "type":
      return { kind: "type", type: at(frame.types, index, "type", offset) };
    case "instance":
      return { kind: "instance", instance: at(frame.instances, index, "instance", offset) };
    case "component":
      return { kind: "component", component: at(frame.components, index, "component", offset) };
    case "value":
      throw componentErrors.unsupported({ what: "values and start functions", offset });
    default:
      if (sort.core !== "module") {
        throw componentErrors.invalid({ what: `a core ${sort.core} among component items`, offset });
      }
      return { kind: "core-module", module: at(frame.coreModules, index, "core module", offset) };
  }
}

export function coreSpace(frame: Frame, sort: CoreSort, offset: number): CoreRef[] {
  if (sort === "type" || sort === "module" || sort === "instance") {
    throw componentErrors.invalid({ what: `a core ${sort} where a core export is expected`, offset });
  }
  return frame.core[sort];
}

export function coreRef(frame: Frame, sort: CoreSort, index: number, offset: number): CoreRef {
  return at(coreSpace(frame, sort, offset), index, `core ${sort}`, offset);
}
