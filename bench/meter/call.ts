/** The smallest call that there is, plain and inside a budget: what begin and end cost. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { meterModule } from "remora/wasm";
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
  const plain = new webAssembly.Instance(new webAssembly.Module(bytes)).exports.run as CoreFunction;
  const cache = new CompileCache({ rewrite: meterModule });
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
    {
      name: "plain",
      run: (count) => {
        let sum = 0;
        for (let index = 0; index < count; index++) sum += plain(index & 1);
        return sum;
      },
    },
    metered("fuel", { ...defaultLimits, deadlineMs: Infinity }),
    metered("deadline", defaultLimits),
  ];
}
