/** The level `worker`: a pool of threads that many plugins share. */

import type { Artifact } from "../artifact.ts";
import { engineErrors } from "../errors.ts";
import { GuestThread } from "./guest-thread.ts";
import { Isolate } from "./isolate.ts";
import { built, isolateCode } from "./isolate-code.ts";
import type { IsolatedInstance, IsolatedOptions, Isolation } from "./isolation.ts";
import { Watchdog } from "./watchdog.ts";

export interface WorkerOptions {
  /** Threads, each with any number of instances. Default: 2. */
  readonly threadsMax?: number;
  /**
   * Megabytes of JavaScript objects of one thread: values on their way. Guests' memories are not in it: their own limits
   * hold for those. Default: 256.
   */
  readonly heapMbMax?: number;
}

const workerEntry = built(new URL("./guest-side/worker-entry.ts", import.meta.url));

interface Seat {
  readonly ready: Promise<Isolate>;
  isolate: Isolate | undefined;
  /** Instances that wait for it to begin. */
  coming: number;
}

export class WorkerIsolation implements Isolation {
  readonly level = "worker";
  readonly #heapMbMax: number;
  readonly #entry: URL;
  readonly #seats: (Seat | undefined)[];
  readonly #watchdog = new Watchdog();
  #isClosed = false;

  /** @param entry What the threads run; tests have others. */
  constructor(options: WorkerOptions = {}, entry = workerEntry) {
    this.#heapMbMax = options.heapMbMax ?? 256;
    this.#entry = entry;
    this.#seats = new Array(options.threadsMax ?? 2).fill(undefined);
  }

  async instantiate(artifact: Artifact, options: IsolatedOptions): Promise<IsolatedInstance> {
    // Before a thread is chosen: that goes by the instances that each has then.
    await artifact.prepare(options.limits);
    if (this.#isClosed) throw engineErrors.closed({ what: "the pool of threads" });
    const seat = this.#seated(this.#leastTaken());
    seat.coming++;
    try {
      const isolate = await seat.ready;
      // Not awaited: it is counted there from now on.
      return isolate.instantiate(artifact, options);
    } finally {
      seat.coming--;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchdog.close();
    // What never began, and was told of, is not to be closed.
    const begun = await Promise.allSettled(this.#seats.map((seat) => seat?.ready));
    await Promise.all(begun.map((seat) => seat.status === "fulfilled" && seat.value?.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The thread with the fewest instances. */
  #leastTaken(): number {
    const taken = this.#seats.map((seat) => (seat?.isolate?.instances ?? 0) + (seat?.coming ?? 0));
    return taken.indexOf(Math.min(...taken));
  }

  #seated(index: number): Seat {
    let seat = this.#seats[index];
    if (seat === undefined) {
      seat = { ready: this.#start(index), isolate: undefined, coming: 0 };
      this.#seats[index] = seat;
      // Whoever needs the thread awaits it, and is told.
      seat.ready.catch(() => this.#vacate(index));
    }
    return seat;
  }

  async #start(index: number): Promise<Isolate> {
    const code = await isolateCode(this.#entry);
    const threads: GuestThread[] = [];
    const isolate = new Isolate({
      level: "worker",
      as: "compiled",
      connect: (receiver) => {
        const thread = new GuestThread(code, receiver, this.#heapMbMax);
        threads.push(thread);
        return thread;
      },
      onBusy: () => this.#watchdog.wake(),
      onOver: () => this.#replace(index),
    });
    this.#watchdog.watch(isolate.link);
    for (const thread of threads) await thread.ready();
    const seat = this.#seats[index];
    if (seat !== undefined && !isolate.link.isOver) seat.isolate = isolate;
    return isolate;
  }

  #vacate(index: number): void {
    this.#seats[index] = undefined;
  }

  /**
   * A thread that was ended is replaced before it is needed: its plugins will want their instances back. One that never
   * began is not, or it would be for ever.
   */
  #replace(index: number): void {
    const hasBegun = this.#seats[index]?.isolate !== undefined;
    this.#vacate(index);
    if (hasBegun && !this.#isClosed) this.#seated(index);
  }
}
