/**
 * Streams and futures across the wall, the same on both sides: whoever gives one keeps it here by number, and the other
 * side has an object that asks for the next value when it is wanted. So no side holds more than the value that was
 * asked for.
 */

import type { AsyncType, HostValues } from "../../component/abi/codec-async.ts";
import { trap } from "../../component/abi/trap.ts";
import { forget, forgettable } from "../../component/async/forgettable.ts";
import { endIterator, isAsyncIterable } from "../../component/async/host-source.ts";
import { isThenable } from "../../component/async-host.ts";
import type { ValueType } from "../../component/types.ts";

/** Asks the other side. */
export interface EndsPeer {
  /** The next value, of the type that is given; nothing when there is none. */
  want(number: number, type: ValueType | undefined): Promise<IteratorResult<unknown, undefined>>;
  letGo(number: number): void;
}

export type EndType = Extract<AsyncType, { kind: "stream" | "future" }>;

/** The next value of what was given here, and its type for a packet. */
export interface NextValue {
  readonly type: ValueType | undefined;
  readonly result: IteratorResult<unknown, undefined>;
}

interface Given {
  /** It gives one value. */
  readonly isOnce: boolean;
  /** While a value was asked for and has not come: the end of the waiting for it. */
  leave: (() => void) | undefined;
  readonly type: ValueType | undefined;
  next(): Promise<IteratorResult<unknown, undefined>>;
  letGo(): void;
}

/** Streams and futures that one side has given and not ended. */
const givenMax = 1_024;

export class CrossingEnds implements HostValues {
  readonly #peer: EndsPeer;
  readonly #given = new Map<number, Given>();
  #last = 0;
  /** Streams and futures of the other side that this one has, and has not seen the end of. */
  #taken = 0;
  #onQuiet: (() => void) | undefined;

  constructor(peer: EndsPeer) {
    this.#peer = peer;
  }

  accepts(value: unknown, type: EndType): boolean {
    if (type.kind === "future") return isThenable(value);
    return isAsyncIterable(value);
  }

  fromHost(value: unknown, type: EndType): number {
    if (this.#given.size >= givenMax) trap(`more than ${givenMax} streams and futures beyond a wall`);
    const number = ++this.#last;
    this.#given.set(
      number,
      type.kind === "future"
        ? givenFuture(value as PromiseLike<unknown>, type) // Accepted before.
        : givenStream(value as AsyncIterable<unknown>, type), // As above.
    );
    return number;
  }

  toHost(number: unknown, type: EndType): unknown {
    const token = number as number; // As the codec of packets reads it.
    const isOver = this.#take();
    if (type.kind === "stream")
      return new RemoteStream(this.#peer, { token, type: packetType(type), isOver });
    const promise = this.#peer.want(token, packetType(type)).then(({ value }) => value);
    // Whoever does not wait for it is told of the failure by the call itself.
    promise.then(isOver, isOver);
    return forgettable(promise, () => {
      this.#peer.letGo(token);
      isOver();
      return true;
    });
  }

  /** @returns To be called when it is over, as often as that is seen. */
  #take(): () => void {
    this.#taken++;
    let isTaken = true;
    return () => {
      if (isTaken) this.#taken--;
      isTaken = false;
      if (this.#taken === 0) this.#quiet();
    };
  }

  #quiet(): void {
    const act = this.#onQuiet;
    this.#onQuiet = undefined;
    act?.();
  }

  /** Calls back, once, when all that was taken is over. @returns False when that is so now. */
  onceQuiet(act: () => void): boolean {
    if (this.#taken === 0) return false;
    this.#onQuiet = act;
    return true;
  }

  /**
   * The other side wants the next value. Undefined when nothing was given under this number, or it has ended; or when the
   * last one has not come yet: an object of this side's asks for one at a time, and whoever else asks would fill the queue.
   */
  async next(number: number): Promise<NextValue | undefined> {
    const given = this.#given.get(number);
    if (given === undefined || given.leave !== undefined) return undefined;
    const left = Promise.withResolvers<IteratorReturnResult<undefined>>();
    given.leave = () => left.resolve({ done: true, value: undefined });
    let isOver = true;
    try {
      const result = await Promise.race([given.next(), left.promise]);
      isOver = result.done === true || given.isOnce;
      return { type: given.type, result };
    } finally {
      given.leave = undefined;
      // Also when it failed: nothing comes after that.
      if (isOver) this.#given.delete(number);
    }
  }

  /** The other side wants no more of it. Whoever waits there for a value is told that there is none: it may never come. */
  letGo(number: number): void {
    const given = this.#given.get(number);
    this.#given.delete(number);
    given?.letGo();
    given?.leave?.();
  }

  close(): void {
    for (const number of [...this.#given.keys()]) this.letGo(number);
    this.#quiet();
  }
}

/** Bytes travel in chunks, anything else value by value. */
function packetType({ kind, element }: EndType): ValueType | undefined {
  return kind === "stream" && element?.kind === "u8" ? { kind: "list", element, length: undefined } : element;
}

function givenFuture(promise: PromiseLike<unknown>, type: EndType): Given {
  // Not now: nothing of the host's runs while a packet is written.
  const settled = Promise.resolve().then(() => promise);
  // It may be rejected before the other side asks.
  settled.catch(() => {});
  return {
    isOnce: true,
    leave: undefined,
    type: packetType(type),
    next: async () => ({ done: false, value: await settled }),
    letGo: () => void forget(promise),
  };
}

function givenStream(iterable: AsyncIterable<unknown>, type: EndType): Given {
  let iterator: AsyncIterator<unknown> | undefined;
  const begun = () => {
    iterator ??= iterable[Symbol.asyncIterator]();
    return iterator;
  };
  return {
    isOnce: false,
    leave: undefined,
    type: packetType(type),
    async next() {
      const { done, value } = await begun().next();
      return done === true ? { done, value: undefined } : { done: false, value };
    },
    letGo() {
      try {
        void endIterator(begun());
      } catch {
        // It could not even begin.
      }
    },
  };
}

/** A stream of the other side's: `for await (const value of stream)`. Leaving the loop lets go of it. */
class RemoteStream implements AsyncIterableIterator<unknown, undefined> {
  readonly #peer: EndsPeer;
  readonly #number: number;
  readonly #type: ValueType | undefined;
  readonly #end: () => void;
  #isOver = false;
  #isReading = false;

  constructor(
    peer: EndsPeer,
    {
      token,
      type,
      isOver,
    }: { readonly token: number; readonly type: ValueType | undefined; readonly isOver: () => void },
  ) {
    this.#peer = peer;
    this.#number = token;
    this.#type = type;
    this.#end = isOver;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#isOver) return { done: true, value: undefined };
    if (this.#isReading) throw new TypeError("A stream is read from by one reader at a time");
    this.#isReading = true;
    try {
      const result = await this.#peer.want(this.#number, this.#type);
      if (result.done === true) this.#over();
      return result;
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#isReading = false;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#isOver) this.#peer.letGo(this.#number);
    this.#over();
    return { done: true, value: undefined };
  }

  #over(): void {
    this.#isOver = true;
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
