/** What a component imports and exports, as data: for inspection, for policy, and for the types of TypeScript. */

import type { FuncType, ResourceType, ValueType } from "../types.ts";
import type { Item } from "./plan.ts";

export type ExternType =
  | { readonly kind: "func"; readonly type: FuncType }
  | { readonly kind: "type"; readonly type: ValueType }
  | { readonly kind: "resource"; readonly resource: ResourceType }
  | { readonly kind: "instance"; readonly exports: ReadonlyMap<string, ExternType> }
  | { readonly kind: "component" }
  | { readonly kind: "core-module" };

export function describeItems(items: ReadonlyMap<string, Item>): ReadonlyMap<string, ExternType> {
  const described = new Map<string, ExternType>();
  for (const [name, item] of items) {
    const type = describeItem(item);
    if (type !== undefined) described.set(name, type);
  }
  return described;
}

function describeItem(item: Item): ExternType | undefined {
  switch (item.kind) {
    case "func":
      return { kind: "func", type: item.func.type };
    case "instance":
      return { kind: "instance", exports: describeItems(item.instance.exports) };
    case "type":
      if (item.type.kind === "value") return { kind: "type", type: item.type.type };
      if (item.type.kind === "resource") return { kind: "resource", resource: item.type.resource };
      return undefined;
    case "component":
      return { kind: "component" };
    case "core-module":
      return { kind: "core-module" };
  }
}
