/** Codecs of `own` and `borrow` handles (CanonicalABI.md, "lift_own", "lift_borrow", "lower_own", "lower_borrow"). */

import type { ResourceType, ValueType } from "../types.ts";
import type { Codec } from "./codec.ts";
import { singleCodec } from "./codec-primitive.ts";
import type { Context } from "./context.ts";
import type { BorrowScope, Handle, Rep } from "./handles.ts";
import { trap } from "./trap.ts";

type HandleType = Extract<ValueType, { kind: "own" | "borrow" }>;

/** A resource type of a prepared component: it is known which component instance implements it. */
export interface PlannedResource extends ResourceType {
  /** The component instance that implements it, or `hostOwner`. */
  readonly owner: number;
}

/** Owner of the resources that the host implements. */
export const hostOwner = -1;

function planned(type: HandleType): PlannedResource {
  // Codecs are built for the types of a plan only, and its resources are all planned ones.
  return type.resource as PlannedResource;
}

/** Towards the host: resources of the host are its own objects, resources of a guest are wrapped in objects. */
export function hostResourceCodec(type: HandleType): Codec {
  const { id, owner } = planned(type);
  const isHost = owner === hostOwner;
  if (type.kind === "own") {
    return handleCodec(
      type,
      (value, cx) =>
        isHost ? cx.resources.accepts(id, value) : cx.resources.unwrap(id, value) !== undefined,
      (cx, value) => {
        const rep = isHost ? value : (cx.resources.take(id, value) ?? trap("a dropped resource"));
        return cx.state.handles.add(id, rep, true);
      },
      (cx, index) => {
        const handle = cx.state.handles.get(index, id);
        if (!handle.isOwn) trap(`handle ${index} is borrowed, not owned`);
        cx.state.handles.remove(index, id);
        const rep = handle.rep;
        handle.rep = undefined;
        return isHost ? rep : cx.resources.wrap(id, rep as Rep, true); // As a guest has it.
      },
    );
  }
  return handleCodec(
    type,
    (value, cx) => (isHost ? cx.resources.accepts(id, value) : cx.resources.unwrap(id, value) !== undefined),
    (cx, value) => {
      if (isHost) return lowerBorrow(cx, id, value);
      const rep = cx.resources.unwrap(id, value) ?? trap("a dropped resource");
      // An i32: resources that are an i64 are not lent to those that implement them, see `refuseWideLoans`.
      return cx.state.index === owner ? (rep as number) : lowerBorrow(cx, id, rep);
    },
    (cx, index) => {
      const handle = cx.state.handles.get(index, id);
      const { lending } = cx.state;
      if (lending !== undefined) {
        handle.lends++;
        lending.push(handle);
      }
      const { rep } = handle;
      return isHost ? rep : cx.resources.wrap(id, rep as Rep, false); // As above.
    },
  );
}

/** Between guests: a handle is lifted to what its implementer knows it by, and lowered from that. */
export function rawResourceCodec(type: HandleType): Codec {
  const { id, owner } = planned(type);
  if (type.kind === "own") {
    return handleCodec(
      type,
      () => true,
      (cx, rep) => cx.state.handles.add(id, rep, true),
      (cx, index) => {
        const handle = cx.state.handles.get(index, id);
        if (!handle.isOwn) trap(`handle ${index} is borrowed, not owned`);
        return cx.state.handles.remove(index, id).rep;
      },
    );
  }
  return handleCodec(
    type,
    () => true,
    (cx, rep) => (cx.state.index === owner ? rep : lowerBorrow(cx, id, rep)) as number,
    (cx, index) => {
      const handle = cx.state.handles.get(index, id);
      // An owned handle that a call was lent cannot be given away or dropped until that call ends.
      handle.lends++;
      cx.state.lent.push(handle);
      return handle.rep;
    },
  );
}

/** In a packet: whatever numbers the two ends have agreed on. */
export function packetResourceCodec(type: HandleType): Codec {
  const { id } = planned(type);
  const isOwn = type.kind === "own";
  return handleCodec(
    type,
    (value, cx) => cx.resources.accepts(id, value),
    (cx, value) => {
      const number = isOwn ? cx.resources.take(id, value) : cx.resources.unwrap(id, value);
      return (number as number | undefined) ?? trap("a dropped resource"); // Packets have numbers of their own.
    },
    (cx, index) => cx.resources.wrap(id, index, isOwn),
  );
}

function lowerBorrow(cx: Context, id: number, rep: unknown): number {
  const { state } = cx;
  const index = state.handles.add(id, rep, false);
  if (state.scope === undefined) state.borrows++;
  else lendTo(state.scope, state.handles.get(index, id));
  return index;
}

function lendTo(scope: BorrowScope, handle: Handle): void {
  scope.borrows++;
  handle.scope = scope;
}

export function handleCodec(
  type: ValueType,
  check: Codec["check"],
  lower: (cx: Context, value: unknown) => number,
  lift: (cx: Context, index: number) => unknown,
): Codec {
  return singleCodec<unknown>({
    type,
    size: 4,
    flat: "i32",
    check,
    store: (cx, value, pointer) => cx.view.setUint32(pointer, lower(cx, value), true),
    load: (cx, pointer) => lift(cx, cx.view.getUint32(pointer, true)),
    lower,
    lift: (cx, flat: number) => lift(cx, flat >>> 0),
  });
}
