/**
 * The manager's clocks. Durations come from the monotonic one; the date is only shown, recorded and compared with the
 * validity of keys, so that a clock that is set forward or back changes no back-off, no deadline and no probation.
 */

import { timerMsMax } from "../base/index.ts";

export interface ManagerClock {
  /** Milliseconds since 1970; may jump. */
  dateMs(): number;
  /** Milliseconds that only ever grow. */
  monotonicMs(): number;
  /** Calls back once, after so many milliseconds, until what it returned is called. Keeps no process alive. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: ManagerClock = {
  dateMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, callback) {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number) => {
      const restMs = leftMs - timerMsMax;
      timer = setTimeout(restMs > 0 ? () => wait(restMs) : callback, Math.min(leftMs, timerMsMax));
      timer.unref();
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};
