/**
 * A guest of a managed version: made and described, and started when its version serves. What was replaced and comes back,
 * because its successor failed, is started again.
 */

import type { Answer, GuestText } from "remora/abi";
import type { Clock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import type { GuestHost } from "../guest/host.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import { type Description, describe, servedEndpoints } from "../plugin/description.ts";
import type { Endpoint } from "../plugin/endpoints.ts";
import { waitFor } from "../plugin/guest-calls.ts";
import type { BundleSettings } from "./bundle-settings.ts";

export interface BoundGuestOptions {
  readonly host: GuestHost;
  readonly guest: SignalkGuest;
  readonly settings: BundleSettings;
  readonly isDebugged: () => boolean;
}

export class BoundGuest {
  readonly guest: SignalkGuest;
  readonly #options: BoundGuestOptions;
  #description: Description = { name: undefined, schema: {} };
  #endpoints: readonly Endpoint[] = [];
  #state: "new" | "begun" | Promise<void> = "new";
  #stopWaiting: (reason: Error) => void = () => {};

  constructor(options: BoundGuestOptions) {
    this.guest = options.guest;
    this.#options = options;
  }

  /** As it describes itself; nothing before it has begun. */
  get description(): Description {
    return this.#description;
  }

  /** Those that it may serve; none before it has begun. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Whether it wants deltas and may have them. */
  get takesDeltas(): boolean {
    return this.guest.takeDelta !== undefined && this.#options.host.gate.has("data.read");
  }

  /**
   * `plugin_start`, unless it has begun: then at once.
   *
   * @throws signalk/start-refused it says that it cannot
   * @throws signalk/not-running   it was given up
   * @throws signalk/bad-answer engine/…
   */
  begin(): Answer<void> {
    if (this.#state === "begun") return undefined;
    if (this.#state === "new") {
      const { promise: givenUp, reject } = Promise.withResolvers<never>();
      this.#stopWaiting = reject;
      this.#state = Promise.race([this.#start(), givenUp]);
    }
    return this.#state;
  }

  /** Nobody waits any longer for one whose start hangs. */
  giveUp(): void {
    if (!(this.#state instanceof Promise)) return;
    this.guest.close();
    this.#stopWaiting(signalkErrors["not-running"]({ plugin: this.#options.host.plugin, state: "given up" }));
  }

  /** `plugin_stop`; what it registered is gone, whatever that does. */
  async end(): Promise<void> {
    const { guest } = this;
    try {
      // One in the middle of something cannot be told, and must not go on behind the back of what replaces it.
      if (this.#state instanceof Promise) this.giveUp();
      else if (guest.isWaiting) guest.close();
      else if (this.#state === "begun" && !guest.isLost) await guest.stop();
    } finally {
      this.#forget();
    }
  }

  async #start(): Promise<void> {
    const { guest } = this;
    const { host, settings, isDebugged } = this.#options;
    const { plugin, sandbox } = host;
    try {
      this.#description = await describe(plugin, { guest });
      const status = await guest.start(settings.startText(isDebugged()));
      if (status !== 0) throw signalkErrors["start-refused"]({ plugin, status });
      this.#endpoints = await servedEndpoints(plugin, { guest, sandbox });
      this.#state = "begun";
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#state = "new";
    this.#endpoints = [];
    this.#options.host.holdings.close();
  }
}

export interface GuestCall<Result> {
  readonly use: (guest: SignalkGuest) => Answer<Result>;
  /** For guests that wait. */
  readonly clock: Clock;
}

/** One call into the guest that serves then; a fresh one, after a trap, begins first. */
export function callGuest<Result>(bound: BoundGuest, { use, clock }: GuestCall<Result>): Answer<Result> {
  const begun = bound.begin();
  const answer = begun instanceof Promise ? begun.then(() => use(bound.guest)) : use(bound.guest);
  return answer instanceof Promise ? waitFor(bound.guest, answer, clock) : answer;
}

export interface GivenDelta {
  /** May be lent: another's as soon as the call is over. */
  readonly delta: GuestText;
  /** What guests' clock says now. */
  readonly startedMs: number;
  /** For guests that wait. */
  readonly clock: Clock;
}

/** A delta into the guest that serves then, on this thread. */
export function giveDelta(bound: BoundGuest, { delta, startedMs, clock }: GivenDelta): Answer<unknown> {
  const begun = bound.begin();
  if (begun instanceof Promise) {
    const json = String(delta);
    return callGuest(bound, { use: (guest) => guest.takeDelta?.(json), clock });
  }
  const answer = bound.guest.takeDelta?.(delta, startedMs);
  return answer instanceof Promise ? waitFor(bound.guest, answer, clock) : answer;
}

/** Begins, and gives the guest itself. */
export function beginGuest(bound: BoundGuest, clock: Clock): Answer<BoundGuest> {
  const begun = bound.begin();
  return begun instanceof Promise
    ? waitFor(
        bound.guest,
        begun.then(() => bound),
        clock,
      )
    : bound;
}
