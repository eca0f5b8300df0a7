/**
 * Guests that wait, by V8's JavaScript Promise Integration: a call runs on a stack of its own, and an import can put
 * that stack aside until a promise is settled. V8 puts it aside at every call of such an import, and only if no
 * JavaScript is between; so a few instructions of our own stand around both ends. In front of an import they wait only
 * when there is something to wait for. Behind it they trap when the instance died meanwhile: its stack unwinds and is
 * free again, and no instruction of the guest's is executed. At the end of a call they say at once that it returned,
 * which the promise of the call says later.
 *
 * Waiting takes time and no fuel: the deadline is one on the wall clock, and a timer ends a call that waits beyond it. What
 * of it is free (`Limits.waitMsFree`) comes on top.
 */

import { Few, timerMsMax } from "../base/index.ts";
import type { CoreFunction, CoreSignature, CoreWaiting, Flat } from "../component/core.ts";
import { componentErrors } from "../component/errors.ts";
import { isSlowHostFunction } from "../component/slow-host.ts";
import { engineErrors } from "./errors.ts";
import { guarded } from "./host-guard.ts";
import { withCanonicalBits } from "./host-nan.ts";
import type { Meter } from "./meter.ts";
import { waitingEntry, waitingImport } from "./waiting-shims.ts";
import { type WasmGlobal, webAssembly } from "./webassembly.ts";

/** Calls back once after so many milliseconds, unless it is cancelled by what it gave. */
export type Timer = (delayMs: number, callback: () => void) => () => void;

export interface WaitingOptions {
  readonly plugin: string;
  readonly meter: Meter;
  readonly timer: Timer;
  /** Opens an account of what the last call left. */
  readonly goOn: () => void;
  /** Told of each import that is made: it guards itself. */
  readonly adopt: (made: CoreFunction) => void;
  /** Ends the call with what a host function threw. */
  readonly failHost: (error: unknown) => never;
  /** As `failHost`, from outside of the guest: it is stopped when it goes on. */
  readonly condemn: (error: unknown) => void;
}

/** Stacks of all guests that wait: V8 has 1 MB of address space for each, and ends the process when it has none. */
const stacksMax = 1_000;

let stacks = 0;

/** What a guest has to end a call that nobody wants any more; one that only has to notice takes microseconds. */
export const cancelGraceMs = 100;

export class Waiting implements CoreWaiting {
  readonly #options: WaitingOptions;
  /** Stacks that were put aside, each with what makes it unwind. */
  readonly #asleep = new Few<() => void>();
  onDeath = (): void => {};
  #cancelTimer: (() => void) | undefined;
  #cancelGrace: (() => void) | undefined;

  /** Undefined where V8 has no JavaScript Promise Integration: before Node 24. */
  static of(options: WaitingOptions): Waiting | undefined {
    return webAssembly.promising === undefined || webAssembly.Suspending === undefined
      ? undefined
      : new Waiting(options);
  }

  private constructor(options: WaitingOptions) {
    this.#options = options;
  }

  importOf(body: CoreFunction, signature: CoreSignature): CoreFunction {
    const { meter, failHost, adopt } = this.#options;
    const isSlow = isSlowHostFunction(body);
    const none: Flat = signature.results[0] === "i64" ? 0n : 0;
    let pending: Promise<Flat | undefined> | undefined;
    const now: CoreFunction = (...args) => {
      const given: unknown = body(...args);
      if (!(given instanceof Promise)) return withCanonicalBits(given);
      pending = given;
      shim.mustWait.value = 1;
      return none;
    };
    const shim = waitingImport(signature, {
      now: guarded(meter, now, { parameters: signature.params.length, isSlow }, failHost),
      wait: () => this.#sleep(pending, none, shim.isDead),
    });
    adopt(shim.call);
    return shim.call;
  }

  entryOf(core: CoreFunction, signature: CoreSignature, onReturn: (result: Flat | undefined) => void) {
    const run = waitingEntry(signature, core, (result) => {
      stacks--;
      onReturn(result);
    });
    return async (...args: Flat[]): Promise<void> => {
      if (stacks >= stacksMax) throw engineErrors["too-many-waiting"]({ stacksMax });
      stacks++;
      try {
        await run(...args);
      } catch (error) {
        stacks--;
        throw error;
      }
    };
  }

  /** The guest waits, and the deadline goes on unless that is free. */
  async #sleep(pending: Promise<Flat | undefined> | undefined, none: Flat, isDead: WasmGlobal) {
    const { meter, condemn } = this.#options;
    this.rest();
    const woken = new Promise<Flat | undefined>((resolve) => {
      const unwind = () => {
        isDead.value = 1;
        resolve(none);
      };
      // The host function that gave the promise may have closed the instance.
      if (meter.dead !== undefined) return unwind();
      this.#asleep.add(unwind);
      const wake = (value: Flat | undefined) => {
        if (!this.#asleep.delete(unwind)) return;
        if (meter.dead === undefined) resolve(withCanonicalBits(value));
        else unwind();
      };
      pending?.then(wake, (error) => {
        condemn(error);
        wake(undefined);
      });
    });
    const value = await woken;
    this.resume();
    return value;
  }

  rest(): void {
    this.wait();
    this.#options.meter.rest();
  }

  wait(): void {
    const { meter, timer } = this.#options;
    meter.startClock();
    if (this.#cancelTimer !== undefined || meter.waitMsLeft === Infinity) return;
    const ring = () => {
      // Timers come early by a fraction of a millisecond.
      if (meter.waitMsLeft > 0) {
        this.#cancelTimer = timer(Math.max(meter.waitMsLeft, 1), ring);
        return;
      }
      this.#cancelTimer = undefined;
      meter.kill("deadline");
      this.die();
    };
    this.#cancelTimer = timer(meter.waitMsLeft, ring);
  }

  resume(): void {
    const { meter } = this.#options;
    meter.wake();
    meter.lookAtClock();
  }

  hurry(reason: unknown, graceMs = cancelGraceMs): void {
    const { timer, condemn } = this.#options;
    this.#cancelGrace ??= timer(graceMs, () => {
      condemn(componentErrors.cancelled({ afterMs: graceMs }, reason));
      this.die();
    });
  }

  settle(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
  }

  swapStack(left: number | undefined): number {
    return this.#options.meter.stack.swap(left);
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  goOn(): void {
    this.#options.goOn();
  }

  /** As `unwind`, and tells whoever waits without a stack. */
  die(): void {
    this.unwind();
    this.onDeath();
  }

  /** The instance is dead: every stack that waits is let go of. */
  unwind(): void {
    this.settle();
    for (const unwind of this.#asleep.takeAll()) unwind();
  }
}

export const nodeTimer: Timer = (delayMs, callback) => {
  const timer = setTimeout(callback, Math.min(delayMs, timerMsMax));
  return () => clearTimeout(timer);
};
