/** Whose turn it is, where one goes after the other: first come, first served, and whoever wants to may leave the line. */

import { type CancelSignal, componentErrors } from "../component/index.ts";

interface Standing {
  /** Begins its turn. */
  readonly begin: () => void;
  /** Undefined for one that keeps its place whatever happens. */
  readonly turnAway: ((error: unknown) => void) | undefined;
}

export interface TurnOptions {
  /** Leaves the line when it is aborted; what has begun is not its business. */
  readonly signal?: CancelSignal | undefined;
  /** Whether `turnAway` is for it too. */
  readonly isTurnedAway?: boolean;
}

export class Turns {
  readonly #line = new Set<Standing>();
  #isTaken = false;

  /** Those that have a turn, and those that stand in line. */
  get size(): number {
    return this.#line.size + (this.#isTaken ? 1 : 0);
  }

  /**
   * Does something when all that came before is done.
   *
   * @throws component/cancelled the signal was aborted before its turn
   * @throws what `turnAway` was called with
   */
  async take<Result>(act: () => Promise<Result>, options: TurnOptions = {}): Promise<Result> {
    const { signal } = options;
    if (signal?.aborted === true) throw cancelledBy(signal);
    if (this.#isTaken) await this.#stand(options);
    this.#isTaken = true;
    try {
      return await act();
    } finally {
      this.#next();
    }
  }

  /** Those in line that are turned away have this for an answer, and never begin. */
  turnAway(error: () => unknown): void {
    for (const { turnAway } of [...this.#line]) turnAway?.(error());
  }

  #stand({ signal, isTurnedAway = false }: TurnOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (error: unknown) => {
        this.#line.delete(standing);
        signal?.removeEventListener("abort", abort);
        reject(error);
      };
      const abort = () => leave(cancelledBy(signal as CancelSignal)); // It listens to one.
      const standing: Standing = {
        begin() {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
        turnAway: isTurnedAway ? leave : undefined,
      };
      this.#line.add(standing);
      signal?.addEventListener("abort", abort);
    });
  }

  #next(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#isTaken = false;
      return;
    }
    this.#line.delete(next);
    next.begin();
  }
}

function cancelledBy({ reason }: CancelSignal) {
  return componentErrors.cancelled({ afterMs: undefined }, reason);
}
