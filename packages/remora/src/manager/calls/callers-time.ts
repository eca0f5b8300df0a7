/** A call from plugin to plugin has what is left of its caller's time, in line and in its guest; and no more than its own. */

import { timerMsMax } from "../../base/index.ts";
import { type Budget, type CallOptions, engineErrors, type GuestAccess } from "../../engine/index.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";

/** A deadline has to be one, also of a caller that is late already. */
const leastMs = 0.01;

/**
 * The caller's call is a little longer, so that what it waited for fails, and not who waited: a timer may be a
 * millisecond late.
 */
const marginMs = 1;

type Caller = Pick<GuestAccess, "msLeft">;
type Called = Pick<ManagedPlugin, "name" | "serving">;

export function budgetOf(caller: Caller, called: Called): Partial<Budget> {
  return budgetWithin(msLeftOf(caller), called);
}

function msLeftOf({ msLeft }: Caller): number {
  return msLeft?.() ?? Number.POSITIVE_INFINITY;
}

function budgetWithin(ms: number, { serving }: Called): { readonly deadlineMs: number } {
  const ownMs = serving?.inspected.limits.deadlineMs ?? Number.POSITIVE_INFINITY;
  return { deadlineMs: Math.max(Math.min(ms, ownMs), leastMs) };
}

/**
 * Makes a call that gives a promise, and waits for it no longer than the caller may. One that has not begun then never
 * does; one that has is ended by its own deadline, and has failed itself.
 *
 * @throws engine/deadline the caller's time is over
 */
export async function inTimeOf<Result>(
  caller: Caller,
  called: Called,
  call: (options: CallOptions) => Promise<Result>,
): Promise<Result> {
  const msLeft = msLeftOf(caller);
  if (msLeft > timerMsMax) return call({});
  const endsAtMs = performance.now() + msLeft;
  const leaving = new AbortController();
  const over = Promise.withResolvers<never>();
  const end = () => {
    over.reject(engineErrors.deadline({ plugin: called.name, deadlineMs: msLeft }));
    leaving.abort();
  };
  const timer = setTimeout(end, msLeft - marginMs);
  const options: CallOptions = {
    signal: leaving.signal,
    // Asked for when its turn comes: it may have stood in line until then.
    get deadlineMs() {
      return budgetWithin(endsAtMs - performance.now(), called).deadlineMs;
    },
  };
  try {
    return await Promise.race([call(options), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
