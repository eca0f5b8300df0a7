/** What becomes of a call behind a wall when its signal is aborted: it leaves its line, or is asked to end, or is ended. */

import type { RemoraError } from "../../base/index.ts";
import { type CancelSignal, componentErrors } from "../../component/index.ts";

export interface CancelSteps {
  /** Takes the call back; false when it has begun. */
  readonly leave: () => boolean;
  /** It never began. */
  readonly left: (error: RemoraError) => void;
  readonly ask: () => void;
  /** Milliseconds from then on in which the guest may end it. */
  readonly graceMs: number;
  /** It has not. */
  readonly end: (error: RemoraError) => void;
}

export class Cancellation {
  readonly #signal: CancelSignal;
  readonly #steps: CancelSteps;
  #timer: NodeJS.Timeout | undefined;

  /** To be made when the call is submitted, of a signal that is not aborted yet. */
  constructor(signal: CancelSignal, steps: CancelSteps) {
    this.#signal = signal;
    this.#steps = steps;
    signal.addEventListener("abort", this.#abort);
  }

  /** The call is over, however: nothing is left of this. */
  over(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => {
    const { leave, left, ask, graceMs, end } = this.#steps;
    if (leave()) {
      left(cancelledBy(this.#signal));
      return;
    }
    ask();
    this.#timer ??= setTimeout(() => end(cancelledBy(this.#signal, graceMs)), graceMs);
  };
}

/** @param afterMs What the guest was given in vain; its instance is gone. */
export function cancelledBy({ reason }: CancelSignal, afterMs?: number): RemoraError {
  return componentErrors.cancelled({ afterMs }, reason);
}
