/**
 * Calls out of a guest (CanonicalABI.md, "canon lower"): lift the arguments, call, lower the result. Nothing is
 * ever thrown into the guest, which could catch it: what fails ends the guest's own call through the engine.
 */

import { RemoraError } from "../../base/index.ts";
import { isThenable, letGoOfPromise } from "../async-host.ts";
import type { CoreFunction } from "../core.ts";
import { componentErrors } from "../errors.ts";
import { isSlowHostFunction } from "../slow-host.ts";
import type { ValueType } from "../types.ts";
import { addressOf } from "./address.ts";
import type { Codec, Flat } from "./codec.ts";
import type { Context } from "./context.ts";
import { describeType, explainMismatch } from "./explain.ts";
import { isLarge, type Signature } from "./signature.ts";
import { trap } from "./trap.ts";

// biome-ignore lint/suspicious/noExplicitAny: lifted values of types that only exist at run time
type Callee = (...args: any[]) => any;

/** A function that a guest may call, seen from the guest. */
export interface OutgoingCall {
  readonly signature: Signature;
  readonly cx: Context;
  /** Name for errors: `omnitak:plugin/host@0.1.0 log`. */
  readonly name: string;
  readonly callee: Callee;
  /** Ends the loan of resource objects that the host was lent for this call; undefined when there are none. */
  readonly endLoans: (() => void) | undefined;
}

/** The core function for a host function. */
export function coreFunctionForHost(given: OutgoingCall): CoreFunction {
  const call = isSlowHostFunction(given.callee) ? slowly(given) : given;
  const { params, result, isResultInMemory, spilled } = call.signature;
  const isShort =
    spilled === undefined && !isResultInMemory && params.length <= 3 && call.endLoans === undefined;
  const isResultSingle =
    result === undefined || (result.single !== undefined && result.type.kind !== "result");
  if (isShort && isResultSingle && params.every((codec) => codec.single !== undefined))
    return callSingles(call);
  return callGeneral(call);
}

/** The same call with the engine's clock around the host function. */
function slowly(call: OutgoingCall): OutgoingCall {
  const { callee, cx } = call;
  const { engine } = cx;
  return {
    ...call,
    callee(...args) {
      engine.beforeSlowHost?.();
      try {
        return callee(...args);
      } finally {
        engine.afterSlowHost?.();
      }
    },
  };
}

function callSingles(call: OutgoingCall): CoreFunction {
  const { cx, callee, signature } = call;
  const { state } = cx;
  const { result } = signature;
  const lifts = signature.params.map((codec) => (codec.single as NonNullable<Codec["single"]>).lift);
  // The caller looked: each parameter is one core value.
  const [first, second, third] = lifts as [Lift, Lift, Lift];
  const lower = result?.single?.lower;
  const check = result?.check;
  const complete = (value: unknown): Flat | undefined => {
    if (lower === undefined || check === undefined) return nothing(call, value);
    if (!check(value, cx)) refuseResult(call, value);
    return lower(cx, value);
  };
  // No guest code runs in here, so that whatever is not an error of ours was thrown by the host function.
  const failHere = (error: unknown): never =>
    fail(
      call,
      error instanceof RemoraError ? error : componentErrors["host-failed"]({ name: call.name }, error),
    );
  switch (signature.params.length) {
    case 0:
      return () => {
        try {
          if (!state.mayLeave) mayNotLeave();
          return complete(callee());
        } catch (error) {
          return failHere(error);
        }
      };
    case 1:
      return (a) => {
        try {
          if (!state.mayLeave) mayNotLeave();
          return complete(callee(first(cx, a)));
        } catch (error) {
          return failHere(error);
        }
      };
    case 2:
      return (a, b) => {
        try {
          if (!state.mayLeave) mayNotLeave();
          return complete(callee(first(cx, a), second(cx, b)));
        } catch (error) {
          return failHere(error);
        }
      };
    default:
      return (a, b, c) => {
        try {
          if (!state.mayLeave) mayNotLeave();
          return complete(callee(first(cx, a), second(cx, b), third(cx, c)));
        } catch (error) {
          return failHere(error);
        }
      };
  }
}

type Lift = NonNullable<Codec["single"]>["lift"];

function callGeneral(call: OutgoingCall): CoreFunction {
  const { cx, callee, signature, endLoans } = call;
  const { state } = cx;
  const { type, codecs } = signature;
  const lift = argumentsLifter(signature);
  const large = isLarge(signature);
  const complete = resultLowerer(call);
  const okType = type.result?.kind === "result" ? type.result : undefined;
  const err = okType?.err === undefined ? undefined : codecs.of(okType.err);
  const givesNothing = okType === undefined ? type.result === undefined : okType.ok === undefined;
  return (...flat: Flat[]) => {
    try {
      if (!state.mayLeave) mayNotLeave();
      cx.beginLift();
      const args = lift(cx, flat);
      let value: unknown;
      try {
        value = callee(...args);
        if (givesNothing) nothing(call, value);
        if (okType !== undefined) value = { tag: "ok", val: value };
      } catch (error) {
        value = errorResult(call, okType !== undefined, err, error);
      }
      endLoans?.();
      const lowered = complete(cx, value, flat);
      cx.lookAtClock(large);
      return lowered;
    } catch (error) {
      return fail(call, error);
    }
  };
}

/** What a host function threw, as the `err` of its result type; anything but a fitting payload is a failure. */
export function errorResult(
  call: OutgoingCall,
  hasErr: boolean,
  err: Codec | undefined,
  error: unknown,
): unknown {
  if (error instanceof RemoraError) throw error;
  if (hasErr && typeof error === "object" && error !== null && "payload" in error) {
    const { payload } = error;
    if (err === undefined ? payload === undefined : err.check(payload, call.cx))
      return { tag: "err", val: payload };
  }
  throw componentErrors["host-failed"]({ name: call.name }, error);
}

export function argumentsLifter(signature: Signature): (cx: Context, flat: readonly Flat[]) => unknown[] {
  const { params, spilled } = signature;
  if (spilled !== undefined) {
    const { size, align, offsets } = spilled;
    return (cx, flat) => {
      const pointer = addressOf(flat[0]);
      cx.checkRange(pointer, align, size);
      return params.map((codec, index) => codec.load(cx, pointer + (offsets[index] as number)));
    };
  }
  return (cx, flat) => {
    const args: unknown[] = [];
    let at = 0;
    for (let index = 0; index < params.length; index++) {
      const codec = params[index] as Codec;
      args.push(codec.lift(cx, flat, at));
      at += codec.flat?.length ?? 0;
    }
    return args;
  };
}

export function resultLowerer(
  call: OutgoingCall,
): (cx: Context, value: unknown, flat: readonly Flat[]) => Flat | undefined {
  const write = resultWriter(call.signature);
  const check = call.signature.result?.check;
  return (cx, value, flat) => {
    cx.beginCheck();
    if (check !== undefined && !check(value, cx)) refuseResult(call, value);
    cx.beginLower();
    return write(cx, value, flat);
  };
}

/** Lowers a checked result: as one core value, or into the place that the guest gave behind its arguments. */
export function resultWriter(
  signature: Signature,
): (cx: Context, value: unknown, flat: readonly Flat[]) => Flat | undefined {
  const { result, isResultInMemory, flatCount } = signature;
  if (result === undefined) return () => undefined;
  if (isResultInMemory) {
    const { size, align, store } = result;
    return (cx, value, flat) => {
      const pointer = addressOf(flat[flatCount]);
      cx.checkRange(pointer, align, size);
      cx.state.mayLeave = false;
      store(cx, value, pointer);
      cx.state.mayLeave = true;
      return undefined;
    };
  }
  const out: Flat[] = [0];
  return (cx, value) => {
    result.lower(cx, value, out, 0);
    return out[0];
  };
}

export function mayNotLeave(): never {
  return trap("a call out of a component instance that may not leave");
}

/** Where nothing is expected a promise would be lost, and what it is rejected with. */
function nothing(call: OutgoingCall, value: unknown): undefined {
  if (value !== undefined && isThenable(value))
    refuseUnannounced(call.name, call.signature.type.result, value);
}

/**
 * A promise of a function that was not marked: nobody waits for it.
 *
 * @throws component/host-result
 */
export function refuseUnannounced(
  name: string,
  type: ValueType | undefined,
  promise: PromiseLike<unknown>,
): never {
  letGoOfPromise(promise);
  throw componentErrors["host-result"]({
    name,
    expected: type === undefined ? "nothing" : describeType(type),
    found: "a promise, which functions give that are marked by asyncHostFunction",
  });
}

function refuseResult(call: OutgoingCall, value: unknown): never {
  const { result, codecs, type } = call.signature;
  const { val } = (value ?? {}) as { readonly val?: unknown }; // That of a result, if it is one.
  const given = type.result?.kind === "result" ? val : value;
  if (isThenable(given)) refuseUnannounced(call.name, type.result, given);
  const wrong = explainMismatch((result as Codec).type, value, "result", call.cx, codecs); // There is one: it was refused.
  throw componentErrors["host-result"]({
    name: call.name,
    expected: wrong.path === "result" ? wrong.expected : `${wrong.path}: ${wrong.expected}`,
    found: wrong.found,
  });
}

/**
 * Ends the guest's call with what went wrong; guests between here and the host cannot catch it. What is not
 * ours came out of guest code that ran on the way, its allocator say: the engine knows its own traps.
 */
export function fail(call: OutgoingCall, error: unknown): never {
  if (error instanceof RemoraError) return call.cx.engine.abort(error);
  throw error;
}
