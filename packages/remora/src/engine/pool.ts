/**
 * Instances of one artifact, made when there is none to spare and kept when they come back unharmed. One call
 * leases one instance, so that a plugin that is called while it is being called gets a second instance and
 * never its own half-finished state.
 */

import { type CancelSignal, untilAborted } from "../component/async/abortable.ts";
import { componentErrors } from "../component/errors.ts";
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
  /** Callers that may stand in line for an instance; `engine/pool-exhausted` beyond it. Default: 1,000. */
  readonly queueMax?: number;
}

interface Queued<Item> {
  readonly resolve: (item: Item) => void;
  readonly reject: (error: unknown) => void;
}

const defaultQueueMax = 1_000;

export class Pool<Item extends Poolable> {
  readonly #options: PoolOptions<Item>;
  readonly #idle: Item[] = [];
  readonly #queue: Queued<Item>[] = [];
  /** Who wants an instance that has been in use, before all others. */
  readonly #wantUsed: Queued<Item>[] = [];
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
    let item = this.#idle.pop();
    // It failed while nobody had it: a guest may go on behind its result.
    for (; item?.isPoisoned === true; item = this.#idle.pop()) item.close();
    item ??= this.#create();
    this.#leased++;
    return item;
  }

  /**
   * As `lease`, and stands in line while all instances are leased: first come, first served. For calls that may wait;
   * a call that gives its result at once never has to.
   *
   * @param signal Leaves the line when it is aborted.
   * @throws engine/closed         the pool was closed, also while standing in line
   * @throws engine/pool-exhausted `queueMax` callers stand in line already
   * @throws component/cancelled   the signal was aborted
   */
  async leaseWhenFree(signal?: CancelSignal): Promise<Item> {
    const { instancesMax, queueMax = defaultQueueMax } = this.#options;
    const isFree = this.#leased < instancesMax || this.#isClosed;
    if (isFree && signal?.aborted !== true) return this.lease();
    if (this.#queue.length >= queueMax) throw engineErrors["pool-exhausted"]({ instancesMax });
    const { promise, resolve, reject } = Promise.withResolvers<Item>();
    const queued = { resolve, reject };
    const stand = () => {
      this.#queue.push(queued);
      return promise;
    };
    return signal === undefined ? stand() : untilAborted(signal, stand, () => this.#leave(queued, signal));
  }

  /**
   * As `lease`, of an instance that has been in use: while there is none but leased ones, the first that comes back, before
   * anybody who stands in line.
   *
   * @throws engine/closed the pool was closed, also while waiting
   */
  leaseUsed(): Item | Promise<Item> {
    if (this.#idle.length > 0 || this.#leased === 0 || this.#isClosed) return this.lease();
    const { promise, resolve, reject } = Promise.withResolvers<Item>();
    this.#wantUsed.push({ resolve, reject });
    return promise;
  }

  /** Whoever stands in line gets `engine/closed`, as from a pool that is closed. This one goes on. */
  turnAway(): void {
    for (const { reject } of this.#queue.splice(0)) reject(engineErrors.closed({ what: "the pool" }));
  }

  /** Whoever was served already keeps what it got. */
  #leave(queued: Queued<Item>, { reason }: CancelSignal): void {
    const at = this.#queue.indexOf(queued);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    queued.reject(componentErrors.cancelled({ afterMs: undefined }, reason));
  }

  /** Ends a lease. A poisoned instance is closed and dropped; the next lease makes a fresh one. */
  giveBack(item: Item): void {
    this.#leased--;
    if (item.isPoisoned || this.#isClosed || this.#idle.length >= this.#options.idleMax) item.close();
    else this.#idle.push(item);
    this.#serve();
  }

  /** Closes the idle instances now and the leased ones when they come back. */
  close(): void {
    this.#isClosed = true;
    for (const item of this.#idle.splice(0)) item.close();
    for (const { reject } of this.#wantUsed.splice(0)) reject(engineErrors.closed({ what: "the pool" }));
    this.turnAway();
  }

  /** One more instance is free: for the first in line. A fresh one that cannot start fails the call that it was for. */
  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        next.resolve(this.lease());
        return;
      } catch (error) {
        next.reject(error);
      }
    }
  }

  #next(): Queued<Item> | undefined {
    return this.#wantUsed.shift() ?? this.#queue.shift();
  }

  #create(): Item {
    if (this.#isClosed) throw engineErrors.closed({ what: "the pool" });
    if (this.#leased >= this.#options.instancesMax) {
      throw engineErrors["pool-exhausted"]({ instancesMax: this.#options.instancesMax });
    }
    const item = this.#options.create();
    this.#created++;
    return item;
  }
}
