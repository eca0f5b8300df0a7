/**
 * Calls into a guest that may wait: the steps of `call-guest.ts` around a core function that runs on a stack of its
 * own. Everything that can go wrong rejects the promise; nothing is thrown.
 */

import type { CoreFunction, CoreWaiting } from "../core.ts";
import {
  begin,
  end,
  finish,
  type GuestFunction,
  type HostCallable,
  lowerAndCall,
  refuse,
  resultLifter,
  settle,
} from "./call-guest.ts";
import type { Codec, Flat } from "./codec.ts";
import { coreSignature } from "./layout.ts";

/** Tells the runtime when the guest is on a stack of its own. */
export interface OwnStack {
  isOwn: boolean;
}

/** The function that the host calls; it gives a promise of what `callableFromHost` would. */
export function promisedFromHost(guest: GuestFunction, waiting: CoreWaiting, stack: OwnStack): HostCallable {
  const { cx, signature } = guest;
  const { engine } = cx;
  const { params } = signature;
  const lift = resultLifter(guest);
  const call = lowerAndCall({ ...guest, core: promisedCore(guest, waiting) });
  const mayFail = signature.type.result?.kind === "result";
  return async (...args) => {
    cx.beginCheck();
    for (let index = 0; index < params.length; index++) {
      if (!(params[index] as Codec).check(args[index], cx)) refuse(guest, args); // One argument each.
    }
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      stack.isOwn = true;
      // Its core function gives a promise, whatever the type of `call` says.
      const returned = call(args) as unknown as Promise<Flat | undefined>;
      result = finish(guest, lift, await returned);
      end(guest);
      waiting.settle();
    } catch (error) {
      throw engine.fail(error);
    } finally {
      stack.isOwn = false;
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

/** One call at a time: the engine refuses a second one while the first waits. */
function promisedCore(guest: GuestFunction, waiting: CoreWaiting): CoreFunction {
  let returned: Flat | undefined;
  const entry = waiting.entryOf(guest.core, coreSignature(guest.signature.type, "lift"), (result) => {
    returned = result;
  });
  return async (...flat: Flat[]) => {
    await entry(...flat);
    return returned;
  };
}
