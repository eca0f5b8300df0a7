/** Calls into a plugin's guests: each is booked, may wait for the network only so long, and is told when it fails. */

import type { Answer, GuestText } from "remora/abi";
import type { Clock } from "../clock.ts";
import type { Session } from "../guest/session.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import { Account, type Use } from "./account.ts";

/** A call that waits for longer than this is given up, and its guest with it. */
export const waitMsMax = 120_000;

export class GuestCalls {
  readonly account = new Account();
  readonly #clock: Clock;
  readonly #onFailure: (session: Session, error: unknown) => void;

  /** @param onFailure Told before whoever called is. */
  constructor(clock: Clock, onFailure: (session: Session, error: unknown) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  call<Result>(session: Session, use: (guest: SignalkGuest) => Answer<Result>): Answer<Result> {
    return this.#give(session, use, undefined);
  }

  giveDelta(session: Session, delta: GuestText, startedMs: number | undefined): Answer<unknown> {
    return this.#give(session, takeDelta, delta, startedMs);
  }

  /**
   * @param given     Handed on to `use`, as `startedMs` is: what is called for every delta makes neither a closure nor an object.
   * @param startedMs What the guest's clock says now, where that is known.
   */
  #give<Given, Result>(
    session: Session,
    use: Use<Given, Answer<Result>>,
    given: Given,
    startedMs?: number,
  ): Answer<Result> {
    session.beginCall();
    if (session.guest.isRemote) return this.#giveRemote(session, use, given);
    try {
      const answer = this.account.book(session.guest, use, given, startedMs);
      if (!(answer instanceof Promise)) return answer;
      return this.#wait(session, answer);
    } catch (error) {
      this.#onFailure(session, error);
      throw error;
    }
  }

  async #giveRemote<Given, Result>(
    session: Session,
    use: Use<Given, Answer<Result>>,
    given: Given,
  ): Promise<Result> {
    const { guest } = session;
    const startedMs = performance.now();
    try {
      return await this.#wait(session, Promise.resolve(use(guest, given, undefined)));
    } finally {
      this.account.bookRemote(guest, performance.now() - startedMs);
    }
  }

  async #wait<Result>(session: Session, answer: Promise<Result>): Promise<Result> {
    try {
      return await waitFor(session.guest, answer, this.#clock);
    } catch (error) {
      this.#onFailure(session, error);
      throw error;
    }
  }
}

function takeDelta(
  guest: SignalkGuest,
  delta: GuestText,
  startedMs: number | undefined,
): Answer<number | undefined> {
  return guest.takeDelta?.(delta, startedMs);
}

/** Waits for what a guest waits for, and not for ever. @throws engine/closed it was given up */
export async function waitFor<Result>(
  guest: SignalkGuest,
  answer: Promise<Result>,
  clock: Clock,
): Promise<Result> {
  const cancel = clock.after(waitMsMax, () => guest.close());
  try {
    return await answer;
  } finally {
    cancel();
  }
}
