/** The exports of an instance as the host sees them: objects of functions and classes. */

import type { HostCallable } from "../abi/call-guest.ts";
import { camelCase, parseFuncName, parseInterfaceName, pascalCase } from "../names.ts";
import type { GuestResource, GuestResourceClass } from "./guest-resource.ts";
import type { Item } from "./plan.ts";
import type { Runtime } from "./runtime.ts";

type Exports = Record<string, unknown>;

export function buildExports(runtime: Runtime, items: ReadonlyMap<string, Item>): Exports {
  const exports = exportsOf(runtime, items);
  for (const [alias, name] of aliasesOf(items)) exports[alias] ??= exports[name];
  return exports;
}

/** Short names of exported interfaces: `filter` for `omnitak:plugin/filter@0.1.0`, when only one is called so. */
function aliasesOf(items: ReadonlyMap<string, Item>): Map<string, string> {
  const aliases = new Map<string, string>();
  const ambiguous = new Set<string>();
  for (const [name, item] of items) {
    const parsed = item.kind === "instance" ? parseInterfaceName(name) : undefined;
    if (parsed === undefined) continue;
    const alias = camelCase(parsed.label);
    if (aliases.has(alias)) ambiguous.add(alias);
    aliases.set(alias, name);
  }
  for (const alias of ambiguous) aliases.delete(alias);
  return aliases;
}

function exportsOf(runtime: Runtime, items: ReadonlyMap<string, Item>): Exports {
  // Without a prototype: an interface may be called `constructor`.
  const exports: Exports = Object.create(null);
  for (const [name, item] of items) {
    if (item.kind === "instance") {
      exports[name.includes(":") ? name : camelCase(name)] = exportsOf(runtime, item.instance.exports);
    } else if (item.kind === "type" && item.type.kind === "resource") {
      exports[pascalCase(name)] = resourceClass(runtime, item.type.resource.id, name, items);
    } else if (item.kind === "func" && parseFuncName(name).kind === "plain") {
      exports[camelCase(name)] = runtime.func(item.func);
    }
  }
  return exports;
}

/** The class of a resource, with what the same interface exports for it. */
function resourceClass(
  runtime: Runtime,
  resource: number,
  label: string,
  items: ReadonlyMap<string, Item>,
): GuestResourceClass {
  const found = runtime.classOf(resource);
  const constructing = items.get(`[constructor]${label}`);
  if (constructing?.kind === "func") runtime.setConstructor(resource, runtime.func(constructing.func));
  Object.defineProperty(found, "name", { value: pascalCase(label) });
  for (const [name, item] of items) {
    const parsed = parseFuncName(name);
    if (item.kind !== "func" || (parsed.kind !== "method" && parsed.kind !== "static")) continue;
    if (parsed.resource !== label) continue;
    const call = runtime.func(item.func);
    const [target, value] = parsed.kind === "static" ? [found, call] : [found.prototype, methodOf(call)];
    Object.defineProperty(target, camelCase(parsed.label), { value, writable: true, configurable: true });
  }
  return found;
}

/** A method of the class for the function that takes its object first. */
function methodOf(call: HostCallable): HostCallable {
  return function (this: GuestResource, ...args) {
    return call(this, ...args);
  };
}
