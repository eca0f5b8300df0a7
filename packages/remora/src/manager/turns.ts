/** Whose turn it is, where one goes after the other: first come, first served, and whoever wants to may leave the line. */

import { type CancelSignal, componentErrors } from "../component/index.ts";

export class Turns {
  /** In order; what begins the turn of each. */
  readonly #line = new Set<() => void>();
  #isTaken = false;

  /** Those that have a turn, and those that stand in line. */
  get size(): number {
    return this.#line.size + (this.#isTaken ? 1 : 0);
  }

  /**
   * Does something when all that came before is done.
   *
   * @param signal Leaves the line when it is aborted; what has begun is not its business.
   * @throws component/cancelled the signal was aborted before its turn
   */
  async take<Result>(act: () => Promise<Result>, signal?: CancelSignal): Promise<Result> {
    if (signal?.aborted === true) throw cancelledBy(signal);
    if (this.#isTaken) await this.#stand(signal);
    this.#isTaken = true;
    try {
      return await act();
    } finally {
      this.#next();
    }
  }

  #stand(signal: CancelSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#line.delete(begin);
        signal?.removeEventListener("abort", leave);
        reject(cancelledBy(signal as CancelSignal)); // It listens to one.
      };
      this.#line.add(begin);
      signal?.addEventListener("abort", leave);
    });
  }

  #next(): void {
    const [begin] = this.#line;
    if (begin === undefined) {
      this.#isTaken = false;
      return;
    }
    this.#line.delete(begin);
    begin();
  }
}

function cancelledBy({ reason }: CancelSignal) {
  return componentErrors.cancelled({ afterMs: undefined }, reason);
}
