/** Functions that a guest calls, when they may wait (CanonicalABI.md, "canon lower"). */

import { argumentsLifter } from "../abi/call-host.ts";
import type { Context } from "../abi/context.ts";
import type { Handle } from "../abi/handles.ts";
import { coreSignature, flattenAll, layoutOfFields, offsetsOf } from "../abi/layout.ts";
import type { Signature } from "../abi/signature.ts";
import { trap } from "../abi/trap.ts";
import type { CoreSignature, Flat } from "../core.ts";
import { after, type Later } from "./later.ts";
import type { Scheduler } from "./scheduler.ts";
import { Subtask, subtaskStates } from "./subtask.ts";
import { type Caller, cancelled } from "./task.ts";
import { handleKinds } from "./waitable.ts";

/** Calls that the host has not answered, those among them that the guest cancelled: a promise each, and who waits for it. */
const heldCallsMax = 16_384;

/** What is called: a guest's function or the host's. */
export interface Callee {
  /** Starts a call and lets it run until it pauses; gives what asks it to stop. */
  start(caller: Caller): Later<() => Later<void>>;
}

export interface LowerOptions {
  readonly scheduler: Scheduler;
  readonly cx: Context;
  /** As the guest sees it: `asyncLowered` for the asynchronous ABI. */
  readonly signature: Signature;
  readonly isAsync: boolean;
  readonly callee: Callee;
  /** Lowers a result, as one core value or into the place that the guest gave. */
  readonly write: (cx: Context, value: unknown, flat: readonly Flat[]) => Flat | undefined;
}

/** CanonicalABI.md, MAX_FLAT_ASYNC_PARAMS. */
const flatAsyncParamsMax = 4;

/** By the asynchronous ABI four core values of parameters stay flat, and every result goes through memory. */
export function asyncLowered(signature: Signature): Signature {
  const { address } = signature.codecs;
  const types = signature.type.params.map((param) => param.type);
  const flat = flattenAll(types, address);
  const isFlat = flat !== undefined && flat.length <= flatAsyncParamsMax;
  return {
    ...signature,
    spilled: isFlat ? undefined : { ...layoutOfFields(types, address), offsets: offsetsOf(types, address) },
    flatCount: isFlat ? flat.length : 1,
    isResultInMemory: true,
  };
}

export function asyncCoreSignature(signature: Signature): CoreSignature {
  const { type, spilled, result, codecs } = signature;
  const { address } = codecs;
  const types = type.params.map((param) => param.type);
  const params = spilled === undefined ? flattenAll(types, address) : undefined;
  return {
    params: [...(params ?? [address]), ...(result === undefined ? [] : [address])],
    results: ["i32"],
  };
}

export function loweredSignature(signature: Signature, isAsync: boolean): CoreSignature {
  return isAsync
    ? asyncCoreSignature(signature)
    : coreSignature(signature.type, "lower", signature.codecs.address);
}

/** The body of the import: its core result, or a promise of it when the guest has to wait. */
export function loweredFunction(options: LowerOptions): (...flat: Flat[]) => Later<Flat | undefined> {
  const { scheduler, cx, isAsync, callee } = options;
  return (...flat) => {
    const subtask = new Subtask();
    return after(callee.start(callerOf(options, subtask, flat)), (cancel) => {
      subtask.cancel = cancel;
      if (!isAsync) {
        return after(subtask.isResolved || scheduler.waitUntil(() => subtask.isResolved), () => {
          subtask.deliverResolve();
          return subtask.flat;
        });
      }
      if (subtask.isResolved) {
        subtask.deliverResolve();
        return subtaskStates.returned;
      }
      subtask.index = cx.state.handles.add(handleKinds.subtask, subtask, true);
      return subtaskStates[subtask.state] | (subtask.index << 4);
    });
  };
}

function callerOf(
  { scheduler, cx, signature, write }: LowerOptions,
  subtask: Subtask,
  flat: readonly Flat[],
): Caller {
  const lift = argumentsLifter(signature);
  let argumentBytes = 0;
  const tell = () => {
    if (subtask.index !== 0) subtask.announce();
  };
  return {
    start() {
      if (scheduler.heldCalls >= heldCallsMax)
        trap(`more than ${heldCallsMax} calls that the host has not answered`);
      subtask.state = "started";
      tell();
      cx.beginLift(scheduler.heldBytes);
      const { state } = cx;
      const before = state.lent.length;
      const lending: Handle[] = [];
      state.lending = lending;
      const args = lift(cx, flat);
      state.lending = undefined;
      subtask.lend([...lending, ...state.lent.splice(before)]);
      argumentBytes = cx.liftedBytes - scheduler.heldBytes;
      return args;
    },
    hold() {
      scheduler.heldCalls++;
      scheduler.heldBytes += argumentBytes;
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        scheduler.heldCalls--;
        scheduler.heldBytes -= argumentBytes;
      };
    },
    resolve(result) {
      if (result === cancelled) {
        subtask.state =
          subtask.state === "starting" ? "cancelled-before-started" : "cancelled-before-returned";
      } else {
        cx.refreshIfDetached();
        subtask.flat = write(cx, result, flat);
        subtask.state = "returned";
      }
      tell();
    },
  };
}
