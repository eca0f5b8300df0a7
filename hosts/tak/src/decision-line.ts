/**
 * Messages that wait for plugins behind walls. They are decided batch after batch and leave in the order in which they
 * came, whatever becomes of the plugins meanwhile.
 */

import type { CotMessage } from "./cot/message.ts";

export interface Waiting<Origin> {
  readonly message: CotMessage;
  readonly origin: Origin;
}

/** From so many on, whoever can wait is told to. */
export const crowdedAt = 1_024;

/** Datagrams cannot be told to wait: what comes when so many do is lost, so that the host need not hold the stream. */
export const waitingMax = 16_384;

/** Enough that a crossing of the wall costs little a message, few enough that the first does not wait for long. */
const batchMax = 256;

export class DecisionLine<Origin> {
  readonly #decide: (batch: readonly Waiting<Origin>[]) => Promise<void>;
  readonly #waiting: Waiting<Origin>[] = [];
  #running: Promise<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #lost = 0;

  /** @param decide Decides one batch and hands on what passes. Must not reject. */
  constructor(decide: (batch: readonly Waiting<Origin>[]) => Promise<void>) {
    this.#decide = decide;
  }

  /** While it is not, whoever comes has to stand in it, to keep the order. */
  get isEmpty(): boolean {
    return this.#running === undefined;
  }

  get lostCount(): number {
    return this.#lost;
  }

  /** @returns When there is room again, for a line that is crowded. */
  add(message: CotMessage, origin: Origin): Promise<void> | undefined {
    if (this.#waiting.length >= waitingMax) this.#lost++;
    else this.#waiting.push({ message, origin });
    this.#running ??= this.#run();
    if (this.#waiting.length < crowdedAt) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Resolves when all are decided that stand in it now and come until then. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What comes in the same turn of the event loop is decided together.
    await undefined;
    while (this.#waiting.length > 0) {
      await this.#decide(this.#waiting.splice(0, batchMax));
      if (this.#waiting.length < crowdedAt / 2) this.#makeRoom();
    }
    this.#running = undefined;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
