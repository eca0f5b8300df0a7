/** Finds a function among the exports of an instance. */

import type { HostCallable } from "./abi/call-guest.ts";
import { componentErrors } from "./errors.ts";

/**
 * A function among the exports of an instance, by the path to it: an interface and a name, or a name alone.
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
    const found = (scope as Record<string, unknown>)[name];
    if (typeof found !== "object" && typeof found !== "function") {
      throw componentErrors["no-such-export"]({ name: path.join(" "), names });
    }
    scope = found;
  }
  if (typeof scope !== "function") {
    throw componentErrors["no-such-export"]({ name: path.join(" "), names: Object.keys(scope as object) });
  }
  return scope as HostCallable; // A function, as just seen.
}
