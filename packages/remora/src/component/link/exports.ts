/** The exports of an instance as the host sees them: objects of functions and classes. */

import { unreachable } from "../../base/index.ts";
import type { HostCallable } from "../abi/call-guest.ts";
import { withAbortOf } from "../async/abortable.ts";
import {
  camelCase,
  type FuncName,
  functionName,
  parseFuncName,
  parseInterfaceName,
  pascalCase,
} from "../names.ts";
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
  const names = namesOf(items);
  const exports = exportsOf(runtime, names);
  for (const [alias, name] of names.aliases) exports[alias] ??= exports[name];
  return exports;
}

/**
 * The function that a path names; undefined when there is none. Paths are those of `exportedFunction`.
 */
export function exportedItem(
  items: ReadonlyMap<string, Item>,
  path: readonly string[],
): FuncItem | undefined {
  return itemAt(namesOf(items), path);
}

function itemAt({ entries, aliases }: Names, path: readonly string[]): FuncItem | undefined {
  const [first = "", second, third] = path;
  const key = entries.some((entry) => entry.key === first) ? first : aliases.get(first);
  for (const entry of entries) {
    if (entry.key !== key) continue;
    if (second === undefined) {
      if (entry.kind === "func") return entry.func;
      continue;
    }
    if (entry.kind === "instance") return itemAt(entry.names, path.slice(1));
    if (entry.kind === "class" && third === undefined) return memberAt(entries, entry.name, second);
  }
  return undefined;
}

function memberAt(entries: readonly Entry[], resource: string, key: string): FuncItem | undefined {
  for (const entry of entries) {
    if (entry.kind === "member" && entry.of.resource === resource && entry.key === key) return entry.func;
  }
  return undefined;
}

/** What exports are called in TypeScript. */
interface Names {
  readonly entries: readonly Entry[];
  /** Short names of exported interfaces: `filter` for `omnitak:plugin/filter@0.1.0`, when only one is called so. */
  readonly aliases: ReadonlyMap<string, string>;
}

type Entry =
  | { readonly kind: "instance"; readonly key: string; readonly names: Names }
  | { readonly kind: "class"; readonly key: string; readonly name: string; readonly resource: number }
  | { readonly kind: "func"; readonly key: string; readonly func: FuncItem }
  | { readonly kind: "member"; readonly key: string; readonly func: FuncItem; readonly of: Member };

/** A function of a resource, whose class is exported before it. */
type Member = Exclude<FuncName, { readonly kind: "plain" }>;

const known = new WeakMap<ReadonlyMap<string, Item>, Names>();

/** Made once for all instances of a component: taking names apart costs more than calling what they name. */
function namesOf(items: ReadonlyMap<string, Item>): Names {
  let names = known.get(items);
  if (names === undefined) {
    names = { entries: [...items].flatMap(([name, item]) => entryOf(name, item)), aliases: aliasesOf(items) };
    known.set(items, names);
  }
  return names;
}

function entryOf(name: string, item: Item): Entry[] {
  if (item.kind === "instance") {
    const key = name.includes(":") ? name : camelCase(name);
    return [{ kind: "instance", key, names: namesOf(item.instance.exports) }];
  }
  if (item.kind === "type" && item.type.kind === "resource") {
    return [{ kind: "class", key: pascalCase(name), name, resource: item.type.resource.id }];
  }
  if (item.kind !== "func") return [];
  const parsed = parseFuncName(name);
  if (parsed.kind === "plain") return [{ kind: "func", key: functionName(name), func: item.func }];
  const key = parsed.kind === "constructor" ? "constructor" : functionName(parsed.label);
  return [{ kind: "member", key, func: item.func, of: parsed }];
}

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

function exportsOf(runtime: ExportSource, { entries }: Names): Exports {
  // Without a prototype: an interface may be called `constructor`.
  const exports: Exports = Object.create(null);
  const classes = new Map<string, GuestResourceClass>();
  for (const entry of entries) {
    const { key } = entry;
    switch (entry.kind) {
      case "instance":
        exports[key] = exportsOf(runtime, entry.names);
        break;
      case "class": {
        const found = runtime.classOf(entry.resource);
        Object.defineProperty(found, "name", { value: key });
        classes.set(entry.name, found);
        exports[key] = found;
        break;
      }
      case "func":
        exports[key] = runtime.func(entry.func);
        break;
      case "member":
        addMember(runtime, classes.get(entry.of.resource), entry.of, key, runtime.func(entry.func));
        break;
      default:
        unreachable(entry);
    }
  }
  return exports;
}

function addMember(
  runtime: ExportSource,
  target: GuestResourceClass | undefined,
  { kind }: Member,
  key: string,
  call: HostCallable,
): void {
  if (target === undefined) return;
  switch (kind) {
    case "constructor":
      runtime.setConstructor(target, call);
      return;
    case "method":
      define(target.prototype, key, methodOf(call));
      return;
    case "static":
      define(target, key, call);
  }
}

function define(target: object, key: string, value: HostCallable): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true });
}

/** A method of the class for the function that takes its object first. */
function methodOf(call: HostCallable): HostCallable {
  const method: HostCallable = function (this: GuestResource, ...args) {
    return call(this, ...args);
  };
  return withAbortOf(method, call, (args, self) => ({ args: [self, ...args] }));
}
