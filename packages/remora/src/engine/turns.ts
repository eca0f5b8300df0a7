/** Long work without holding the event loop: whatever else there is to do is done in between. */

import { type Steps, timerMsMax } from "../base/index.ts";

/** Milliseconds of one turn; its last step may add its own. */
const turnMsMax = 4;

/** Does the work in turns of the event loop, from the next one on. */
export async function inTurns<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    await new Promise(setImmediate);
    const untilMs = performance.now() + turnMsMax;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < untilMs);
  }
}

/** For what is done on threads that Node does not know of: the process does not end before it. */
export async function staysAlive<Result>(promise: Promise<Result>): Promise<Result> {
  const timer = setInterval(() => {}, timerMsMax);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
