/** Asks a plugin once a second, for as long as it runs. A busy one is asked again when it is done: polls do not pile up. */

import type { Clock } from "../clock.ts";

const pollMs = 1_000;

/** @returns what ends it */
export function startPolling(clock: Clock, poll: () => Promise<unknown>): () => void {
  let cancel: (() => void) | undefined;
  let isOver = false;
  const next = () => {
    if (!isOver) cancel = clock.after(pollMs, ask);
  };
  // A poll that fails was dealt with where the guest was called.
  const ask = () => void poll().then(next, next);
  next();
  return () => {
    isOver = true;
    cancel?.();
  };
}
