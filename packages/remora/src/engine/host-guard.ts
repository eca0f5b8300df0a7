/**
 * Between a guest and a host function. A guest could catch what the function throws and go on; so whatever it throws
 * ends the call, and a guest that is already condemned does not reach the host any more.
 */

import type { CoreFunction } from "../component/core.ts";
import type { ResultCheck } from "./host-result.ts";
import type { Meter } from "./meter.ts";
import { trap } from "./trampoline.ts";

export interface GuardOptions {
  readonly parameters: number | undefined;
  readonly isSlow: boolean;
  /** Absent where V8 looks at the result itself. */
  readonly check?: ResultCheck;
}

/**
 * The host function with a guard around it, and with the clock when it is marked as slow. One closure a number of
 * parameters: collecting them into an array and spreading them again takes 5 ns a call.
 *
 * @param fail Ends the call with what was thrown; does not return.
 */
export function guarded(
  meter: Meter,
  hostFunction: CoreFunction,
  { parameters, isSlow, check }: GuardOptions,
  fail: (error: unknown) => never,
): CoreFunction {
  switch (parameters) {
    case 0:
      return () => {
        if (meter.dead !== undefined) return trap();
        meter.hostCalls++;
        try {
          if (!isSlow) return checked(hostFunction(), check);
          meter.startClock();
          const result = hostFunction();
          meter.lookAtClock();
          return checked(result, check);
        } catch (error) {
          return fail(error);
        }
      };
    case 1:
      return (a) => {
        if (meter.dead !== undefined) return trap();
        meter.hostCalls++;
        try {
          if (!isSlow) return checked(hostFunction(a), check);
          meter.startClock();
          const result = hostFunction(a);
          meter.lookAtClock();
          return checked(result, check);
        } catch (error) {
          return fail(error);
        }
      };
    case 2:
      return (a, b) => {
        if (meter.dead !== undefined) return trap();
        meter.hostCalls++;
        try {
          if (!isSlow) return checked(hostFunction(a, b), check);
          meter.startClock();
          const result = hostFunction(a, b);
          meter.lookAtClock();
          return checked(result, check);
        } catch (error) {
          return fail(error);
        }
      };
    case 3:
      return (a, b, c) => {
        if (meter.dead !== undefined) return trap();
        meter.hostCalls++;
        try {
          if (!isSlow) return checked(hostFunction(a, b, c), check);
          meter.startClock();
          const result = hostFunction(a, b, c);
          meter.lookAtClock();
          return checked(result, check);
        } catch (error) {
          return fail(error);
        }
      };
    case 4:
      return (a, b, c, d) => {
        if (meter.dead !== undefined) return trap();
        meter.hostCalls++;
        try {
          if (!isSlow) return checked(hostFunction(a, b, c, d), check);
          meter.startClock();
          const result = hostFunction(a, b, c, d);
          meter.lookAtClock();
          return checked(result, check);
        } catch (error) {
          return fail(error);
        }
      };
    default:
      return (...args) => {
        if (meter.dead !== undefined) return trap();
        meter.hostCalls++;
        try {
          if (!isSlow) return checked(hostFunction(...args), check);
          meter.startClock();
          const result = hostFunction(...args);
          meter.lookAtClock();
          return checked(result, check);
        } catch (error) {
          return fail(error);
        }
      };
  }
}

function checked(result: unknown, check: ResultCheck | undefined): unknown {
  if (check === undefined) return result;
  if (check.takesNumbers && (typeof result === "number" || result === undefined)) return result;
  return check.look(result);
}
