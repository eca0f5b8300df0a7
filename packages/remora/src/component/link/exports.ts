/** The exports of an instance as the host sees them: objects of functions and classes. */

import type { HostCallable } from "../abi/call-guest.ts";
import { camelCase, parseFuncName, parseInterfaceName, pascalCase } from "../names.ts";
import type { GuestResource, GuestResourceClass } from "./guest-resource.ts";
import type { FuncItem, Item } from "./plan.ts";

type Exports = Record<string, unknown>;

/** Where the functions and classes behind exports come from: a runtime, or what stands for one elsewhere. */
export interface ExportSource {
  func(item: FuncItem): HostCallable;
  classOf(resource: number): GuestResourceClass;
  setConstructor(target: GuestResourceClass, call: HostCallable): void;
}

export function buildExports(runtime: ExportSource, items: ReadonlyMap<string, Item>): Exports {
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

function exportsOf(runtime: ExportSource, items: ReadonlyMap<string, Item>): Exports {
  // Without a prototype: an interface may be called `constructor`.
  const exports: Exports = Object.create(null);
  const classes = new Map<string, GuestResourceClass>();
  for (const [name, item] of items) {
    if (item.kind === "instance") {
      exports[name.includes(":") ? name : camelCase(name)] = exportsOf(runtime, item.instance.exports);
    } else if (item.kind === "type" && item.type.kind === "resource") {
      const found = runtime.classOf(item.type.resource.id);
      Object.defineProperty(found, "name", { value: pascalCase(name) });
      classes.set(name, found);
      exports[pascalCase(name)] = found;
    } else if (item.kind === "func") {
      addFunc(exports, classes, name, runtime, item.func);
    }
  }
  return exports;
}

/** Functions of a resource go to its class, which was exported before them. */
function addFunc(
  exports: Exports,
  classes: ReadonlyMap<string, GuestResourceClass>,
  name: string,
  runtime: ExportSource,
  func: FuncItem,
): void {
  const parsed = parseFuncName(name);
  const call = runtime.func(func);
  if (parsed.kind === "plain") {
    exports[camelCase(name)] = call;
    return;
  }
  const target = classes.get(parsed.resource);
  if (target === undefined) return;
  switch (parsed.kind) {
    case "constructor":
      runtime.setConstructor(target, call);
      return;
    case "method":
      define(target.prototype, parsed.label, methodOf(call));
      return;
    case "static":
      define(target, parsed.label, call);
  }
}

function define(target: object, label: string, value: HostCallable): void {
  Object.defineProperty(target, camelCase(label), { value, writable: true, configurable: true });
}

/** A method of the class for the function that takes its object first. */
function methodOf(call: HostCallable): HostCallable {
  return function (this: GuestResource, ...args) {
    return call(this, ...args);
  };
}
