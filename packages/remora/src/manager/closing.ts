/**
 * A manager's end. What it has begun comes to its end first, for nothing may change the folder or run a plugin after
 * that; but what waits for somebody else, who may take days to answer, is left.
 */

import { isRemoraError } from "../base/index.ts";
import { managerErrors } from "./errors.ts";

export class Closing {
  readonly #folder: string;
  /** What has begun and has not ended. */
  readonly #doings = new Set<Promise<unknown>>();
  /** How each that waits for somebody else is left. */
  readonly #leave = new Set<(error: Error) => void>();
  #hasBegun = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws manager/closed */
  check(): void {
    if (this.#hasBegun) throw this.#error();
  }

  /**
   * Begins something that ends before the manager does.
   *
   * @throws manager/closed at once: nothing was begun; or later: it was left
   */
  doing<Result>(act: () => Promise<Result>): Promise<Result> {
    this.check();
    const doing = this.#told(act());
    this.#doings.add(doing);
    const end = () => void this.#doings.delete(doing);
    doing.then(end, end);
    return doing;
  }

  /**
   * Waits for a person, a source, a vault: for as long as they take, or until the manager is closed. Whatever they say
   * later changes nothing.
   *
   * @throws manager/closed
   */
  async orLeave<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.check();
    const left = Promise.withResolvers<never>();
    this.#leave.add(left.reject);
    try {
      return await Promise.race([wait(), left.promise]);
    } finally {
      this.#leave.delete(left.reject);
    }
  }

  /** Nothing begins any more. Resolves when all that had begun is over. */
  async begin(): Promise<void> {
    this.#hasBegun = true;
    for (const leave of this.#leave) leave(this.#error());
    await Promise.allSettled(this.#doings);
  }

  /** A step that was left has not failed. */
  async #told<Result>(doing: Promise<Result>): Promise<Result> {
    try {
      return await doing;
    } catch (error) {
      const wasLeft = this.#hasBegun && isRemoraError(error) && isRemoraError(error.cause, "manager/closed");
      throw wasLeft ? error.cause : error;
    }
  }

  #error(): Error {
    return managerErrors.closed({ folder: this.#folder });
  }
}
