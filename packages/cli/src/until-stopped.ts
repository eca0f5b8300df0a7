/** A signal that comes when the operator stops the command, or its time is over. */

import type { System } from "./system.ts";

/** Watched files and the library's timers let a process end that waits for nothing else: a timer of the command holds it. */
const HOLD_MS = 3_600_000;

/** Acts until then, holds the process meanwhile, and lets go of timers and signals however it ends. */
export async function untilStopped<Result>(
  system: System,
  forMs: number | undefined,
  act: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  const undo = [system.onStop(() => stop.abort()), system.every(HOLD_MS, () => {})];
  if (forMs !== undefined) undo.push(system.every(forMs, () => stop.abort()));
  try {
    return await act(stop.signal);
  } finally {
    for (const each of undo) each();
  }
}
