/**
 * The profile `strict`, where numbers of the host become the guest's: the bits of a NaN that JavaScript computed depend
 * on the machine (x64 gives the square root of -1 a sign, ARM none), and V8 hands them over as they are. The constant
 * NaN has the canonical ones in every tier. Between the modules of an instance NaNs keep their bits. For components the
 * canonical ABI does the same in every profile.
 */

import type { CoreFunction } from "../component/core.ts";
import type { ValueType } from "../wasm/sections/value-types.ts";

/** The function with canonical NaNs for results. */
export function withCanonicalResults(
  hostFunction: CoreFunction,
  results: readonly ValueType[],
): CoreFunction {
  if (!results.some((type) => type === "f32" || type === "f64")) return hostFunction;
  if (results.length === 1) return (...args) => withCanonicalBits(hostFunction(...args));
  // V8 takes several results from whatever can be iterated over, and complains of anything else.
  return (...args) => {
    const given: unknown = hostFunction(...args);
    const isIterable = typeof given === "object" && given !== null && Symbol.iterator in given;
    return isIterable ? Array.from(given as Iterable<unknown>, withCanonicalBits) : given;
  };
}

/** A guest's function that gets canonical NaNs for arguments. */
export function withCanonicalArguments(guestFunction: CoreFunction): CoreFunction {
  const called: CoreFunction = (...args) => guestFunction(...args.map(withCanonicalBits));
  return Object.defineProperty(called, "length", { value: guestFunction.length });
}

export function withCanonicalBits<Value>(value: Value): Value {
  return Number.isNaN(value) ? (Number.NaN as Value) : value;
}
