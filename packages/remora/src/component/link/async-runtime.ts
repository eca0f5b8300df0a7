/**
 * The part of an instance that knows of tasks: only there when a guest may wait, so that all others pay nothing for
 * it. It makes the functions that cross the boundary in the place of the direct ones.
 */

import { isRemoraError } from "../../base/index.ts";
import type { AddressType } from "../abi/address.ts";
import type { HostCallable } from "../abi/call-guest.ts";
import { type OutgoingCall, resultLowerer, resultWriter } from "../abi/call-host.ts";
import type { ComponentState, Context } from "../abi/context.ts";
import { isLarge, isLargeType, type Signature } from "../abi/signature.ts";
import { trap } from "../abi/trap.ts";
import { InstanceAsyncValues } from "../async/async-values.ts";
import type { FunctionTable } from "../async/builtin.ts";
import { builtinOf } from "../async/builtins.ts";
import { Elements } from "../async/element.ts";
import { frozenHostCall } from "../async/frozen-host.ts";
import { hostCallee } from "../async/host-callee.ts";
import { immediateCall, promisedCall } from "../async/host-exports.ts";
import { InstanceTasks } from "../async/instance-tasks.ts";
import { after, type Later } from "../async/later.ts";
import { LiftedFunction, type LiftOptions } from "../async/lifted-function.ts";
import { asyncLowered, type Callee, loweredFunction, loweredSignature } from "../async/lowered-function.ts";
import { Scheduler } from "../async/scheduler.ts";
import type { CoreEngine, CoreFunction, CoreSignature, Flat } from "../core.ts";
import { componentErrors } from "../errors.ts";
import type { BuiltinPlan } from "./plan.ts";
import type { SideCodecs } from "./prepared.ts";

/** What one side of a call is, without the parts that are the same for all. */
export type Lifting = Omit<LiftOptions, "scheduler" | "tasks">;

export interface AsyncLimits {
  /** Calls under way and threads, in all component instances together. */
  readonly tasksMax: number;
  /** Streams and futures that the guest gave and the host still has. */
  readonly hostEndsMax: number;
}

export interface AsyncRuntimeOptions {
  readonly engine: CoreEngine;
  /** By the address type of a guest's memory. */
  readonly codecs: Readonly<Record<AddressType, SideCodecs>>;
  readonly limits: AsyncLimits;
  /** Whether functions of synchronous type give promises as well. */
  readonly isPromised: boolean;
}

export class AsyncRuntime {
  readonly scheduler: Scheduler;
  readonly values: InstanceAsyncValues;
  readonly #options: AsyncRuntimeOptions;
  readonly #elements: Readonly<Record<AddressType, Elements>>;
  readonly #tasks = new Map<ComponentState, InstanceTasks>();

  constructor(options: AsyncRuntimeOptions) {
    const { engine, codecs, limits } = options;
    this.#options = options;
    this.scheduler = new Scheduler(engine, limits.tasksMax);
    this.#elements = { i32: new Elements(codecs.i32), i64: new Elements(codecs.i64) };
    this.values = new InstanceAsyncValues(this.scheduler, this.#elements.i32, limits.hostEndsMax);
  }

  get isPromised(): boolean {
    return this.#options.isPromised;
  }

  /** The function that the host calls. */
  exported(lifting: Lifting): HostCallable {
    const { scheduler } = this;
    const lifted = this.#lifted(lifting);
    return this.isPromised || lifting.signature.type.isAsync
      ? promisedCall(lifted, scheduler)
      : immediateCall(lifted, scheduler);
  }

  #lifted(lifting: Lifting): LiftedFunction {
    return new LiftedFunction({
      ...lifting,
      scheduler: this.scheduler,
      tasks: this.#tasksOf(lifting.cx.state),
    });
  }

  #tasksOf(state: ComponentState): InstanceTasks {
    let tasks = this.#tasks.get(state);
    if (tasks === undefined) {
      tasks = new InstanceTasks(state);
      this.#tasks.set(state, tasks);
    }
    return tasks;
  }

  /**
   * The core function by which a guest calls another one.
   *
   * @param lifting Made at the first call: the callee's own core instance may come after its function is passed on.
   */
  loweredGuest(cx: Context, signature: Signature, isAsync: boolean, lifting: () => Lifting): CoreFunction {
    let lifted: LiftedFunction | undefined;
    const callee: Callee = {
      start: (caller) => {
        lifted ??= this.#lifted(lifting());
        return after(lifted.start(caller, true), (task) => () => task.requestCancellation(this.scheduler));
      },
    };
    const seen = isAsync ? asyncLowered(signature) : signature;
    return this.#lowered(cx, seen, isAsync, callee, resultWriter(seen));
  }

  /** The core function by which a guest calls the host. */
  loweredHost(call: OutgoingCall, isAsync: boolean, takeLoans: () => () => void): CoreFunction {
    const { signature, cx } = call;
    if (!signature.type.isAsync) {
      const body = looking(frozenHostCall(call, takeLoans), cx, isLarge(signature));
      return this.imported(cx.state, body, loweredSignature(signature, false), call.name);
    }
    const seen = isAsync ? asyncLowered(signature) : signature;
    const callee = hostCallee(call, this.scheduler, takeLoans);
    return this.#lowered(
      call.cx,
      seen,
      isAsync,
      callee,
      resultLowerer({ ...call, signature: seen }),
      call.name,
    );
  }

  #lowered(
    cx: Context,
    signature: Signature,
    isAsync: boolean,
    callee: Callee,
    write: (cx: Context, value: unknown, flat: readonly Flat[]) => Flat | undefined,
    name = "another guest",
  ): CoreFunction {
    const { scheduler } = this;
    const lowered = loweredFunction({ scheduler, cx, signature, isAsync, callee, write });
    const body = looking(lowered, cx, isLarge(signature));
    return this.imported(cx.state, body, loweredSignature(signature, isAsync), name);
  }

  builtin(
    plan: BuiltinPlan,
    state: ComponentState,
    { cx, address }: { readonly cx: Context; readonly address: AddressType },
    table: FunctionTable | undefined,
  ): CoreFunction {
    const { body, waits } = builtinOf({
      ...plan,
      scheduler: this.scheduler,
      tasks: this.#tasksOf(state),
      codecs: this.#options.codecs[address],
      elements: this.#elements[address],
      cx,
      address,
      table,
    });
    // A core module that imports it was checked to give it core values of its types.
    const given = body as Body;
    return this.imported(state, looking(given, cx, isLargeType(plan.type, address)), waits, plan.name);
  }

  /** Runs the destructor of a guest's resource as a call into its instance. */
  destructor(lifting: Lifting): (rep: unknown) => Later<unknown> {
    const lifted = this.#lifted(lifting);
    return (rep) => lifted.start({ start: () => [rep], resolve: () => {} }, true);
  }

  /**
   * What a guest imports.
   *
   * @param waits Its signature, where it may give a promise.
   */
  imported(
    state: ComponentState,
    body: (...flat: Flat[]) => Later<Flat | undefined>,
    waits: CoreSignature | undefined,
    name: string,
  ): CoreFunction {
    const { scheduler } = this;
    const { engine, waiting } = scheduler;
    const guarded: CoreFunction = (...flat: Flat[]) => {
      try {
        if (!state.mayLeave) trap("a call out of a component instance that may not leave");
        const caller = scheduler.current;
        const given = body(...flat);
        if (given instanceof Promise && caller?.hasOwnStack !== true)
          throw componentErrors["cannot-wait"]({ name });
        return given;
      } catch (error) {
        return abort(engine, error);
      }
    };
    return waits === undefined || waiting === undefined ? guarded : waiting.importOf(guarded, waits);
  }
}

type Body = (...flat: Flat[]) => Later<Flat | undefined>;

/** The same, with a look at the clock when it has handed over much. */
function looking(body: Body, cx: Context, large: boolean): Body {
  return (...flat) => {
    const given = body(...flat);
    cx.lookAtClock(large);
    return given;
  };
}

function abort(engine: CoreEngine, error: unknown): never {
  // What is not ours came out of guest code that ran on the way: the engine knows its own traps.
  if (isRemoraError(error)) return engine.abort(error);
  throw error;
}
