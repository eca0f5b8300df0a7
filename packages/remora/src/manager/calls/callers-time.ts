/** A call from plugin to plugin has what is left of its caller's time, and none of its own: in line, or in its guest. */

import { timerMsMax } from "../../base/index.ts";
import { type Budget, type CallOptions, engineErrors, type GuestAccess } from "../../engine/index.ts";

/** A deadline has to be one, also of a caller that is late already. */
const leastMs = 0.01;

/**
 * The caller's call is a little longer, so that what it waited for fails, and not who waited: a timer may be a
 * millisecond late.
 */
const marginMs = 1;

type Caller = Pick<GuestAccess, "msLeft">;

export function budgetOf({ msLeft }: Caller): Partial<Budget> {
  const deadlineMs = msLeft?.() ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(deadlineMs) ? { deadlineMs: Math.max(deadlineMs, leastMs) } : {};
}

/**
 * Makes a call that gives a promise, and waits for it no longer than the caller may. One that has not begun then never
 * does; one that has is ended by its own deadline, and has failed itself.
 *
 * @param plugin Which is called.
 * @throws engine/deadline the caller's time is over
 */
export async function inTimeOf<Result>(
  caller: Caller,
  plugin: string,
  call: (options: CallOptions) => Promise<Result>,
): Promise<Result> {
  const { deadlineMs } = budgetOf(caller);
  if (deadlineMs === undefined || deadlineMs > timerMsMax) return call({});
  const endsAtMs = performance.now() + deadlineMs;
  const leaving = new AbortController();
  const over = Promise.withResolvers<never>();
  const end = () => {
    over.reject(engineErrors.deadline({ plugin, deadlineMs }));
    leaving.abort();
  };
  const timer = setTimeout(end, deadlineMs - marginMs);
  const options: CallOptions = {
    signal: leaving.signal,
    // Asked for when its turn comes: it may have stood in line until then.
    get deadlineMs() {
      return Math.max(endsAtMs - performance.now(), leastMs);
    },
  };
  try {
    return await Promise.race([call(options), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
