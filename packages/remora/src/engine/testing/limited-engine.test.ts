/** Engines of single modules, with some limits of a test's own. */

import type { MeterOptions } from "../../wasm/index.ts";
import { CompileCache, compileRequest } from "../compile-cache.ts";
import { InstanceEngine, type InstanceEngineOptions } from "../core-engine.ts";
import { defaultLimits, type Limits } from "../limits.ts";

/** The tests of a process do not compile a module twice. */
const cache = new CompileCache();

interface LimitedEngineOptions extends Partial<InstanceEngineOptions> {
  /** How its modules are rewritten, where that is not the default. */
  readonly rewrite?: Partial<Pick<MeterOptions, "mode" | "profile" | "sharesCounters">>;
}

/** @param limits Those that the test is about; the others are the default. */
export function engineWith(
  limits: Partial<Limits> = {},
  { rewrite, ...options }: LimitedEngineOptions = {},
): InstanceEngine {
  const all: Limits = { ...defaultLimits, ...limits };
  const { memoryPagesMax, tableElementsMax } = all;
  const request = compileRequest("guest", {
    mode: "fuel",
    profile: "default",
    memoryPagesMax,
    tableElementsMax,
    stack: true,
    sharesCounters: false,
    ...rewrite,
  });
  return new InstanceEngine({ cache, limits: all, request, ...options });
}
