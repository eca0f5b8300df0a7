/**
 * Calls out of a guest to a host function that may give a promise: the same steps as in `call-host.ts`, with the
 * guest put aside between the call and its result.
 */

import type { CoreFunction } from "../core.ts";
import { componentErrors } from "../errors.ts";
import {
  argumentsLifter,
  errorResult,
  fail,
  mayNotLeave,
  type OutgoingCall,
  resultLowerer,
} from "./call-host.ts";
import type { Flat } from "./codec.ts";

/**
 * The body of an import that waits: it gives its core result, or a promise of it.
 *
 * @param canWait Whether the guest is on a stack of its own, with no other function of the host between.
 */
export function coreFunctionForAsyncHost(call: OutgoingCall, canWait: () => boolean): CoreFunction {
  const { cx, callee, signature, endLoans, name } = call;
  const { state } = cx;
  const { type, codecs } = signature;
  const lift = argumentsLifter(signature);
  const write = resultLowerer(call);
  const resultType = type.result?.kind === "result" ? type.result : undefined;
  const err = resultType?.err === undefined ? undefined : codecs.of(resultType.err);
  const given = (value: unknown) => (resultType === undefined ? value : { tag: "ok", val: value });
  const thrown = (error: unknown) => errorResult(call, resultType !== undefined, err, error);
  return (...flat: Flat[]) => {
    const complete = (value: unknown): Flat | undefined => {
      endLoans?.();
      // The instance took no other call meanwhile, so its memory is where it was.
      return write(cx, value, flat);
    };
    try {
      if (!state.mayLeave) mayNotLeave();
      cx.beginLift();
      const args = lift(cx, flat);
      let result: unknown;
      try {
        result = callee(...args);
      } catch (error) {
        return complete(thrown(error));
      }
      if (!isThenable(result)) return complete(given(result));
      if (!canWait()) throw componentErrors["cannot-wait"]({ name });
      return Promise.resolve(result).then(
        (value) => complete(given(value)),
        (error: unknown) => complete(thrown(error)),
      );
    } catch (error) {
      return fail(call, error);
    }
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
