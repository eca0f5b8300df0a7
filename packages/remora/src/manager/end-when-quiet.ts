/** The end of a guest that may still do something. */

import { timerMsMax } from "../base/index.ts";

/**
 * Lets a guest come to its end: what goes on behind the results of its calls, such as a stream that the host reads, has as
 * much time as a call.
 *
 * @param end Called once, at once where nothing goes on.
 */
export function endWhenQuiet(
  guest: { readonly isPoisoned: boolean; onceQuiet(act: () => void): boolean },
  deadlineMs: number,
  end: () => void,
): void {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const over = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    end();
  };
  if (guest.isPoisoned || !guest.onceQuiet(over)) over();
  else if (deadlineMs <= timerMsMax) timer = setTimeout(over, deadlineMs);
}
