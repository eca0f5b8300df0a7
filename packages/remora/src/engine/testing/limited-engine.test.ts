/** Engines of single modules, with some limits of a test's own. */

import { CompileCache, compileRequest } from "../compile-cache.ts";
import { InstanceEngine, type InstanceEngineOptions } from "../core-engine.ts";
import { defaultLimits, type Limits } from "../limits.ts";

/** The tests of a process do not compile a module twice. */
const cache = new CompileCache();

interface LimitedEngineOptions extends Partial<InstanceEngineOptions> {
  readonly sharesCounters?: boolean;
}

/** @param limits Those that the test is about; the others are the default. */
export function engineWith(
  limits: Partial<Limits> = {},
  { sharesCounters = false, ...options }: LimitedEngineOptions = {},
): InstanceEngine {
  const all: Limits = { ...defaultLimits, ...limits };
  const { memoryPagesMax, tableElementsMax } = all;
  const request = compileRequest("guest", {
    mode: "fuel",
    profile: "default",
    memoryPagesMax,
    tableElementsMax,
    stack: true,
    sharesCounters,
  });
  return new InstanceEngine({ cache, limits: all, request, ...options });
}
