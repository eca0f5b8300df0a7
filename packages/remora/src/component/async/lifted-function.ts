/** Functions that a component gives, when they may wait (CanonicalABI.md, "canon lift"). */

import { addressOf } from "../abi/address.ts";
import { lowerAndCall } from "../abi/call-guest.ts";
import type { Codec } from "../abi/codec.ts";
import type { ComponentState, Context } from "../abi/context.ts";
import { coreSignature } from "../abi/layout.ts";
import type { Signature } from "../abi/signature.ts";
import { trap } from "../abi/trap.ts";
import type { CoreFunction, CoreSignature, Flat } from "../core.ts";
import type { InstanceTasks } from "./instance-tasks.ts";
import { after, type Later } from "./later.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Caller, Task } from "./task.ts";
import { Thread } from "./thread.ts";
import { type Event, noEvent, taskCancelled, type WaitableSet, waitableSetAt } from "./waitable.ts";

export interface LiftOptions {
  readonly scheduler: Scheduler;
  readonly tasks: InstanceTasks;
  readonly signature: Signature;
  readonly cx: Context;
  readonly core: CoreFunction;
  readonly isAsync: boolean;
  readonly callback: CoreFunction | undefined;
  readonly postReturn: CoreFunction | undefined;
  /** Component instances that a call enters: the function's own and those around it that the caller is not in. */
  readonly entered: readonly ComponentState[];
  /** The function's own instance and all around it. */
  readonly chain: readonly ComponentState[];
}

type Entry = (thread: Thread, args: readonly Flat[]) => void;

const callbackSignature: CoreSignature = { params: ["i32", "i32", "i32"], results: ["i32"] };

/** CanonicalABI.md, "unpack_callback_result". */
const exit = 0;
const yielding = 1;
const waiting = 2;

export class LiftedFunction {
  readonly signature: Signature;
  readonly cx: Context;
  readonly tasks: InstanceTasks;
  readonly isAsync: boolean;
  readonly callback: CoreFunction | undefined;
  readonly #scheduler: Scheduler;
  readonly #postReturn: CoreFunction | undefined;
  readonly #entered: readonly ComponentState[];
  readonly #chain: readonly ComponentState[];
  readonly #enterCore: Entry;
  readonly #enterCallback: Entry | undefined;
  readonly #lower: (args: readonly unknown[]) => Flat[];

  constructor(options: LiftOptions) {
    const { scheduler, signature, cx, core, isAsync, callback } = options;
    this.signature = signature;
    this.cx = cx;
    this.tasks = options.tasks;
    this.isAsync = isAsync;
    this.callback = callback;
    this.#scheduler = scheduler;
    this.#postReturn = options.postReturn;
    this.#entered = options.entered;
    this.#chain = options.chain;
    const lifted = coreSignature(signature.type, "lift", signature.codecs.address);
    const results = isAsync ? (callback === undefined ? [] : (["i32"] as const)) : lifted.results;
    this.#enterCore = entryOf(scheduler, core, { params: lifted.params, results });
    this.#enterCallback =
      callback === undefined ? undefined : entryOf(scheduler, callback, callbackSignature);
    // Lowering ends where the core function would be called: it gives what that would get.
    const lower = lowerAndCall({ signature, cx, core: (...flat: Flat[]) => flat });
    this.#lower = (args) => lower(args) as unknown as Flat[];
  }

  /**
   * Starts a call and lets it run until it pauses.
   *
   * @param isOnOwnStack False for a call whose result is wanted at once.
   */
  start(caller: Caller, isOnOwnStack: boolean): Later<Task> {
    if (!this.mayEnter()) trap("a call into a component instance that is already being called");
    const holder = this.#readyHolder();
    if (holder === undefined) return this.#start(caller, isOnOwnStack);
    return after(
      this.inside(() => this.#scheduler.resume(holder)),
      () => this.start(caller, isOnOwnStack),
    );
  }

  /** The thread that would hold the call back and can go on: it is let go on first, as the suite expects. */
  #readyHolder(): Thread | undefined {
    const { exclusive } = this.tasks;
    const { isAsync } = this.signature.type;
    const mayWait = isAsync && this.#scheduler.current?.hasOwnStack === true;
    return mayWait && this.#isHeldBack && exclusive?.isReady?.() === true ? exclusive : undefined;
  }

  #start(caller: Caller, isOnOwnStack: boolean): Later<Task> {
    const task = new Task(this, caller);
    const thread = new Thread(task, isOnOwnStack);
    task.implicit = thread;
    thread.proceed = () => this.#enter(thread);
    this.#scheduler.begin();
    return this.inside(() =>
      after(this.#scheduler.resume(thread), () =>
        after(this.signature.type.isAsync ? undefined : this.#awaitResult(task), () => task),
      ),
    );
  }

  mayEnter(): boolean {
    return this.#entered.every((state) => state.mayEnter);
  }

  /** Runs guest code of the instance, which nobody else may call into meanwhile. */
  inside<Result>(run: () => Later<Result>): Later<Result> {
    return within(this.#entered, run);
  }

  /** As `inside`, for a thread that nobody but the host makes go on. */
  insideFromHost<Result>(run: () => Later<Result>): Later<Result> {
    return within(this.#chain, run);
  }

  /** A synchronous task may pause only for threads of its own instance that can go on. */
  #awaitResult(task: Task): Later<void> {
    if (task.state === "resolved") return undefined;
    const thread = this.tasks.readyThread();
    if (thread === undefined) return trap("a synchronous task cannot wait before it returns");
    return after(this.#scheduler.resume(thread), () => this.#awaitResult(task));
  }

  get #isHeldBack(): boolean {
    const { tasks, cx } = this;
    const isExclusive = !this.isAsync || this.callback !== undefined;
    return cx.state.backpressure > 0 || (isExclusive && tasks.exclusive !== undefined);
  }

  /** CanonicalABI.md, "enter_implicit_thread". */
  #enter(thread: Thread): void {
    const { tasks } = this;
    const { task } = thread;
    if (!this.signature.type.isAsync || (!this.#isHeldBack && tasks.waitingToEnter === 0)) {
      this.#begin(thread);
      return;
    }
    tasks.waitingToEnter++;
    const proceed = (isCancelled: boolean) => {
      tasks.waitingToEnter--;
      if (!isCancelled) {
        this.#begin(thread);
        return;
      }
      task.cancel();
      this.#scheduler.end();
      this.#scheduler.over(thread);
    };
    this.#scheduler.park(thread, proceed, { isCancellable: true, isReady: () => !this.#isHeldBack });
  }

  #begin(thread: Thread): void {
    const { cx, tasks } = this;
    const { task } = thread;
    if (this.signature.type.isAsync && task.needsExclusive) tasks.exclusive = thread;
    task.register(thread);
    const args = task.start();
    const { state } = cx;
    cx.refreshIfDetached();
    cx.beginLower();
    state.mayLeave = false;
    state.scope = task;
    const flat = this.#lower(args);
    state.scope = undefined;
    thread.onReturn = (result) => this.#finish(thread, result);
    this.#enterCore(thread, flat);
  }

  #finish(thread: Thread, flat: Flat | undefined): void {
    if (this.callback !== undefined) {
      this.#step(thread, Number(flat));
      return;
    }
    if (!this.isAsync) this.#returnResult(thread.task, flat);
    this.#exit(thread);
  }

  #returnResult(task: Task, flat: Flat | undefined): void {
    const { cx } = this;
    cx.beginLift();
    task.return(this.#liftResult(flat));
    if (this.#postReturn === undefined) return;
    cx.state.mayLeave = false;
    if (flat === undefined) this.#postReturn();
    else this.#postReturn(flat);
    cx.state.mayLeave = true;
  }

  #liftResult(flat: Flat | undefined): unknown {
    const { result, isResultInMemory } = this.signature;
    if (result === undefined) return undefined;
    if (!isResultInMemory) return result.lift(this.cx, [flat as Flat], 0); // One core value, as its type says.
    const pointer = addressOf(flat);
    this.cx.checkRange(pointer, result.align, result.size);
    return result.load(this.cx, pointer);
  }

  #exit(thread: Thread): void {
    const { tasks } = this;
    thread.task.unregister(thread);
    if (tasks.exclusive === thread) tasks.exclusive = undefined;
    this.#scheduler.end();
    this.#scheduler.over(thread);
  }

  /** What the guest wants to be called back for. */
  #step(thread: Thread, packed: number): void {
    const code = packed & 0xf;
    switch (code) {
      case exit:
        this.#exit(thread);
        return;
      case yielding:
        this.#await(thread, undefined);
        return;
      case waiting:
        this.#await(thread, waitableSetAt(this.cx.state, packed >>> 4));
        return;
      default:
        trap(`unsupported callback code ${code}`);
    }
  }

  /** Lets others in until there is an event for it, and then no one. */
  #await(thread: Thread, set: WaitableSet | undefined): void {
    const { tasks } = this;
    tasks.exclusive = undefined;
    if (set !== undefined) set.waiters++;
    const wasCancelled = thread.task.takePendingCancel(true);
    const isReady = () =>
      tasks.exclusive === undefined && (wasCancelled || set === undefined || set.hasEvent);
    const proceed = (isCancelled: boolean) => {
      if (set !== undefined) set.waiters--;
      if (isCancelled || wasCancelled) this.#callBack(thread, taskCancelled);
      else this.#callBack(thread, set === undefined ? noEvent : set.take());
    };
    this.#scheduler.park(thread, proceed, { isCancellable: !wasCancelled, isReady });
  }

  #callBack(thread: Thread, event: Event): void {
    this.tasks.exclusive = thread;
    thread.onReturn = (packed) => this.#step(thread, Number(packed));
    // With a callback, which is why this was called.
    (this.#enterCallback as Entry)(thread, event);
  }

  /** Whether arguments of the host still fit: they may have changed while the call was held back. */
  accepts(args: readonly unknown[]): boolean {
    const { cx } = this;
    cx.beginCheck();
    return this.signature.params.every((codec: Codec, index) => codec.check(args[index], cx));
  }
}

function within<Result>(states: readonly ComponentState[], run: () => Later<Result>): Later<Result> {
  for (const state of states) state.mayEnter = false;
  return after(run(), (result) => {
    for (const state of states) state.mayEnter = true;
    return result;
  });
}

/** Runs a core function in a thread, on a stack of its own where that is wanted and V8 has one. */
export function entryOf(scheduler: Scheduler, core: CoreFunction, signature: CoreSignature): Entry {
  const own = scheduler.waiting?.entryOf(core, signature, scheduler.returned);
  return (thread, args) => {
    if (own === undefined || !thread.isOnOwnStack) {
      thread.hasOwnStack = false;
      // What it throws ends whoever called it: there is no stack between.
      thread.onReturn(core(...args));
      return;
    }
    thread.hasOwnStack = true;
    own(...args).catch((error: unknown) => scheduler.fail(error));
  };
}
