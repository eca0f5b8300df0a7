/**
 * Which convention a core module keeps, told by its exports. A manifest that says so is better than a guess, but the
 * modules of these conventions come without one.
 */

import type { CoreFunctions, ModuleInstance } from "../engine/index.ts";
import { AssemblyScriptGuest } from "./assemblyscript.ts";
import type { Asyncify } from "./asyncify.ts";
import { BufferGuest } from "./buffer.ts";
import { abiErrors } from "./errors.ts";
import type { TextGuest } from "./text-guest.ts";

/**
 * Makes a core module's instance one that is called with texts, and runs its constructors where it exports them.
 *
 * @param asyncify Given to the host functions in which this guest may wait, if there are any.
 * @param convention Which of them it keeps, where somebody says so. Default: as its exports tell.
 * @throws abi/no-convention abi/no-memory-export it is none of these modules
 * @throws engine/…                               its constructors failed
 */
export function openTextGuest(
  instance: ModuleInstance,
  asyncify?: Asyncify,
  convention?: TextGuest["convention"],
): TextGuest {
  const kept = conventionOf((name) => instance.exports[name] !== undefined, convention);
  const guest =
    kept === "buffer" ? new BufferGuest(instance, asyncify) : new AssemblyScriptGuest(instance, asyncify);
  // WASI application ABI: a reactor's `_initialize` is called once, before anything else.
  if (guest.has("_initialize")) instance.together(initialize, undefined);
  return guest;
}

/** @throws abi/no-convention */
export function conventionOf(
  exports: (name: string) => boolean,
  convention?: TextGuest["convention"],
): TextGuest["convention"] {
  if (convention !== "assemblyscript" && exports("allocate")) return "buffer";
  if (convention !== "buffer" && exports("__new")) return "assemblyscript";
  throw abiErrors["no-convention"]({ expected: expected[convention ?? "any"] });
}

const expected = {
  buffer: '"allocate"',
  assemblyscript: '"__new" by --exportRuntime',
  any: '"allocate", or "__new" by --exportRuntime',
};

const initialize = (functions: CoreFunctions) => functions._initialize?.();
