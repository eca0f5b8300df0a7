/** A folder that a command of this program holds is soon free: whoever wants it waits, and says so. */

import { setTimeout } from "node:timers/promises";
import { isRemoraError } from "remora/base";

/** What a command that opens a folder itself, and is soon done, calls itself there. */
export const commandName = "the command remora";

const waitMsMax = 15_000;
const lookAgainMs = 100;

export interface Waiting {
  /** Told once, before it is waited. */
  readonly onWait?: (() => void) | undefined;
  /** Ends the waiting: what holds the folder is then the error. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens what takes the folder, again and again while a command holds it.
 *
 * @throws manager/folder-held somebody else holds it, or a command for longer than it is waited for
 */
export async function whenFree<Opened>(
  open: () => Promise<Opened>,
  { onWait, signal }: Waiting,
): Promise<Opened> {
  const untilMs = performance.now() + waitMsMax;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await open();
    } catch (error) {
      if (!isHeldByCommand(error) || performance.now() > untilMs || signal?.aborted) throw error;
      if (isFirst) onWait?.();
      await setTimeout(lookAgainMs);
    }
  }
}

/** Of a host, which has a log to say it in. */
export function waitingWith(log: (line: string) => void, signal: AbortSignal): Waiting {
  return { onWait: () => log("another command holds the folder of these plugins: it is waited for"), signal };
}

/** The one that has just taken the folder may not have said yet who it is. */
function isHeldByCommand(error: unknown): boolean {
  if (!isRemoraError(error, "manager/folder-held")) return false;
  const { holder } = error.details as { readonly holder?: { readonly who: string } }; // as its row in the table has it
  return holder === undefined || holder.who === commandName;
}
