/** A guest's end of a stream or future (CanonicalABI.md, "CopyEnd"), and what it does with it. */

import { addressOf } from "../abi/address.ts";
import type { ComponentState, Context } from "../abi/context.ts";
import { trap } from "../abi/trap.ts";
import type { Flat } from "../core.ts";
import type { ValueType } from "../types.ts";
import { GuestBuffer } from "./buffer.ts";
import type { Element } from "./element.ts";
import { after, type Later } from "./later.ts";
import { isSameType } from "./same-type.ts";
import type { Scheduler } from "./scheduler.ts";
import { type CopyResult, copyResults, type SharedCopy } from "./shared-copy.ts";
import { type Event, eventCodes, handleKinds, Waitable } from "./waitable.ts";

export type Direction = "read" | "write";

export type EndKind = `${SharedCopy["kind"]}-${Direction}`;

/** What the guest is told when it has to wait. */
export const blocked = 0xffff_ffff | 0;

const codes: Readonly<Record<EndKind, number>> = {
  "stream-read": eventCodes.streamRead,
  "stream-write": eventCodes.streamWrite,
  "future-read": eventCodes.futureRead,
  "future-write": eventCodes.futureWrite,
};

export class CopyEnd extends Waitable {
  readonly shared: SharedCopy;
  readonly direction: Direction;
  state: "idle" | "copying" | "cancelling" | "done" = "idle";
  /** Its event says that some was copied, and more could be until the guest takes it. */
  isPartial = false;

  constructor(shared: SharedCopy, direction: Direction) {
    super();
    this.shared = shared;
    this.direction = direction;
  }

  get kind(): EndKind {
    return `${this.shared.kind}-${this.direction}`;
  }

  get isCopying(): boolean {
    return this.state === "copying" || this.state === "cancelling";
  }

  /** Begins to copy; its event says how it ended. */
  begin(buffer: GuestBuffer, owner: ComponentState, index: number): void {
    this.state = "copying";
    const ended = (result: CopyResult) => () => this.#ended(result, buffer, index);
    this.shared[this.direction]({
      owner,
      buffer,
      progress: (reclaim) => {
        this.isPartial = true;
        this.setEvent(() => {
          reclaim();
          return ended("completed")();
        });
      },
      done: (result) => {
        this.isPartial = false;
        this.setEvent(ended(result));
      },
    });
  }

  #ended(result: CopyResult, buffer: GuestBuffer, index: number): Event {
    const isFuture = this.shared.kind === "future";
    this.isPartial = false;
    this.state = result === "dropped" || (isFuture && result === "completed") ? "done" : "idle";
    const count = isFuture ? 0 : buffer.progress;
    return [codes[this.kind], index, copyResults[result] | (count << 4)];
  }

  drop(): void {
    if (this.isCopying) trap(`a ${this.shared.kind} is dropped while it is copying`);
    if (this.kind === "future-write" && this.state !== "done") trap("a future is dropped without a value");
    this.shared.drop();
    this.leaveSet();
  }
}

/** The end that a handle stands for, which must be of this kind and carry this. */
export function endAt(
  state: ComponentState,
  index: number,
  kind: EndKind,
  type: ValueType | undefined,
): CopyEnd {
  const end = state.handles.get(index, handleKinds[kind]).rep as CopyEnd; // What handles of this kind stand for.
  if (!isSameType(end.shared.element.type, type)) trap(`handle ${index >>> 0} carries another type`);
  return end;
}

export function addEnd(state: ComponentState, shared: SharedCopy, direction: Direction): number {
  const end = new CopyEnd(shared, direction);
  return state.handles.add(handleKinds[end.kind], end, true);
}

interface CopyOptions {
  readonly scheduler: Scheduler;
  readonly cx: Context;
  readonly kind: EndKind;
  readonly element: Element;
  readonly isAsync: boolean;
}

/** CanonicalABI.md, "canon {stream,future}.{read,write}". */
export function copyBuiltin({ scheduler, cx, kind, element, isAsync }: CopyOptions) {
  const { state } = cx;
  return (index: number, pointer: Flat, length: Flat): Later<Flat> => {
    const end = endAt(state, index, kind, element.type);
    if (end.state !== "idle") trap(`a ${kind} while another is under way, or after the last`);
    if (end.set !== undefined && !isAsync) trap(`a synchronous ${kind} of an end that is in a waitable set`);
    const count = end.shared.kind === "future" ? 1 : addressOf(length);
    end.begin(new GuestBuffer(cx, element, addressOf(pointer), count), state, index >>> 0);
    return payloadOf(end, scheduler, isAsync);
  };
}

/** CanonicalABI.md, "canon {stream,future}.cancel-{read,write}". */
export function cancelBuiltin(
  options: Omit<CopyOptions, "cx" | "element"> & {
    readonly state: ComponentState;
    readonly type: ValueType | undefined;
  },
) {
  const { scheduler, state, kind, type, isAsync } = options;
  return (index: number): Later<Flat> => {
    const end = endAt(state, index, kind, type);
    if (end.state !== "copying" || end.isAwaited) trap(`there is no ${kind} to cancel`);
    if (end.set !== undefined && !isAsync) trap(`a synchronous cancel of an end that is in a waitable set`);
    end.state = "cancelling";
    // The suite wants a copy that was not over to be cancelled with what it had copied; the text leaves it completed.
    if (!end.hasEvent || end.isPartial) end.shared.cancel();
    return payloadOf(end, scheduler, isAsync);
  };
}

function payloadOf(end: CopyEnd, scheduler: Scheduler, isAsync: boolean): Later<Flat> {
  if (end.hasEvent) return end.takeEvent()[2];
  if (isAsync) return blocked;
  return after(end.awaitEvent(scheduler), (event) => event[2]);
}

/** CanonicalABI.md, "canon {stream,future}.drop-{readable,writable}". */
export function dropBuiltin(state: ComponentState, kind: EndKind, type: ValueType | undefined) {
  return (index: number): undefined => {
    const end = endAt(state, index, kind, type);
    state.handles.remove(index, handleKinds[kind]);
    end.drop();
  };
}
