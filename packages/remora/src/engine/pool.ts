/**
 * Instances of one artifact, made when there is none to spare and kept when they come back unharmed. One call
 * leases one instance, so that a plugin that is called while it is being called gets a second instance and
 * never its own half-finished state.
 */

import { engineErrors } from "./errors.ts";

/** What a pool keeps: anything that knows whether it may be used again. */
export interface Poolable {
  /** True after a trap: its memory may be half-written and its stack pointer is lost, so it is never reused. */
  readonly isPoisoned: boolean;
  close(): void;
}

export interface PoolOptions<Item> {
  readonly create: () => Item;
  /**
   * Leased and idle together; `engine/pool-exhausted` beyond it. V8 reserves address space for each linear
   * memory and runs out of it at about 16,000 in a process.
   */
  readonly instancesMax: number;
  /** Kept for the next lease; what comes back beyond it is closed. */
  readonly idleMax: number;
}

export class Pool<Item extends Poolable> {
  readonly #options: PoolOptions<Item>;
  readonly #idle: Item[] = [];
  #leased = 0;
  #created = 0;
  #isClosed = false;

  constructor(options: PoolOptions<Item>) {
    this.#options = options;
  }

  /** How many instances there are and have been. */
  get counts(): { readonly leased: number; readonly idle: number; readonly created: number } {
    return { leased: this.#leased, idle: this.#idle.length, created: this.#created };
  }

  /**
   * Takes an idle instance, or makes one. Every lease ends with `giveBack`.
   *
   * @throws engine/closed         the pool was closed
   * @throws engine/pool-exhausted all `instancesMax` instances are leased
   */
  lease(): Item {
    const item = this.#idle.pop() ?? this.#create();
    this.#leased++;
    return item;
  }

  /** Ends a lease. A poisoned instance is closed and dropped; the next lease makes a fresh one. */
  giveBack(item: Item): void {
    this.#leased--;
    if (item.isPoisoned || this.#isClosed || this.#idle.length >= this.#options.idleMax) item.close();
    else this.#idle.push(item);
  }

  /** Closes the idle instances now and the leased ones when they come back. */
  close(): void {
    this.#isClosed = true;
    for (const item of this.#idle.splice(0)) item.close();
  }

  #create(): Item {
    if (this.#isClosed) throw engineErrors.closed({ what: "The pool" });
    if (this.#leased >= this.#options.instancesMax) {
      throw engineErrors["pool-exhausted"]({ instancesMax: this.#options.instancesMax });
    }
    const item = this.#options.create();
    this.#created++;
    return item;
  }
}
