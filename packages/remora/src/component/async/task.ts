/** Tasks (CanonicalABI.md, "Tasks"): each is one call of a function that a component gives. */

import type { BorrowScope } from "../abi/handles.ts";
import { trap } from "../abi/trap.ts";
import type { InstanceTasks } from "./instance-tasks.ts";
import type { Later } from "./later.ts";
import type { LiftedFunction } from "./lifted-function.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Thread } from "./thread.ts";

/** What the caller does when the task starts and when it is resolved. */
export interface Caller {
  /** Called once, when the callee is let in: gives the arguments. */
  start(): readonly unknown[];
  /**
   * Called after `start` by a callee that keeps the arguments outside of every guest's memory while it is waited for: they are
   * counted until what this gives is called.
   */
  hold?(): (() => void) | undefined;
  /** Called once: with the result, or with `cancelled`. */
  resolve(result: unknown): void;
}

export const cancelled: unique symbol = Symbol("cancelled");

export class Task implements BorrowScope {
  readonly lifted: LiftedFunction;
  readonly caller: Caller;
  state: "initial" | "started" | "cancel-pending" | "cancel-delivered" | "resolved" = "initial";
  /** Handles that it was lent and has not dropped. */
  borrows = 0;
  /** How many threads it has. */
  threads = 0;
  implicit: Thread | undefined;
  readonly #tasks: InstanceTasks;

  constructor(lifted: LiftedFunction, caller: Caller) {
    this.lifted = lifted;
    this.caller = caller;
    this.#tasks = lifted.tasks;
  }

  get instance(): InstanceTasks {
    return this.#tasks;
  }

  /** Whether its code must not be interleaved with that of others like it: all but the stackful ones. */
  get needsExclusive(): boolean {
    return !this.lifted.isAsync || this.lifted.callback !== undefined;
  }

  register(thread: Thread): void {
    this.threads++;
    this.#tasks.register(thread);
  }

  unregister(thread: Thread): void {
    this.threads--;
    if (this.threads === 0 && this.state !== "resolved") trap("a task ended without a result");
    this.#tasks.unregister(thread);
  }

  start(): readonly unknown[] {
    this.state = "started";
    return this.caller.start();
  }

  return(result: unknown): void {
    if (this.state === "resolved") trap("a task gave its result twice");
    this.#resolve(result);
  }

  cancel(): void {
    if (this.state !== "cancel-delivered") trap("a task was cancelled that nobody asked to");
    this.#resolve(cancelled);
  }

  #resolve(result: unknown): void {
    const { borrows } = this;
    if (borrows !== 0) trap(`${borrows} borrowed handle${borrows === 1 ? " was" : "s were"} not dropped`);
    this.caller.resolve(result);
    this.state = "resolved";
  }

  /** True when the task had been asked to stop and is told so by this. */
  takePendingCancel(isCancellable: boolean): boolean {
    if (!isCancellable || this.state !== "cancel-pending") return false;
    this.state = "cancel-delivered";
    return true;
  }

  /** The caller no longer wants the result. */
  requestCancellation(scheduler: Scheduler): Later<void> {
    const { implicit } = this;
    if (this.state === "initial" && implicit !== undefined) {
      this.state = "cancel-delivered";
      return scheduler.resume(implicit, true);
    }
    const thread = this.#cancellable();
    if (thread === undefined || !this.lifted.mayEnter()) {
      this.state = "cancel-pending";
      return undefined;
    }
    this.state = "cancel-delivered";
    return this.lifted.inside(() => scheduler.resume(thread, true));
  }

  #cancellable(): Thread | undefined {
    const { exclusive } = this.#tasks;
    const isHeldBack = this.needsExclusive && exclusive !== undefined && exclusive !== this.implicit;
    return this.#tasks.find(
      (thread) =>
        thread.task === this &&
        thread.isCancellable &&
        thread.proceed !== undefined &&
        !(isHeldBack && thread === this.implicit),
    );
  }
}
