/** A signal that comes when the operator stops the command, or its time is over. */

import type { System } from "./system.ts";

/** Acts until then, and lets go of timers and signals however it ends. */
export async function untilStopped<Result>(
  system: System,
  forMs: number | undefined,
  act: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  const undo = [system.onStop(() => stop.abort())];
  if (forMs !== undefined) undo.push(system.every(forMs, () => stop.abort()));
  try {
    return await act(stop.signal);
  } finally {
    for (const each of undo) each();
  }
}
