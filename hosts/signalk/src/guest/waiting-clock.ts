/**
 * The clock of a guest that may wait for the network: it stands still while the guest is put aside, so that a deadline is
 * one on what the guest does. It does so only once the guest has let go of the thread, and goes on with the first look
 * at it: a guest that runs while something else of its own is awaited looks at it with every slice of its fuel.
 */

import { suspendedWaiting, type Waiting } from "remora/sandbox";

export class WaitingClock {
  readonly #clock: () => number;
  #waits = 0;
  #stoppedAtMs: number | undefined;
  #stoodMs = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  readonly now = (): number => {
    const atMs = this.#clock();
    if (this.#stoppedAtMs !== undefined) {
      this.#stoodMs += atMs - this.#stoppedAtMs;
      this.#stoppedAtMs = undefined;
      this.#stopSoon();
    }
    return atMs - this.#stoodMs;
  };

  /** How a guest with this clock waits for what the sandbox has: timers, sockets, responses. */
  readonly waiting: Waiting = {
    suspends: true,
    wait: (...waited) => {
      const over = suspendedWaiting.wait(...waited);
      return over instanceof Promise ? this.whileWaiting(over) : over;
    },
  };

  async whileWaiting<Value>(awaited: Promise<Value>): Promise<Value> {
    this.#waits++;
    this.#stopSoon();
    try {
      return await awaited;
    } finally {
      this.#waits--;
      this.now();
    }
  }

  /** While a guest runs, no microtask does. */
  #stopSoon(): void {
    queueMicrotask(() => {
      if (this.#waits > 0) this.#stoppedAtMs ??= this.#clock();
    });
  }
}
