/**
 * Calls into a guest (CanonicalABI.md, "canon lift"): check, enter, lower, call, lift, post-return, leave. The
 * wrappers for short signatures are written out, so that the hot ones make neither arrays nor closures.
 */

import { ComponentError } from "../component-error.ts";
import type { CoreFunction } from "../core.ts";
import { componentErrors } from "../errors.ts";
import type { ValueType } from "../types.ts";
import { addressOf, flatAddress } from "./address.ts";
import type { Codec, Codecs, Flat } from "./codec.ts";
import type { ComponentState, Context } from "./context.ts";
import { explainMismatch } from "./explain.ts";
import { layoutOf, payloadOffset } from "./layout.ts";
import type { Signature } from "./signature.ts";
import { trap } from "./trap.ts";

/** A guest function and the instance that it belongs to. */
export interface GuestFunction {
  readonly signature: Signature;
  readonly cx: Context;
  readonly core: CoreFunction;
  readonly postReturn: CoreFunction | undefined;
  /** Whether what the guest keeps with a call is to be cleared at its begin. */
  readonly usesSlots: boolean;
  /** Instances that this call enters: the function's own and those around it. */
  readonly entered: readonly ComponentState[];
}

// biome-ignore lint/suspicious/noExplicitAny: arguments are checked against a type that only exists at run time
export type HostCallable = (...args: any[]) => any;

/** The function that the host calls. */
export function callableFromHost(guest: GuestFunction): HostCallable {
  const lift = resultLifter(guest);
  const { params, spilled, codecs } = guest.signature;
  if (params.length === 0) return callNullary(guest, lift);
  if (spilled !== undefined && params.length === 1 && codecs.address === "i32")
    return callOneInMemory(guest, lift);
  if (spilled === undefined && params.length === 1) {
    if (params[0]?.single !== undefined) return callOneSingle(guest, lift);
    if (guest.signature.flatCount === 2) return callOnePair(guest, lift);
  }
  if (spilled === undefined && params.length === 2 && params.every((codec) => codec.single !== undefined)) {
    return callTwoSingles(guest, lift);
  }
  return callGeneral(guest, lift);
}

type ResultLifter = (cx: Context, flat: Flat | undefined) => unknown;

/** Lifts a result; a `result` type's error half comes out as a `ComponentError`, to be thrown after leaving. */
function resultLifter(guest: GuestFunction): ResultLifter {
  const { isResultInMemory, type, codecs } = guest.signature;
  return type.result?.kind === "result"
    ? topLevelResult(type.result, codecs, isResultInMemory)
    : valueLifter(guest.signature);
}

/** Lifts a result as the value that it is. */
function valueLifter({ result, isResultInMemory }: Signature): ResultLifter {
  if (result === undefined) return () => undefined;
  if (isResultInMemory) {
    const { size, align, load } = result;
    return (cx, flat) => {
      const pointer = addressOf(flat);
      cx.checkRange(pointer, align, size);
      return load(cx, pointer);
    };
  }
  const { single } = result;
  if (single !== undefined) return single.lift;
  const { lift } = result;
  return (cx, flat) => lift(cx, [flat as Flat], 0);
}

function topLevelResult(
  type: Extract<ValueType, { kind: "result" }>,
  codecs: Codecs,
  isInMemory: boolean,
): ResultLifter {
  const ok = type.ok === undefined ? undefined : codecs.of(type.ok);
  const err = type.err === undefined ? undefined : codecs.of(type.err);
  const { size, align } = layoutOf(type, codecs.address);
  const offset = payloadOffset([type.ok, type.err], codecs.address);
  return (cx, flat) => {
    if (!isInMemory) {
      const index = Number(flat) >>> 0;
      if (index > 1) trap(`case ${index} of 2`);
      return index === 0 ? undefined : new ComponentError(undefined);
    }
    const pointer = addressOf(flat);
    cx.checkRange(pointer, align, size);
    const index = cx.bytes[pointer] as number; // The range was checked.
    if (index === 0) return ok?.load(cx, pointer + offset);
    if (index > 1) trap(`case ${index} of 2`);
    return new ComponentError(err?.load(cx, pointer + offset));
  };
}

/** After `core` returned: lift, check that borrows are back, run post-return. */
function finish(guest: GuestFunction, lift: ResultLifter, flat: Flat | undefined): unknown {
  const { cx, postReturn } = guest;
  const { state } = cx;
  cx.beginLift();
  const result = lift(cx, flat);
  if (state.borrows !== 0) {
    trap(`${state.borrows} borrowed handle${state.borrows === 1 ? " was" : "s were"} not dropped`);
  }
  if (postReturn !== undefined) {
    state.mayLeave = false;
    if (flat === undefined) postReturn();
    else postReturn(flat);
    state.mayLeave = true;
  }
  return result;
}

/** The value that the caller gets once the instance has been left. */
function settle(result: unknown, mayFail: boolean): unknown {
  if (mayFail && result instanceof ComponentError) throw result;
  return result;
}

/** From here to the call of the core function only the guest's allocator runs, which may not call out. */
function begin(guest: GuestFunction): void {
  const { entered } = guest;
  for (let index = 0; index < entered.length; index++) (entered[index] as ComponentState).mayEnter = false;
  guest.cx.refreshIfDetached();
  guest.cx.beginLower();
  guest.cx.state.mayLeave = false;
  if (guest.usesSlots) guest.cx.state.slots.length = 0;
}

function end(guest: GuestFunction): void {
  const { entered } = guest;
  for (let index = 0; index < entered.length; index++) (entered[index] as ComponentState).mayEnter = true;
}

export function refuse(guest: Pick<GuestFunction, "signature" | "cx">, args: readonly unknown[]): never {
  const { signature, cx } = guest;
  for (const [index, codec] of signature.params.entries()) {
    if (codec.check(args[index], cx)) continue;
    const param = signature.type.params[index];
    throw componentErrors["type-mismatch"](
      explainMismatch(codec.type, args[index], param?.name ?? "argument", cx, signature.codecs),
    );
  }
  throw componentErrors["type-mismatch"]({
    path: "arguments",
    expected: "stable values",
    found: "changing ones",
  });
}

function callNullary(guest: GuestFunction, lift: ResultLifter): HostCallable {
  const { core, cx, signature } = guest;
  const { engine, state } = cx;
  const mayFail = signature.type.result?.kind === "result";
  return () => {
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      state.mayLeave = true;
      result = finish(guest, lift, core());
      end(guest);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

function callOneInMemory(guest: GuestFunction, lift: ResultLifter): HostCallable {
  const { core, cx, signature } = guest;
  const { engine, state } = cx;
  const { check, store, size, align } = signature.params[0] as Codec; // The caller counted the parameters.
  const mayFail = signature.type.result?.kind === "result";
  return (arg) => {
    cx.beginCheck();
    if (!check(arg, cx)) refuse(guest, [arg]);
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      const pointer = cx.allocate(align, size);
      store(cx, arg, pointer);
      state.mayLeave = true;
      result = finish(guest, lift, core(pointer));
      end(guest);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

/** Arguments that somebody else moves into the guest's memory: `lower` is given what the call is, and gives their address. */
export function callWithPointer(
  guest: GuestFunction,
  lower: (at: number) => number,
): (at: number) => unknown {
  const lift = resultLifter(guest);
  const { core, cx, signature } = guest;
  const { engine, state } = cx;
  const mayFail = signature.type.result?.kind === "result";
  return (at) => {
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      const pointer = lower(at);
      state.mayLeave = true;
      result = finish(guest, lift, core(pointer));
      end(guest);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

function callOneSingle(guest: GuestFunction, lift: ResultLifter): HostCallable {
  const { core, cx, signature } = guest;
  const { engine, state } = cx;
  const { check, single } = signature.params[0] as Codec; // As above.
  const lower = (single as NonNullable<Codec["single"]>).lower; // The caller looked.
  const mayFail = signature.type.result?.kind === "result";
  return (arg) => {
    cx.beginCheck();
    if (!check(arg, cx)) refuse(guest, [arg]);
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      const flat = lower(cx, arg);
      state.mayLeave = true;
      result = finish(guest, lift, core(flat));
      end(guest);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

function callTwoSingles(guest: GuestFunction, lift: ResultLifter): HostCallable {
  const { core, cx, signature } = guest;
  const { engine, state } = cx;
  const [first, second] = signature.params as [Codec, Codec]; // As above.
  const lowerFirst = (first.single as NonNullable<Codec["single"]>).lower;
  const lowerSecond = (second.single as NonNullable<Codec["single"]>).lower;
  const mayFail = signature.type.result?.kind === "result";
  return (a, b) => {
    cx.beginCheck();
    if (!first.check(a, cx) || !second.check(b, cx)) refuse(guest, [a, b]);
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      const flatFirst = lowerFirst(cx, a);
      const flatSecond = lowerSecond(cx, b);
      state.mayLeave = true;
      result = finish(guest, lift, core(flatFirst, flatSecond));
      end(guest);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

/** One string or list: a pointer and a length. */
function callOnePair(guest: GuestFunction, lift: ResultLifter): HostCallable {
  const { core, cx, signature } = guest;
  const { engine, state } = cx;
  const { check, lower } = signature.params[0] as Codec; // As above.
  const flat: Flat[] = [0, 0];
  const mayFail = signature.type.result?.kind === "result";
  return (arg) => {
    cx.beginCheck();
    if (!check(arg, cx)) refuse(guest, [arg]);
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      lower(cx, arg, flat, 0);
      state.mayLeave = true;
      result = finish(guest, lift, core(flat[0], flat[1]));
      end(guest);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

function callGeneral(guest: GuestFunction, lift: ResultLifter): HostCallable {
  const { cx, signature } = guest;
  const { engine } = cx;
  const { params } = signature;
  const call = lowerAndCall(guest);
  const mayFail = signature.type.result?.kind === "result";
  return (...args) => {
    cx.beginCheck();
    for (let index = 0; index < params.length; index++) {
      if (!(params[index] as Codec).check(args[index], cx)) refuse(guest, args);
    }
    engine.enter();
    let result: unknown;
    try {
      begin(guest);
      result = finish(guest, lift, call(args));
      end(guest);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return settle(result, mayFail);
  };
}

/** Lowers any number of checked arguments and calls the core function. */
export function lowerAndCall(
  guest: Pick<GuestFunction, "signature" | "cx" | "core">,
): (args: readonly unknown[]) => Flat | undefined {
  const { core, cx, signature } = guest;
  const { params, spilled, flatCount } = signature;
  const { address } = signature.codecs;
  const { state } = cx;
  if (spilled !== undefined) {
    const { size, align, offsets } = spilled;
    return (args) => {
      const pointer = cx.allocate(align, size);
      for (let index = 0; index < params.length; index++) {
        (params[index] as Codec).store(cx, args[index], pointer + (offsets[index] as number));
      }
      state.mayLeave = true;
      return core(flatAddress(address, pointer));
    };
  }
  const flat: Flat[] = new Array(flatCount).fill(0);
  return (args) => {
    let at = 0;
    for (let index = 0; index < params.length; index++) {
      const codec = params[index] as Codec;
      codec.lower(cx, args[index], flat, at);
      at += codec.flat?.length ?? 0;
    }
    state.mayLeave = true;
    return core(...flat);
  };
}

/**
 * The function that another guest of the same component calls: raw values in and out, inside the caller's
 * budget. It must not enter an instance that a call is in progress in (CanonicalABI.md, "may_enter_from").
 */
export function callableFromGuest(guest: GuestFunction): (args: readonly unknown[]) => unknown {
  const { cx, entered } = guest;
  const lift = valueLifter(guest.signature);
  const call = lowerAndCall(guest);
  return (args) => {
    for (const state of entered) {
      if (!state.mayEnter) trap("a call into a component instance that is already being called");
    }
    begin(guest);
    const borrows = cx.state.borrows;
    cx.state.borrows = 0;
    const value = finish(guest, lift, call(args));
    cx.state.borrows = borrows;
    end(guest);
    return value;
  };
}
