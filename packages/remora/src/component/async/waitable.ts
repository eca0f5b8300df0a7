/** What a guest can wait for, and sets of it (CanonicalABI.md, "Waitable State"). */

import type { ComponentState } from "../abi/context.ts";
import type { Handle } from "../abi/handles.ts";
import { trap } from "../abi/trap.ts";
import { after, type Later } from "./later.ts";
import type { Scheduler } from "./scheduler.ts";

/** Code and two numbers, as the guest gets them. */
export type Event = readonly [code: number, first: number, second: number];

export const noEvent: Event = [0, 0, 0];
export const taskCancelled: Event = [6, 0, 0];

export const eventCodes = {
  subtask: 1,
  streamRead: 2,
  streamWrite: 3,
  futureRead: 4,
  futureWrite: 5,
} as const;

/** In place of a resource type's number, what a handle stands for; -1 is a handle that is free. */
export const handleKinds = {
  subtask: -2,
  set: -3,
  "stream-read": -4,
  "stream-write": -5,
  "future-read": -6,
  "future-write": -7,
  "error-context": -8,
} as const;

export abstract class Waitable {
  /** Made when it is delivered: until then it may still change. */
  #event: (() => Event) | undefined;
  set: WaitableSet | undefined;
  /** A thread waits for this very one. */
  isAwaited = false;

  get hasEvent(): boolean {
    return this.#event !== undefined;
  }

  setEvent(event: () => Event): void {
    this.#event = event;
    this.set?.noteEvent(this);
  }

  takeEvent(): Event {
    const event = this.#event;
    this.#event = undefined;
    this.set?.forgetEvent(this);
    return event === undefined ? noEvent : event();
  }

  /** The running thread waits for its event. */
  awaitEvent(scheduler: Scheduler): Later<Event> {
    this.isAwaited = true;
    return after(
      scheduler.waitUntil(() => this.hasEvent),
      () => {
        this.isAwaited = false;
        return this.takeEvent();
      },
    );
  }

  join(set: WaitableSet | undefined): void {
    if (this.isAwaited) trap("a waitable that a thread waits for cannot join a set");
    this.leaveSet();
    this.set = set;
    set?.add(this);
  }

  /** It is let go of; whoever does that has made sure that nothing of it is pending. */
  leaveSet(): void {
    this.set?.remove(this);
    this.set = undefined;
  }
}

/** A guest may make it as large as it may have handles, and ask for it as often as it may call: no member is looked for. */
export class WaitableSet {
  /** Members. */
  size = 0;
  /** Those that have an event, in the order in which they came to it: none is passed over for ever. */
  #ready: Set<Waitable> | undefined;
  /** Threads that wait for it. */
  waiters = 0;

  get hasEvent(): boolean {
    return this.#ready !== undefined && this.#ready.size > 0;
  }

  add(member: Waitable): void {
    this.size++;
    if (member.hasEvent) this.noteEvent(member);
  }

  remove(member: Waitable): void {
    this.size--;
    this.forgetEvent(member);
  }

  noteEvent(member: Waitable): void {
    this.#ready ??= new Set();
    this.#ready.add(member);
  }

  forgetEvent(member: Waitable): void {
    this.#ready?.delete(member);
  }

  /** The event that is there for longest. */
  take(): Event {
    for (const member of this.#ready ?? []) return member.takeEvent();
    return noEvent;
  }
}

export function waitableSetAt(state: ComponentState, index: number): WaitableSet {
  return state.handles.get(index, handleKinds.set).rep as WaitableSet; // What a handle of this kind stands for.
}

export function waitableAt(state: ComponentState, index: number): Waitable {
  const handle: Handle | undefined = state.handles.at(index);
  return handle?.rep instanceof Waitable && handle.resource < -1
    ? handle.rep
    : trap(`handle ${index >>> 0} is nothing to wait for`);
}
