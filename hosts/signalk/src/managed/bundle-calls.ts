/** Calls into the guest of a bundle, whichever version serves: through the manager, which counts them and learns how they end. */

import type { Answer, GuestText } from "remora/abi";
import type { ManagedPlugin } from "remora/manager";
import type { Clock } from "../clock.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import type { GuestClock } from "../plugin/guest-clock.ts";
import { type BoundGuest, callGuest, giveDelta } from "./bound-guest.ts";

export interface BundleCallsOptions {
  readonly clock: Clock;
  /** As guests' deadlines are of. */
  readonly guestClock: GuestClock;
}

export class BundleCalls {
  readonly #managed: ManagedPlugin<BoundGuest>;
  readonly #options: BundleCallsOptions;

  constructor(managed: ManagedPlugin<BoundGuest>, options: BundleCallsOptions) {
    this.#managed = managed;
    this.#options = options;
  }

  call<Result>(use: (guest: SignalkGuest) => Answer<Result>): Answer<Result> {
    const managed = this.#managed;
    const call = { use, clock: this.#options.clock };
    if (managed.serving?.inline === undefined) return managed.useAsync(callGuest<Result>, call);
    const answer = managed.use(callGuest<Result>, call);
    // The manager keeps the guest from others while it waits, and learns how that ends.
    return answer instanceof Promise ? managed.useAsync(() => answer, undefined) : answer;
  }

  giveDelta(delta: GuestText, nowMs: number): Answer<unknown> {
    const managed = this.#managed;
    const { clock, guestClock } = this.#options;
    if (managed.serving?.inline === undefined) {
      // It arrives later, when a text that was lent is another's.
      const json = String(delta);
      return this.call((guest) => guest.takeDelta?.(json));
    }
    const answer = managed.use(giveDelta, { delta, startedMs: guestClock(nowMs), clock });
    return answer instanceof Promise ? managed.useAsync(() => answer, undefined) : answer;
  }
}
