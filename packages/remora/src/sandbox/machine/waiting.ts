/**
 * The one seam where a guest waits. Everything that blocks in WASI (a poll, a blocking read, a sleep) comes here,
 * and what happens depends on where the guest runs: a suspended stack, a thread that may block, or a refusal.
 */

import { timerMsMax } from "../../base/index.ts";
import type { Change } from "../net/change.ts";

/** How a guest can wait. */
export interface Waiting {
  /** It gives promises: the engine must put the guest aside, and calls of all its exports give promises themselves. */
  readonly suspends?: true;
  /**
   * Waits for a change of one of `events`, or until `timeoutMs` is over, never less by `performance.now`; one of them is given.
   *
   * @param ended Aborted when nobody waits any more: the instance is gone.
   * @returns Nothing when the wait is over; a promise when the engine must suspend the guest until it settles, which it never
   *          does for an instance that is gone; `"refused"` when this guest cannot wait for that.
   */
  wait(
    events: readonly Change[],
    timeoutMs: number | undefined,
    ended: AbortSignal,
  ): Promise<void> | "refused" | undefined;
}

/** For calls on a thread that must not block: nothing can be waited for. */
export const noWaiting: Waiting = { wait: () => "refused" };

/**
 * For guests that the engine can put aside (Node 24 and later; elsewhere linking fails with `component/no-waiting`): they
 * wait for anything while the thread goes on, and calls into them give promises. One timer at a time for each such guest.
 */
export const suspendedWaiting: Waiting = {
  suspends: true,
  wait(events, timeoutMs, ended) {
    return new Promise((resolve) => {
      if (ended.aborted) return;
      const endsMs = performance.now() + (timeoutMs ?? 0);
      // A guest may wait a million times for what never changes: nothing of a wait may stay behind.
      let timer = timeoutMs === undefined ? undefined : later();
      const unwatch = events.map((event) => event.watch(done));
      // Told that the wait is over, a guest that is gone would look again, and wait again, for ever and at once.
      ended.addEventListener("abort", forget);
      function later(): NodeJS.Timeout {
        return setTimeout(look, Math.min(endsMs - performance.now(), timerMsMax));
      }
      // A timer counts from when the loop last looked at the time, and comes up to a millisecond early.
      function look(): void {
        if (performance.now() >= endsMs) done();
        else timer = later();
      }
      function done(): void {
        forget();
        resolve();
      }
      function forget(): void {
        clearTimeout(timer);
        for (const stop of unwatch) stop();
        ended.removeEventListener("abort", forget);
      }
    });
  },
};

/** For a thread of the guest's own, such as a worker's: it blocks on a timer; events of the loop cannot reach it. */
export const blockedWaiting: Waiting = {
  wait(events, timeoutMs) {
    if (events.length > 0 || timeoutMs === undefined) return "refused";
    const word = new Int32Array(new SharedArrayBuffer(4));
    const endsMs = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; leftMs > 0; leftMs = endsMs - performance.now())
      Atomics.wait(word, 0, 0, leftMs);
    return undefined;
  },
};
