/**
 * One guest's calls, one after another. A call that waits for the network keeps the others waiting, since nothing may
 * enter the guest meanwhile. Requests come before deltas; both are bounded, and no request waits for ever.
 */

import type { Answer, GuestText } from "remora/abi";
import { isRemoraError } from "remora/base";
import type { Clock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import { Mailbox } from "./mailbox.ts";
import type { Pace } from "./pace.ts";

/** Requests that wait for one plugin. */
export const requestsMax = 64;

/** A request waits so many milliseconds for a plugin that is being started, or replaced. */
export const startWaitMsMax = 3_000;
/** The same for one that is in the middle of another call, which may be waiting for the network. */
export const turnWaitMsMax = 30_000;

export interface TurnsOptions {
  readonly plugin: string;
  readonly pace: Pace;
  /** For requests that wait too long. */
  readonly clock: Clock;
  readonly mailbox?: Mailbox;
  /** Gives the guest a delta, at a time of the pace's clock. Whoever calls the guest is told of its failure; here it is over then. */
  readonly deliver: (delta: GuestText, nowMs: number) => Answer<unknown>;
}

interface Request {
  readonly run: () => Answer<unknown>;
  readonly drop: (reason: Error) => void;
  /** Of one that waits: nobody looks at the clock for it any more. */
  stopWaiting?: () => void;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #mailbox: Mailbox;
  #requests: Request[] = [];
  #isBusy = false;
  #isPaused = false;
  #isScheduled = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#mailbox = options.mailbox ?? new Mailbox();
  }

  get lostCount(): number {
    return this.#mailbox.lostCount;
  }

  get waitingCount(): number {
    return this.#requests.length + this.#mailbox.size;
  }

  /**
   * Calls the guest when its turn comes, at once where that is possible.
   *
   * @throws signalk/busy    too many wait
   * @throws signalk/no-turn it waited too long: `startWaitMsMax`, `turnWaitMsMax`
   */
  ask<Result>(use: () => Answer<Result>): Promise<Result> {
    if (this.#requests.length >= requestsMax) {
      const { plugin } = this.#options;
      return Promise.reject(signalkErrors.busy({ plugin, waitingMax: requestsMax }));
    }
    return new Promise((resolve, reject) => {
      const request: Request = { run: () => settle(use, resolve, reject), drop: reject };
      this.#requests.push(request);
      this.#pump();
      if (this.#requests.includes(request)) this.#wait(request);
    });
  }

  /** Takes a delta: delivered at once when the guest is free and this turn of the event loop has time. */
  post(delta: GuestText): void {
    const isFree = !this.#isBusy && !this.#isPaused && this.waitingCount === 0;
    const { pace } = this.#options;
    if (isFree && !pace.isGuestRunning && pace.hasTime()) {
      const done = this.#deliver(delta);
      if (done instanceof Promise) this.#until(done);
      return;
    }
    this.#mailbox.put(String(delta));
    this.#schedule();
  }

  /** Nothing is called until `resume`; what comes meanwhile waits. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#pump();
  }

  /** The guest is gone: nobody waits for it any longer. */
  clear(reason: Error): void {
    this.#isPaused = false;
    this.#mailbox.clear();
    for (const { drop, stopWaiting } of this.#requests.splice(0)) {
      stopWaiting?.();
      drop(reason);
    }
  }

  #wait(request: Request): void {
    const { plugin, clock } = this.#options;
    const waitMs = this.#isPaused ? startWaitMsMax : turnWaitMsMax;
    request.stopWaiting = clock.after(waitMs, () => {
      this.#requests.splice(this.#requests.indexOf(request), 1);
      request.drop(signalkErrors["no-turn"]({ plugin, waitedMs: waitMs }));
    });
  }

  #pump(): void {
    const { pace } = this.#options;
    while (!this.#isBusy && !this.#isPaused && this.waitingCount > 0) {
      if (pace.isGuestRunning || !pace.hasTime()) {
        this.#schedule();
        return;
      }
      const request = this.#requests.shift();
      request?.stopWaiting?.();
      const done = request === undefined ? this.#deliver(this.#mailbox.take() ?? "") : request.run();
      if (done instanceof Promise) this.#until(done);
    }
  }

  /** Its failure has been dealt with where the guest was called. */
  #deliver(delta: GuestText): Answer<unknown> {
    const { pace, deliver } = this.#options;
    try {
      const done = deliver(delta, pace.lookedMs);
      return done instanceof Promise ? done.catch(() => {}) : done;
    } catch (error) {
      if (isRemoraError(error)) return undefined;
      throw error;
    }
  }

  /** @param done Never rejects. */
  #until(done: Promise<unknown>): void {
    this.#isBusy = true;
    done.finally(() => {
      this.#isBusy = false;
      this.#pump();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.pace.later(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }
}

/** Tells the outcome; the promise that it gives never rejects. */
function settle<Result>(
  use: () => Answer<Result>,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): Answer<unknown> {
  try {
    const answer = use();
    if (answer instanceof Promise) return answer.then(resolve, reject);
    resolve(answer);
  } catch (error) {
    reject(error);
  }
  return undefined;
}
