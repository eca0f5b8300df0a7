/** Finds a function among the exports of an instance. */

import type { HostCallable } from "./abi/call-guest.ts";
import { withAbortOf } from "./async/abortable.ts";
import { componentErrors } from "./errors.ts";
import { GuestResource, type GuestResourceClass } from "./link/guest-resource.ts";

/**
 * A function among the exports of an instance, by the path to it: an interface and a name, or a name alone. Of a
 * resource's class, behind its name: `constructor`, a static function, or a method, which takes the object first.
 *
 * @throws component/no-such-export with near names
 */
export function exportedFunction(
  instance: { readonly exports: object },
  ...path: readonly string[]
): HostCallable {
  let scope: unknown = instance.exports;
  for (const name of path) {
    const names = Object.keys(scope as object); // Each step below leaves an object.
    const found = isResourceClass(scope) ? memberOf(scope, name) : (scope as Record<string, unknown>)[name];
    if (typeof found !== "object" && typeof found !== "function") {
      throw componentErrors["no-such-export"]({ path, missed: name, names });
    }
    scope = found;
  }
  if (typeof scope !== "function" || isResourceClass(scope)) {
    throw componentErrors["no-such-export"]({ path, missed: "", names: Object.keys(scope as object) });
  }
  return scope as HostCallable; // A function, as just seen.
}

function isResourceClass(value: unknown): value is GuestResourceClass {
  return typeof value === "function" && value.prototype instanceof GuestResource;
}

function memberOf(target: GuestResourceClass, name: string): HostCallable | undefined {
  if (name === "constructor") return (...args) => new target(...args);
  const holder = Object.hasOwn(target, name) ? target : target.prototype;
  if (!Object.hasOwn(holder, name)) return undefined;
  const found = (holder as unknown as Record<string, unknown>)[name]; // Any object may be asked for any key.
  if (typeof found !== "function") return undefined;
  if (holder === target) return found as HostCallable;
  const method: HostCallable = (self, ...args) => found.apply(self, args);
  return withAbortOf(method, found, ([self, ...args]) => ({ args, self }));
}
