/**
 * Host functions of synchronous type that give promises. For the guest such a call takes long and is nothing else: no
 * thread of the instance goes on meanwhile.
 */

import { argumentsLifter, errorResult, type OutgoingCall, resultLowerer } from "../abi/call-host.ts";
import { isThenable } from "../async-host.ts";
import type { Flat } from "../core.ts";
import type { Later } from "./later.ts";

/**
 * The body of an import that waits: it gives its core result, or a promise of it.
 *
 * @param takeLoans Takes the objects that the host was lent for this call; gives what ends the loan.
 */
export function frozenHostCall(
  call: OutgoingCall,
  takeLoans: () => () => void,
): (...flat: Flat[]) => Later<Flat | undefined> {
  const { cx, callee, signature } = call;
  const { type, codecs } = signature;
  const lift = argumentsLifter(signature);
  const write = resultLowerer(call);
  const resultType = type.result?.kind === "result" ? type.result : undefined;
  const err = resultType?.err === undefined ? undefined : codecs.of(resultType.err);
  const given = (value: unknown) => (resultType === undefined ? value : { tag: "ok", val: value });
  const thrown = (error: unknown) => errorResult(call, resultType !== undefined, err, error);
  return (...flat: Flat[]) => {
    cx.beginLift();
    const args = lift(cx, flat);
    const endLoans = takeLoans();
    const complete = (value: unknown): Flat | undefined => {
      endLoans();
      // The instance took no other call meanwhile, so its memory is where it was.
      return write(cx, value, flat);
    };
    let result: unknown;
    try {
      result = callee(...args);
    } catch (error) {
      return complete(thrown(error));
    }
    if (!isThenable(result)) return complete(given(result));
    return Promise.resolve(result).then(
      (value) => complete(given(value)),
      (error: unknown) => complete(thrown(error)),
    );
  };
}
