/** Calls of host functions by a guest behind a wall: one at a time, and a promise of one is waited for while its call has time for it. */

import { isRemoraError, type RemoraError, timerMsMax } from "../../base/index.ts";
import { describe, thrownByHost } from "../blame.ts";
import { engineErrors } from "../errors.ts";
import type { Budget } from "../limits.ts";
import { type Face, ForgedMessage } from "./face.ts";
import type { HostFailures } from "./host-failures.ts";
import { answers, kinds, type Message, message } from "./protocol.ts";

export interface HostCallsOptions {
  readonly plugin: string;
  readonly face: Face;
  readonly failures: HostFailures;
  /** Why its instance takes no call any more. */
  readonly refusal: () => RemoraError | undefined;
  /** What came cannot come from code of ours. */
  readonly forged: (error: ForgedMessage) => void;
}

/** Code of ours ends its guest with the first of them; whoever goes on asking would be answered without end. */
const refusedMax = 16;

export class HostCalls {
  readonly #options: HostCallsOptions;
  #count = 0;
  #isInHost = false;
  /** When the call in which the host function runs has no more time. */
  #endsAtMs = 0;
  #refused = 0;
  /** Takes the answer that the guest waits for, of a host function that gave a promise. */
  #waiting: ((answer: Message) => void) | undefined;

  constructor(options: HostCallsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  get isInHost(): boolean {
    return this.#isInHost;
  }

  /** Milliseconds that the guest may go on waiting for the host function that runs; Infinity when none does. */
  get msLeft(): number {
    return this.#isInHost ? Math.max(this.#endsAtMs - performance.now(), 0) : Number.POSITIVE_INFINITY;
  }

  /** Calls the host function that the message asks for, and replies with what it gave or failed with. */
  answer(
    call: Message,
    reply: (answer: Message) => void,
    { waitMsMax, deadlineMs }: Pick<Budget, "deadlineMs"> & { readonly waitMsMax: number },
  ): void {
    const { failures, face, plugin } = this.#options;
    this.#count++;
    let timer: NodeJS.Timeout | undefined;
    let isAnswered = false;
    const finish = (make: () => Message) => {
      // It was given up before: the guest may already wait for something else, whose turn this must not take.
      if (isAnswered) return;
      const answer = make();
      isAnswered = true;
      clearTimeout(timer);
      this.end();
      reply(answer);
    };
    const succeed = (payload: Uint8Array) =>
      finish(() => message(kinds.answer, { item: answers.returned, payload, ...face.takeNext?.() }));
    const fail = (error: unknown) => {
      if (error instanceof ForgedMessage) this.#options.forged(error);
      else finish(() => failures.answer(knownError(error, plugin)));
    };
    const refusal = this.#options.refusal();
    if (refusal !== undefined) {
      fail(this.#refused++ < refusedMax ? refusal : new ForgedMessage("calls of the host by an ended guest"));
      return;
    }
    this.#isInHost = true;
    this.#endsAtMs = performance.now() + waitMsMax;
    try {
      const given = face.hostCall(call);
      if (given instanceof Uint8Array) {
        succeed(given);
        return;
      }
      this.#waiting = (answer) => finish(() => answer);
      timer = atDeadline(waitMsMax, () => fail(engineErrors.deadline({ plugin, deadlineMs })));
      given.then(succeed).catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Tells a guest that waits for a promise that it need not any more. @returns whether one waited */
  giveUp(error: RemoraError): boolean {
    if (this.#waiting === undefined) return false;
    this.#waiting(this.#options.failures.answer(error));
    return true;
  }

  /** The call that it was made in is over, or the host function is. */
  end(): void {
    this.#isInHost = false;
    this.#waiting = undefined;
  }
}

/** What a host function threw, with a code. */
export function knownError(error: unknown, plugin: string): RemoraError {
  return isRemoraError(error)
    ? thrownByHost(error, plugin)
    : engineErrors["host-failure"]({ plugin, reason: describe(error) }, error);
}

function atDeadline(leftMs: number, act: () => void): NodeJS.Timeout | undefined {
  return leftMs < timerMsMax ? setTimeout(act, Math.max(leftMs, 0)) : undefined;
}
