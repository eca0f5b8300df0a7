/**
 * How far a module runs without a check: it is stopped in the middle, as a host stops one, and the operators are counted
 * that it still runs until it notices. Metering specification 4.7.
 */

import { meterModule } from "remora/wasm";
import { variants } from "../conformance/core/variants.ts";
import { Meter } from "../packages/remora/src/engine/meter.ts";
import { webAssembly } from "../packages/remora/src/engine/webassembly.ts";
import { countName, withOperatorCount } from "./operator-count.ts";

export interface Distance {
  readonly kind: "within" | "beyond";
  /** Units of the operators that were run, at most, after the guest was to stop. */
  readonly longest: number;
}

/** Two thousand operators, of which twenty may be calls of functions that run as many: with a count before each, a fifth of that. */
export const distanceMax = 10_000;

/** Calls of the import after which the guest is stopped, one run each. */
const stops = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144];

/** A module with an export `run` of one number and an import `host.note`, as `control-flow-modules.ts` makes them. */
export function judgeDistance(bytes: Uint8Array): Distance {
  const counted = withOperatorCount(bytes);
  let longest = 0;
  for (const { options } of variants) {
    if (options.sharesCounters === true || options.profile === "strict" || !options.stack) continue;
    const { bytes: rewritten, injected } = meterModule(counted, options);
    const module = new webAssembly.Module(rewritten);
    for (const stop of stops) {
      const meter = new Meter({ limits: { ...options, stackSlotsMax: 30_000 } });
      let calls = 0;
      let before = -1n;
      const count = () => (instance.exports[countName] as unknown as { value: bigint }).value;
      const note = () => {
        if (++calls !== stop) return;
        meter.kill("closed");
        before = count();
      };
      const instance = new webAssembly.Instance(module, { host: { note } });
      meter.attach(instance, injected, 0);
      meter.begin({ fuelMax: 1e12, deadlineMs: Infinity });
      try {
        (instance.exports.run as (number: number) => number)(5);
      } catch {
        // By the trap at the next check, or by an exception of its own before it came to one.
      }
      meter.end();
      if (before < 0n) break;
      longest = Math.max(longest, Number(count() - before));
    }
  }
  return { kind: longest <= distanceMax ? "within" : "beyond", longest };
}
