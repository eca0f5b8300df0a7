/**
 * Streams and futures that a guest gives to the host. Each is an object that is read from when the host asks, so that
 * the guest never makes the host hold more than one chunk.
 */

import type { RemoraError } from "../../base/index.ts";
import { HostBuffer } from "./buffer.ts";
import { forgettable } from "./forgettable.ts";
import type { HostEnd, Scheduler } from "./scheduler.ts";
import type { Copier, CopyResult, SharedFuture, SharedStream } from "./shared-copy.ts";

/** Values that are taken out of a guest at once; bytes are many, and cost as much as one value together. */
const chunkMax = 64;
const chunkBytesMax = 65_536;

/**
 * A stream that a guest gave to the host: `for await (const value of stream)`. Bytes come in chunks as `Uint8Array`, anything
 * else value by value. Leaving the loop lets go of it.
 */
export class GuestStream implements AsyncIterableIterator<unknown>, HostEnd {
  readonly #scheduler: Scheduler;
  #shared: SharedStream | undefined;
  #values: unknown[] = [];
  #reading: { reject(error: RemoraError): void } | undefined;
  #failure: RemoraError | undefined;

  constructor(shared: SharedStream, scheduler: Scheduler) {
    this.#shared = shared;
    this.#scheduler = scheduler;
    scheduler.hold(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#values.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#shared === undefined) return { done: true, value: undefined };
      await this.#read(this.#shared);
      if (this.#values.length === 0) return this.return();
    }
    return { done: false, value: this.#values.shift() };
  }

  /** Lets go of the stream: the guest is told when it next writes. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared !== undefined) {
      this.#scheduler.release(this);
      this.#scheduler.whenPaused(() => shared.drop());
    }
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Gives the stream back as it is: a guest that is handed it again reads from it without the host between. */
  release(scheduler: Scheduler): SharedStream | undefined {
    if (scheduler !== this.#scheduler || this.#values.length > 0 || this.#reading !== undefined)
      return undefined;
    const shared = this.#shared;
    this.#shared = undefined;
    this.#scheduler.release(this);
    return shared;
  }

  fail(error: RemoraError): void {
    this.#failure = error;
    this.#reading?.reject(error);
  }

  #read(shared: SharedStream): Promise<void> {
    if (this.#reading !== undefined) throw new TypeError("A stream is read from by one reader at a time");
    const isBytes = shared.element.type?.kind === "u8";
    const buffer = isBytes
      ? new HostBuffer(chunkBytesMax, new Uint8Array(chunkBytesMax))
      : new HostBuffer(chunkMax, []);
    return new Promise<void>((resolve, reject) => {
      this.#reading = { reject };
      const done = () => {
        this.#reading = undefined;
        const { values, progress } = buffer;
        if (!(values instanceof Uint8Array)) this.#values = values;
        else if (progress > 0) this.#values = [values.slice(0, progress)];
        resolve();
      };
      this.#scheduler.whenPaused(() => {
        this.#scheduler.open();
        shared.read(hostCopier(this, buffer, done));
      });
    });
  }
}

export function hostCopier(owner: object, buffer: HostBuffer, done: (result: CopyResult) => void): Copier {
  return {
    owner,
    buffer,
    progress(reclaim) {
      reclaim();
      done("completed");
    },
    done,
  };
}

/** What a guest's future will be. It rejects when the guest fails before it has a value; the guest is told who lets go of it. */
export function promiseOf(shared: SharedFuture, scheduler: Scheduler): Promise<unknown> {
  const buffer = new HostBuffer(1, []);
  const end: HostEnd = { fail() {} };
  const promise = new Promise<unknown>((resolve, reject) => {
    end.fail = reject;
    scheduler.hold(end);
    const done = () => {
      scheduler.release(end);
      resolve((buffer.values as unknown[])[0]); // It was made with room for one.
    };
    scheduler.whenPaused(() => {
      scheduler.open();
      shared.read(hostCopier(end, buffer, done));
    });
  });
  // Whoever does not wait for it is told of the failure by the call itself.
  promise.catch(() => {});
  return forgettable(promise, () => {
    scheduler.release(end);
    scheduler.whenPaused(() => shared.drop());
    return true;
  });
}
