/**
 * A clock that is exact and dear, read rarely. The processor time of a thread is a call into the system, some 300 ns, and
 * a guest's deadline is looked at several times in a call of some microseconds. Between two readings the monotonic
 * clock goes on in its place: a thread has never more processor time than has gone by.
 */

/** What the clock may be ahead of the exact one, so that a deadline may be early or late by as much. */
export const aheadMsMax = 1;

/** What guests' deadlines are of. `atMs` is what the pace's clock says now, where that has just been read. */
export type GuestClock = (atMs?: number) => number;

/**
 * @param exactMs Never faster than `passedMs`.
 * @returns a clock that never goes back, and is from 0 to `aheadMsMax` ahead of the exact one
 */
export function rarelyRead(exactMs: () => number, passedMs: () => number): GuestClock {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let readMs = 0;
  let toldMs = 0;
  return (atMs = passedMs()) => {
    if (atMs - readAtMs >= aheadMsMax) {
      readAtMs = atMs;
      readMs = exactMs();
    }
    toldMs = Math.max(toldMs, readMs + (atMs - readAtMs));
    return toldMs;
  };
}

/** As `rarelyRead` of that clock; without one, the monotonic one itself, which costs little. */
export function guestClockOf(exactMs: (() => number) | undefined, passedMs: () => number): GuestClock {
  return exactMs === undefined ? (atMs = passedMs()) => atMs : rarelyRead(exactMs, passedMs);
}

/** Milliseconds of processor time, out of what a program knows of its thread, such as `process.threadCpuUsage`. */
export function processorClock(
  usage: () => { readonly user: number; readonly system: number },
): () => number {
  return () => {
    const { user, system } = usage();
    return (user + system) / 1_000;
  };
}
