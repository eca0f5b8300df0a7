/** Functions that the host calls, of guests that may wait. */

import { type HostCallable, refuse } from "../abi/call-guest.ts";
import type { Signature } from "../abi/signature.ts";
import { ComponentError } from "../component-error.ts";
import { componentErrors } from "../errors.ts";
import { type CancelSignal, untilAborted, withAbort } from "./abortable.ts";
import { after, type Later } from "./later.ts";
import type { LiftedFunction } from "./lifted-function.ts";
import type { HostCall, Scheduler } from "./scheduler.ts";
import { type Caller, cancelled } from "./task.ts";

/** Gives a promise. Whatever goes wrong rejects it, and nothing is thrown. */
export function promisedCall(lifted: LiftedFunction, scheduler: Scheduler): HostCallable {
  const call: HostCallable = async (...args) => {
    check(lifted, args);
    return outcomeOf(lifted.signature, await scheduler.call((running) => begin(running, args)));
  };
  const begin = (running: HostCall, args: readonly unknown[]) => {
    try {
      // Looked at again: they may have changed while the call stood in line.
      check(lifted, args);
    } catch (error) {
      scheduler.cancelCall(running, error);
      return undefined;
    }
    return after(lifted.start(new HostCaller(running, lifted, args), true), (task) => {
      running.requestCancellation = () => task.requestCancellation(scheduler);
    });
  };
  return withAbort(call, async (args, signal) => {
    check(lifted, args);
    const value = await abortableCall(scheduler, (running) => begin(running, args), signal);
    if (value === cancelled) throw componentErrors.cancelled({ afterMs: undefined }, signal.reason);
    return outcomeOf(lifted.signature, value);
  });
}

function abortableCall(
  scheduler: Scheduler,
  begin: (running: HostCall) => Later<void>,
  signal: CancelSignal,
): Promise<unknown> {
  let running: HostCall | undefined;
  const call = () =>
    scheduler.call(begin, (made) => {
      running = made;
    });
  return untilAborted(signal, call, () => {
    if (running !== undefined) scheduler.withdraw(running, signal.reason);
  });
}

class HostCaller implements Caller {
  readonly #call: HostCall;
  readonly #lifted: LiftedFunction;
  readonly #args: readonly unknown[];

  constructor(call: HostCall, lifted: LiftedFunction, args: readonly unknown[]) {
    this.#call = call;
    this.#lifted = lifted;
    this.#args = args;
  }

  start(): readonly unknown[] {
    check(this.#lifted, this.#args);
    return this.#args;
  }

  resolve(value: unknown): void {
    this.#call.outcome = value;
  }
}

/** Gives the result at once: a guest that has to wait for it fails. */
export function immediateCall(lifted: LiftedFunction, scheduler: Scheduler): HostCallable {
  const { signature } = lifted;
  const { engine } = lifted.cx;
  return (...args) => {
    check(lifted, args);
    engine.enter();
    let value: unknown;
    const caller: Caller = {
      start: () => args,
      resolve(result) {
        value = result;
      },
    };
    try {
      const later = scheduler.atOnce(() => lifted.start(caller, false));
      if (later instanceof Promise) throw componentErrors["cannot-wait"]({ name: "another thread" });
    } catch (error) {
      throw scheduler.fail(error);
    }
    engine.leave();
    scheduler.kick();
    return outcomeOf(signature, value);
  };
}

function check(lifted: LiftedFunction, args: readonly unknown[]): void {
  if (!lifted.accepts(args)) refuse(lifted, args);
}

/** The error half of a `result` is thrown. */
function outcomeOf({ type }: Signature, value: unknown): unknown {
  if (type.result?.kind !== "result") return value;
  const { tag, val } = value as { readonly tag: "ok" | "err"; readonly val: unknown }; // As its codec lifts it.
  if (tag === "err") throw new ComponentError(val);
  return val;
}
