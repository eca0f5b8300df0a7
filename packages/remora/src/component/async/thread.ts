/**
 * Threads (CanonicalABI.md, "Threads"): each is a stack of the guest's, or a place in the middle of a call where
 * no stack of the guest's is kept. It runs until it pauses or ends, and only one of an instance does at a time.
 */

import type { Flat } from "../core.ts";
import type { Task } from "./task.ts";

/** From when a thread goes on until it pauses or ends. */
export class Activation {
  isOver = false;
  /** The thread that goes on in its place. */
  next: Thread | undefined;
  /** Called when it is over, by whoever had to wait for that. */
  onOver: (() => void) | undefined;
}

function nothing(): void {}

export class Thread {
  readonly task: Task;
  #storage: Flat[] | undefined;
  /** Its number in the component instance, while it has one. */
  index = 0;
  /** Whether its code runs on a stack of its own. */
  readonly isOnOwnStack: boolean;
  /** It is on that stack now, which can be put aside. */
  hasOwnStack = false;
  /** Room that is left on that stack, while it is put aside. */
  stackLeft: number | undefined;
  isCancellable = false;
  /** Undefined while it runs and when it has ended. */
  proceed: ((isCancelled: boolean) => void) | undefined;
  /** Undefined unless it waits for something. */
  isReady: (() => boolean) | undefined;
  /** What comes after its core function. */
  onReturn: (flat: Flat | undefined) => void = nothing;
  /** The running one, or the last. */
  activation: Activation | undefined;

  constructor(task: Task, isOnOwnStack: boolean) {
    this.task = task;
    this.isOnOwnStack = isOnOwnStack;
  }

  /** What `context.get` and `context.set` keep. */
  get storage(): Flat[] {
    this.#storage ??= [];
    return this.#storage;
  }

  /** Its code must not be interleaved with that of others like it. */
  get isExclusive(): boolean {
    const { task } = this;
    return task.implicit === this && task.lifted.signature.type.isAsync && task.needsExclusive;
  }

  /** It neither runs nor waits: somebody has to resume it. */
  get isSuspended(): boolean {
    return this.proceed !== undefined && this.isReady === undefined;
  }
}
