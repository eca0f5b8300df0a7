/** The traps of the canonical ABI: what a guest may not hand over. */

import { componentErrors } from "../errors.ts";

/** The guest controls the value that led here. Whoever called into the guest turns this into a poisoned instance. */
export function trap(what: string): never {
  throw componentErrors.trap({ what });
}
