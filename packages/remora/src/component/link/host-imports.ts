/**
 * Finds what the host gives for each import of a plan. Everything that is missing is reported at once, with what
 * would be accepted and which given names are near.
 */

import { nearNames } from "../../base/index.ts";
import type { HostCallable } from "../abi/call-guest.ts";
import { asyncHostFunction, isAsyncHostFunction } from "../async-host.ts";
import { componentErrors, type MissingImport } from "../errors.ts";
import { camelCase, compatibleName, functionName, parseFuncName, pascalCase } from "../names.ts";
import { isSlowHostFunction, slowHostFunction } from "../slow-host.ts";
import type { HostFuncPlan, HostResourcePlan, Plan } from "./plan.ts";

/**
 * What a host gives, by import name: `{ "omnitak:plugin/host@0.1.0": { log(level, message) {…} } }`. A function of
 * an interface stands under its camelCase name; a resource is a class, or an object of methods that are called
 * with the host's own object as `this`. A plain import stands directly under its name.
 */
export type HostImports = Readonly<Record<string, unknown>>;

/** The host's side of a resource type. */
export interface HostResource {
  /** Set for a class: its instances are the resources. Otherwise any object may stand for one. */
  readonly constructor: (new (...args: never[]) => object) | undefined;
  readonly dispose: ((this: object) => void) | undefined;
}

export interface HostBindings {
  /** In the order of `plan.hostFuncs`. A method takes its object as first argument. */
  readonly funcs: readonly HostCallable[];
  /** By number of the resource type. */
  readonly resources: ReadonlyMap<number, HostResource>;
  readonly modules: ReadonlyMap<string, Uint8Array>;
}

/** @throws component/missing-imports with all that is missing or of the wrong kind */
export function bindHostImports(plan: Plan, imports: HostImports): HostBindings {
  const missing: MissingImport[] = [];
  const finder = new Finder(imports, missing);
  const resources = new Map<number, HostResource>();
  for (const resource of plan.hostResources) resources.set(resource.resource.id, finder.resource(resource));
  const funcs = plan.hostFuncs.map((func) => finder.func(func));
  const modules = new Map<string, Uint8Array>();
  for (const name of plan.hostModules) modules.set(name, finder.module(name));
  if (missing.length > 0) throw componentErrors["missing-imports"]({ missing });
  return { funcs, resources, modules };
}

const absent: HostCallable = () => undefined;

class Finder {
  readonly #imports: HostImports;
  readonly #missing: MissingImport[];
  readonly #absent = new Set<string>();
  /** The function that was just found, as the host gave it. */
  #given: object | undefined;
  /** What the host calls each import that it does not have under its very name. */
  readonly #compatible = new Map<string, string | undefined>();

  constructor(imports: HostImports, missing: MissingImport[]) {
    this.#imports = imports;
    this.#missing = missing;
  }

  func(plan: HostFuncPlan): HostCallable {
    const callable = this.#found(plan);
    // A bound function or a wrapper is another one than the host marked.
    const given = this.#given;
    this.#given = undefined;
    if (given !== undefined && isSlowHostFunction(given)) slowHostFunction(callable);
    if (given !== undefined && isAsyncHostFunction(given)) asyncHostFunction(callable);
    return callable;
  }

  #found(plan: HostFuncPlan): HostCallable {
    const label = plan.path.at(-1) ?? "";
    const name = parseFuncName(label);
    if (name.kind === "plain") {
      const scope = this.#scope(plan.path);
      if (scope === undefined) return absent;
      const key = functionName(label);
      const found = given(scope, key) ?? given(scope, label);
      if (typeof found === "function") {
        this.#given = found;
        return found.bind(scope);
      }
      return this.#miss(plan.path, `function ${key}`, found, key, scope);
    }
    const owner = this.#member(plan.path, name.resource);
    if (owner === undefined) return absent;
    const [resource] = owner;
    const isClass = typeof resource === "function";
    if (name.kind === "constructor") {
      // biome-ignore lint/suspicious/noExplicitAny: arguments of a type that only exists at run time
      if (isClass) return (...args: any[]) => Reflect.construct(resource, args);
      const found = Object.hasOwn(resource, "constructor")
        ? (resource as { constructor: unknown }).constructor
        : undefined;
      if (typeof found === "function") return found.bind(resource);
      return this.#miss(
        plan.path,
        `constructor of ${pascalCase(name.resource)}`,
        found,
        "constructor",
        resource,
      );
    }
    const key = functionName(name.label);
    const holder = isClass && name.kind === "method" ? resource.prototype : resource;
    const found = holder === undefined ? undefined : given(holder, key);
    if (typeof found !== "function") {
      return this.#miss(
        plan.path,
        `${name.kind} ${pascalCase(name.resource)}.${key}`,
        found,
        key,
        holder ?? {},
      );
    }
    this.#given = found;
    return name.kind === "static"
      ? found.bind(resource)
      : methodOf(found as HostCallable, plan.type.params.length - 1);
  }

  resource(plan: HostResourcePlan): HostResource {
    const label = plan.path.at(-1) ?? "";
    const found = this.#member(plan.path, label)?.[0];
    if (typeof found === "function") {
      const prototype = found.prototype as { [Symbol.dispose]?: (this: object) => void } | undefined;
      return {
        constructor: found as unknown as HostResource["constructor"],
        dispose: prototype?.[Symbol.dispose],
      };
    }
    const methods = found as { [Symbol.dispose]?: (this: object) => void } | undefined;
    return { constructor: undefined, dispose: methods?.[Symbol.dispose] };
  }

  module(name: string): Uint8Array {
    const found = this.#imports[name];
    if (found instanceof Uint8Array) return found;
    this.#miss([name], "core module as Uint8Array", found, name, this.#imports);
    return new Uint8Array(0);
  }

  /** The class or method object of a resource; complains once when there is none. */
  // biome-ignore lint/complexity/noBannedTypes: a class of the host, of any kind
  #member(path: readonly string[], label: string): [Function | object] | undefined {
    const scope = this.#scope(path);
    if (scope === undefined) return undefined;
    const found = given(scope, pascalCase(label)) ?? given(scope, camelCase(label)) ?? given(scope, label);
    if (typeof found === "function" || (typeof found === "object" && found !== null)) return [found];
    const full = [...path.slice(0, -1), label];
    if (!this.#absent.has(full.join("\n"))) {
      this.#absent.add(full.join("\n"));
      this.#miss(full, `resource ${pascalCase(label)}`, found, pascalCase(label), scope);
    }
    return undefined;
  }

  /** The object that the last name of a path is to be looked up in; complains once for each that is not there. */
  #scope(path: readonly string[]): Record<string, unknown> | undefined {
    // What the host gives is looked up by name and checked where it is used.
    let scope = this.#imports as Record<string, unknown>;
    for (const [index, name] of path.slice(0, -1).entries()) {
      const key = index === 0 ? this.#givenName(name) : name;
      const found =
        key === undefined
          ? undefined
          : (given(scope, key) ?? (index > 0 ? given(scope, camelCase(name)) : undefined));
      if ((typeof found !== "object" && typeof found !== "function") || found === null) {
        const place = path.slice(0, index + 1).join("\n");
        if (!this.#absent.has(place)) {
          this.#absent.add(place);
          this.#miss(path.slice(0, index + 1), "an object of its functions", found, name, scope);
        }
        return undefined;
      }
      scope = found as Record<string, unknown>;
    }
    return scope;
  }

  #givenName(name: string): string | undefined {
    if (Object.hasOwn(this.#imports, name)) return name;
    if (!this.#compatible.has(name))
      this.#compatible.set(name, compatibleName(name, Object.keys(this.#imports)));
    return this.#compatible.get(name);
  }

  #miss(path: readonly string[], wanted: string, found: unknown, key: string, scope: object): HostCallable {
    this.#missing.push({
      name: path[0] ?? "",
      member: path.length > 1 ? path.slice(1).join(" ") : undefined,
      wanted,
      found: found === undefined ? undefined : typeof found,
      near: nearNames(key, namesOf(scope)),
    });
    return absent;
  }
}

/** What a host gave under a name. What every object has is not given: `toString` is no import's. */
function given(scope: object, key: string): unknown {
  const found = (scope as Record<string, unknown>)[key]; // Any object may be asked for any key.
  return found === (Object.prototype as unknown as Record<string, unknown>)[key] ? undefined : found;
}

function namesOf(scope: object): string[] {
  return Object.getOwnPropertyNames(scope);
}

/** A method as a function of its object; written out for the short ones, which are called often. */
function methodOf(method: HostCallable, argumentCount: number): HostCallable {
  switch (argumentCount) {
    case 0:
      return (self) => method.call(self);
    case 1:
      return (self, a) => method.call(self, a);
    case 2:
      return (self, a, b) => method.call(self, a, b);
    default:
      return (self, ...args) => method.apply(self, args);
  }
}
