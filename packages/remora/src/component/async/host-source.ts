/**
 * Streams and futures that the host gives to a guest. The host's source is read from when the guest has taken the last of
 * it, so that neither holds more than one chunk; and no longer once the guest has dropped its end.
 */

import type { RemoraError } from "../../base/index.ts";
import { componentErrors } from "../errors.ts";
import { HostBuffer } from "./buffer.ts";
import { forget } from "./forgettable.ts";
import { hostCopier } from "./host-stream.ts";
import type { HostEnd, Scheduler } from "./scheduler.ts";
import type { CopyResult, SharedFuture, SharedStream } from "./shared-copy.ts";

/** Whether a value of the host's may be a stream. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  if (typeof value !== "object" || value === null || !(Symbol.asyncIterator in value)) return false;
  return typeof value[Symbol.asyncIterator] === "function";
}

/** Nobody wants more of it. What it has to say to that is of no interest. */
export async function endIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It failed to end: nobody waits for it.
  }
}

/** Writes what the host iterates over into a stream, a chunk whenever the guest has taken the one before. */
export function pumpInto(shared: SharedStream, source: AsyncIterable<unknown>, scheduler: Scheduler): void {
  const pump = new Pump(shared, source, scheduler);
  void pump.run();
}

class Pump implements HostEnd {
  readonly #shared: SharedStream;
  readonly #source: AsyncIterable<unknown>;
  readonly #scheduler: Scheduler;
  #iterator: AsyncIterator<unknown> | undefined;
  #isOver = false;

  constructor(shared: SharedStream, source: AsyncIterable<unknown>, scheduler: Scheduler) {
    this.#shared = shared;
    this.#source = source;
    this.#scheduler = scheduler;
    scheduler.hold(this);
    shared.onDropped = () => this.#letGo();
  }

  async run(): Promise<void> {
    // Code of the host's runs when the guest that is being handed the stream has paused.
    await undefined;
    try {
      await this.#pump();
    } catch (error) {
      // The specification has no way to tell a reader why a stream ended: half of one must not pass for all of it.
      this.#whenPaused(() => {
        throw componentErrors["host-failed"]({ name: "stream" }, error);
      });
    }
  }

  async #pump(): Promise<void> {
    while (!this.#isOver) {
      const { done, value } = await this.#begun().next();
      if (done === true) break;
      const values = chunkOf(this.#shared, value);
      if (values.length > 0) await this.#write(values);
    }
    this.#whenPaused(() => {
      this.#isOver = true;
      this.#scheduler.release(this);
      this.#shared.drop();
    });
  }

  #begun(): AsyncIterator<unknown> {
    this.#iterator ??= this.#source[Symbol.asyncIterator]();
    return this.#iterator;
  }

  /** Resolves when the guest has taken all of it, or dropped its end. */
  #write(values: unknown[] | Uint8Array): Promise<CopyResult> {
    const buffer = new HostBuffer(values.length, values);
    return new Promise<CopyResult>((resolve) => {
      const again = (result: CopyResult) => {
        if (result === "completed" && buffer.remain > 0) attempt();
        else resolve(result);
      };
      const attempt = () =>
        this.#whenPaused(() => {
          this.#scheduler.open();
          this.#shared.write(hostCopier(this, buffer, again));
        });
      attempt();
    });
  }

  /** Unless the guest dropped its end before. */
  #whenPaused(job: () => void): void {
    this.#scheduler.whenPaused(() => {
      if (!this.#isOver) job();
    });
  }

  fail(_: RemoraError): void {
    // What it still has to say is lost with the guest.
    this.#letGo();
  }

  #letGo(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#scheduler.release(this);
    try {
      void endIterator(this.#begun());
    } catch {
      // It could not even begin.
    }
  }
}

function chunkOf(shared: SharedStream, value: unknown): unknown[] | Uint8Array {
  const { type } = shared.element;
  if (type?.kind !== "u8") return [value];
  if (value instanceof Uint8Array) return value;
  throw new TypeError("A stream of bytes is given as chunks of Uint8Array");
}

/** Gives a guest the value of a promise of the host's, when it has one. */
export function settleInto(shared: SharedFuture, promise: PromiseLike<unknown>, scheduler: Scheduler): void {
  const end: HostEnd = { fail: () => {} };
  let isWanted = true;
  const letGo = () => {
    isWanted = false;
    scheduler.release(end);
  };
  const whenPaused = (job: () => void) =>
    scheduler.whenPaused(() => {
      if (isWanted) job();
    });
  scheduler.hold(end);
  shared.onDropped = () => {
    letGo();
    forget(promise);
  };
  Promise.resolve(promise).then(
    (value) =>
      whenPaused(() => {
        scheduler.open();
        shared.onDropped = letGo;
        shared.write(hostCopier(end, new HostBuffer(1, [value]), letGo));
      }),
    (error: unknown) =>
      whenPaused(() => {
        throw componentErrors["host-failed"]({ name: "future" }, error);
      }),
  );
}
