/** The smallest call that there is, plain and inside a budget: what begin and end cost. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreFunction } from "../../packages/remora/src/component/core.ts";
import { CompileCache, compileRequest } from "../../packages/remora/src/engine/compile-cache.ts";
import { InstanceEngine } from "../../packages/remora/src/engine/core-engine.ts";
import { defaultLimits, type Limits } from "../../packages/remora/src/engine/limits.ts";
import { webAssembly } from "../../packages/remora/src/engine/webassembly.ts";
import type { Variant } from "../measure.ts";
import { meterOptions } from "./loaders.ts";

export function callVariants(): Variant[] {
  // fib of 0 is one comparison.
  const bytes = new Uint8Array(readFileSync(join(import.meta.dirname, "kernels", "fib.wasm")));
  // Two of them, as there are two metered ones: V8 inlines a call only where it always has the same target.
  const plain = (name: string): Variant => {
    const run = new webAssembly.Instance(new webAssembly.Module(bytes)).exports.run as CoreFunction;
    return {
      name,
      run: (count) => {
        let sum = 0;
        for (let index = 0; index < count; index++) sum += run(index & 1);
        return sum;
      },
    };
  };
  const cache = new CompileCache();
  const { memoryPagesMax, tableElementsMax } = defaultLimits;
  const request = compileRequest("call", { ...meterOptions("fuel"), memoryPagesMax, tableElementsMax });
  const metered = (name: string, limits: Limits): Variant => {
    const engine = new InstanceEngine({ cache, request, limits });
    const run = engine.instantiate(bytes, {}).exports.run as CoreFunction;
    return {
      name,
      run: (count) => {
        let sum = 0;
        for (let index = 0; index < count; index++) {
          engine.enter();
          sum += run(index & 1);
          engine.leave();
        }
        return sum;
      },
    };
  };
  return [
    plain("plain"),
    plain("plain again"),
    metered("fuel", { ...defaultLimits, deadlineMs: Infinity }),
    metered("deadline", defaultLimits),
  ];
}
