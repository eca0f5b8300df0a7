/** Time as the host sees it, so that a test can move it. */

export interface Clock {
  /** Milliseconds on a clock that only goes forward. */
  nowMs(): number;
  /** The time of day, for timestamps. */
  date(): Date;
  /** The same in milliseconds since 1970. */
  epochMs(): number;
  /** Calls back once. Does not keep the process alive. Gives back what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  date: () => new Date(),
  epochMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
