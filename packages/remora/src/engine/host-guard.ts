/**
 * Between a guest and a host function. A guest could catch what the function throws and go on; so whatever it throws
 * ends the call, and a guest that is already condemned does not reach the host any more.
 */

import type { CoreFunction } from "../component/core.ts";
import { decodeModule } from "../wasm/decode.ts";
import { funcTypeAt, importsOf, indexSpaces } from "../wasm/index-spaces.ts";
import { defaultDecodeLimits } from "../wasm/limits.ts";
import type { ValueType } from "../wasm/sections/value-types.ts";
import type { CompiledModule } from "./compile.ts";
import type { Meter } from "./meter.ts";
import { trap } from "./trampoline.ts";

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  /** How many parameters the function has; undefined for what is no function. */
  readonly parameters: number | undefined;
  readonly results: readonly ValueType[];
}

const known = new WeakMap<CompiledModule, readonly ModuleImport[]>();

/** The imports of a module, read once. `original` is what it was compiled from, and so is known to be valid. */
export function moduleImports(compiled: CompiledModule, original: Uint8Array): readonly ModuleImport[] {
  let imports = known.get(compiled);
  if (imports === undefined) {
    const decoded = decodeModule(original, { ...defaultDecodeLimits, moduleBytes: original.length });
    const spaces = indexSpaces(decoded);
    imports = importsOf(decoded).map(({ module, name, type }) => {
      const func = type.kind === "func" ? funcTypeAt(spaces, type.type, 0) : undefined;
      return { module, name, parameters: func?.parameters.length, results: func?.results ?? [] };
    });
    known.set(compiled, imports);
  }
  return imports;
}

/**
 * The host function with a guard around it. One closure a number of parameters: collecting them into an array and
 * spreading them again takes 5 ns a call.
 *
 * @param fail Ends the call with what was thrown; does not return.
 */
export function guarded(
  meter: Meter,
  hostFunction: CoreFunction,
  parameters: number | undefined,
  fail: (error: unknown) => never,
): CoreFunction {
  switch (parameters) {
    case 0:
      return () => {
        if (meter.dead !== undefined) return trap();
        try {
          return hostFunction();
        } catch (error) {
          return fail(error);
        }
      };
    case 1:
      return (a) => {
        if (meter.dead !== undefined) return trap();
        try {
          return hostFunction(a);
        } catch (error) {
          return fail(error);
        }
      };
    case 2:
      return (a, b) => {
        if (meter.dead !== undefined) return trap();
        try {
          return hostFunction(a, b);
        } catch (error) {
          return fail(error);
        }
      };
    case 3:
      return (a, b, c) => {
        if (meter.dead !== undefined) return trap();
        try {
          return hostFunction(a, b, c);
        } catch (error) {
          return fail(error);
        }
      };
    case 4:
      return (a, b, c, d) => {
        if (meter.dead !== undefined) return trap();
        try {
          return hostFunction(a, b, c, d);
        } catch (error) {
          return fail(error);
        }
      };
    default:
      return (...args) => {
        if (meter.dead !== undefined) return trap();
        try {
          return hostFunction(...args);
        } catch (error) {
          return fail(error);
        }
      };
  }
}
