/** Time as the network sees it, so that a test can move it. */

export interface Clock {
  /** Milliseconds on a clock that only goes forward. */
  nowMs(): number;
  /** Milliseconds since 1970, for the times in messages. */
  timeMs(): number;
  /** Calls back once, and keeps the process alive until then. Gives back what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  timeMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
