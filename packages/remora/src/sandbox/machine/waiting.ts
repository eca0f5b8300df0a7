/**
 * The one seam where a guest waits. Everything that blocks in WASI (a poll, a blocking read, a sleep) comes here,
 * and what happens depends on where the guest runs: a suspended stack, a thread that may block, or a refusal.
 */

/** How a guest can wait. */
export interface Waiting {
  /**
   * Waits until `until` settles or `timeoutMs` is over; one of them is given.
   *
   * @returns Nothing when the wait is over; a promise when the engine must suspend the guest until it settles;
   *          `"refused"` when this guest cannot wait for that.
   */
  wait(
    until: Promise<unknown> | undefined,
    timeoutMs: number | undefined,
  ): Promise<void> | "refused" | undefined;
}

/** For calls on a thread that must not block: nothing can be waited for. */
export const noWaiting: Waiting = { wait: () => "refused" };

/**
 * For guests that the engine can suspend: it returns the promise, and must await it before the guest goes on.
 * One timer at a time for each suspended guest.
 */
export const suspendedWaiting: Waiting = {
  wait(until, timeoutMs) {
    if (timeoutMs === undefined) return Promise.resolve(until).then(ignore, ignore);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(timeoutMs, timerMsMax));
    });
    const both = until === undefined ? timeout : Promise.race([timeout, until.then(ignore, ignore)]);
    return both.finally(() => clearTimeout(timer));
  },
};

/** For a thread of the guest's own, such as a worker's: it blocks on a timer; events of the loop cannot reach it. */
export const blockedWaiting: Waiting = {
  wait(until, timeoutMs) {
    if (until !== undefined || timeoutMs === undefined) return "refused";
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeoutMs);
    return undefined;
  },
};

/** setTimeout takes a longer delay for none at all. */
const timerMsMax = 2 ** 31 - 1;

function ignore(): void {}
