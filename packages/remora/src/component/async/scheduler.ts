/**
 * Who runs (CanonicalABI.md, "Threads" and "Store"). One thread of an instance runs at a time; what the host wants of it is
 * done in turns between. Whoever makes another thread go on waits until that one pauses or ends, which is at
 * once unless the other has a stack that V8 has to take up again.
 */

import { Few, RemoraError } from "../../base/index.ts";
import { trap } from "../abi/trap.ts";
import type { CoreEngine, CoreWaiting, Flat } from "../core.ts";
import { componentErrors } from "../errors.ts";
import type { Later } from "./later.ts";
import { Activation, type Thread } from "./thread.ts";

/**
 * A call by the host that has no result yet. A class as all that is made for each call: what literals make V8 may come
 * to allocate among the old objects, where it keeps whatever it refers to until those are collected. A third of the
 * time of a call that waits went into that.
 */
export class HostCall {
  /** The guest's result; given to the host when the guest has paused. */
  outcome: unknown = noOutcome;
  /** Asks the guest to end it; set when it has begun and paused for the first time. */
  requestCancellation: (() => Later<void>) | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  constructor(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.resolve = resolve;
    this.reject = reject;
  }
}

const noOutcome = Symbol("no outcome");

/** Something of the host's that can still happen: a promise that it owes, or an end of a stream that it has. */
export interface HostEnd {
  fail(error: RemoraError): void;
}

export interface Pause {
  readonly isCancellable?: boolean;
  readonly isReady?: () => boolean;
  /** The thread that goes on instead. */
  readonly next?: Thread;
}

/** Turns that are taken in a row before the host's own events get theirs. */
const turnsMax = 64;

export class Scheduler {
  readonly engine: CoreEngine;
  readonly waiting: CoreWaiting | undefined;
  current: Thread | undefined;
  /** What the arguments cost the host of calls that it has not answered: see `held.ts`. The guest says how many there are. */
  heldBytes = 0;
  /** How many of those there are. */
  heldCalls = 0;
  /** Characters of the errors that its handles stand for: see `error-context.ts`. */
  messageUnits = 0;
  /** Told whenever it has become quiet. */
  onQuiet: (() => void) | undefined;
  readonly #threadsMax: number;
  #threads = 0;
  readonly #ready = new Few<Thread>();
  readonly #jobs: (() => Later<void>)[] = [];
  readonly #queued = new Few<HostCall>();
  readonly #hostEnds = new Few<HostEnd>();
  #call: HostCall | undefined;
  #isBusy = false;
  /** Whether guest code may have run in this turn, on an account that is to be closed. */
  #isOpen = false;
  #failure: RemoraError | undefined;

  constructor(engine: CoreEngine, threadsMax: number) {
    this.engine = engine;
    this.waiting = engine.waiting;
    this.#threadsMax = threadsMax;
    if (this.waiting !== undefined) this.waiting.onDeath = () => this.fail(undefined);
  }

  /** Nothing happens until the host does something, or a deadline passes; or ever. */
  get isAtRest(): boolean {
    return !this.#isBusy || this.#failure !== undefined;
  }

  /** Why nothing happens any more. */
  get failure(): RemoraError | undefined {
    return this.#failure;
  }

  /**
   * Nothing goes on behind the results of its calls: none of its threads, and the host has no stream or future of it, nor it
   * one of the host's.
   */
  get isQuiet(): boolean {
    return this.#failure !== undefined || (this.#threads === 0 && this.#hostEnds.size === 0);
  }

  /** Counts a thread, or a call of the host that is under way. The guest says how many there are. */
  begin(): void {
    if (++this.#threads > this.#threadsMax) trap(`more than ${this.#threadsMax} calls under way`);
  }

  end(): void {
    this.#threads--;
    this.#lookIfQuiet();
  }

  #lookIfQuiet(): void {
    if (this.onQuiet !== undefined && this.isQuiet) this.onQuiet();
  }

  /** Lets a thread go on until it pauses or ends. */
  resume(thread: Thread, isCancelled = false): Later<void> {
    this.stopWaiting(thread);
    const { proceed } = thread;
    if (proceed === undefined) return trap("a thread that runs cannot be resumed");
    thread.proceed = undefined;
    const activation = new Activation();
    thread.activation = activation;
    const before = this.current;
    this.current = thread;
    const waiting = thread.isOnOwnStack ? this.waiting : undefined;
    const stackLeft = waiting?.swapStack(thread.stackLeft);
    const finish = () => {
      this.current = before;
      // A thread that has returned begins with a fresh stack when it is called back.
      const left = waiting?.swapStack(stackLeft);
      thread.stackLeft = thread.hasOwnStack ? left : undefined;
      return activation.next === undefined ? undefined : this.resume(activation.next);
    };
    proceed(isCancelled);
    if (activation.isOver) return finish();
    return new Promise<void>((resolve) => {
      activation.onOver = resolve;
    }).then(finish);
  }

  /** The thread that runs pauses, and `proceed` is what it does next. */
  park(thread: Thread, proceed: (isCancelled: boolean) => void, pause: Pause): void {
    thread.proceed = proceed;
    thread.isCancellable = pause.isCancellable ?? false;
    if (pause.isReady !== undefined) this.#wait(thread, pause.isReady);
    this.over(thread, pause.next);
  }

  over(thread: Thread, next?: Thread): void {
    const activation = thread.activation as Activation; // It runs, since it was resumed.
    activation.isOver = true;
    activation.next = next;
    activation.onOver?.();
  }

  /** The thread that runs pauses in the middle of its code; true when it is told to stop. */
  block(pause: Pause): Later<boolean> {
    const thread = this.running();
    if (thread.task.takePendingCancel(pause.isCancellable ?? false)) return true;
    if (!thread.hasOwnStack) {
      // CanonicalABI.md, "wait_until": what is ready need not be waited for.
      if (pause.next === undefined && pause.isReady?.() === true) return false;
      throw componentErrors["cannot-wait"]({ name: "another thread" });
    }
    return new Promise((resolve) => this.park(thread, resolve, pause));
  }

  /** As `block`, and goes on at once when there is nothing to wait for. */
  waitUntil(isReady: () => boolean, isCancellable = false): Later<boolean> {
    if (this.running().task.takePendingCancel(isCancellable)) return true;
    return isReady() ? false : this.block({ isReady, isCancellable });
  }

  running(): Thread {
    return this.current ?? trap("no task is running");
  }

  resumeLater(thread: Thread): void {
    this.#wait(thread, () => true);
  }

  #wait(thread: Thread, isReady: () => boolean): void {
    thread.isReady = isReady;
    this.#ready.add(thread);
  }

  stopWaiting(thread: Thread): void {
    thread.isReady = undefined;
    this.#ready.delete(thread);
  }

  /** What a core function on a stack of its own returned. */
  readonly returned = (flat: Flat | undefined): void => {
    const thread = this.running();
    thread.hasOwnStack = false;
    try {
      thread.onReturn(flat);
    } catch (error) {
      this.fail(error);
    }
  };

  /** The host may still do something that the guest waits for. */
  hold(end: HostEnd): void {
    if (this.#failure !== undefined) end.fail(this.#failure);
    else this.#hostEnds.add(end);
  }

  release(end: HostEnd): void {
    this.#hostEnds.delete(end);
    this.#lookIfQuiet();
  }

  get hostEnds(): number {
    return this.#hostEnds.size;
  }

  /**
   * Makes a call of the host when the guest has paused; `start` begins it.
   *
   * @param onCall Gets the call before it begins, for `withdraw`.
   */
  call(start: (call: HostCall) => Later<void>, onCall?: (call: HostCall) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = new HostCall(resolve, reject);
      onCall?.(call);
      if (this.#failure !== undefined || this.#call !== undefined) return this.#refuse(call);
      this.#queued.add(call);
      this.whenPaused(() => {
        if (!this.#queued.delete(call)) return undefined;
        try {
          this.engine.enter();
        } catch (error) {
          // The instance is in the middle of another call, or gone.
          reject(error);
          return undefined;
        }
        this.#call = call;
        return start(call);
      });
    });
  }

  /** Nobody wants the result any more: a call that has not begun never does, and the guest is asked to end one that has. */
  withdraw(call: HostCall, reason: unknown): void {
    if (this.#queued.delete(call)) {
      call.reject(componentErrors.cancelled({ afterMs: undefined }, reason));
      return;
    }
    if (this.#call !== call) return;
    this.waiting?.hurry(reason);
    this.whenPaused(() => {
      if (this.#call !== call || call.requestCancellation === undefined) return undefined;
      this.open();
      return call.requestCancellation();
    });
  }

  /** Ends the running call without a failure of the guest's: it never got there. */
  cancelCall(call: HostCall, error: unknown): void {
    this.#call = undefined;
    this.waiting?.settle();
    this.engine.cancel();
    call.reject(error);
  }

  /** Does something of the host's when the guest has paused: now, or between two of its turns. */
  whenPaused(job: () => Later<void>): void {
    this.#jobs.push(job);
    this.kick();
  }

  /** Runs a call that gives its result at once: what the host wants meanwhile, in a function that the guest calls, waits. */
  atOnce<Result>(run: () => Result): Result {
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    try {
      return run();
    } finally {
      this.#isBusy = wasBusy;
    }
  }

  /** Lets threads run that are ready. */
  kick(): void {
    if (!this.#isBusy && this.#failure === undefined) void this.#takeTurns();
  }

  async #takeTurns(): Promise<void> {
    this.#isBusy = true;
    let turns = 0;
    for (let turn = this.#next(); turn !== undefined; turn = this.#next()) {
      try {
        const later = turn();
        if (later instanceof Promise) await later;
        this.#settle();
      } catch (error) {
        this.fail(error);
      }
      if (this.#failure !== undefined) return;
      if (++turns % turnsMax !== 0) continue;
      // A guest that goes on for ever in small steps may never come to a check of its own.
      if (this.#call !== undefined) this.waiting?.wait();
      await this.waiting?.turn();
    }
    this.#isBusy = false;
    this.#pause();
  }

  #next(): (() => Later<void>) | undefined {
    const job = this.#jobs.shift();
    if (job !== undefined) return job;
    const thread = this.#ready.find(({ isReady }) => isReady?.() === true);
    if (thread === undefined) return undefined;
    return () => {
      this.open();
      return thread.task.lifted.insideFromHost(() => this.resume(thread));
    };
  }

  /** Before guest code runs in a turn: within the call of the host, or on the account of the last one. */
  open(): void {
    if (this.#call !== undefined) this.waiting?.resume();
    else if (this.waiting !== undefined) this.waiting.goOn();
    else this.engine.enter();
    this.#isOpen = true;
  }

  /** After a turn: a call that has its result gives it to the host. */
  #settle(): void {
    const call = this.#call;
    const isOpen = this.#isOpen;
    this.#isOpen = false;
    if (call === undefined) {
      if (isOpen) this.engine.leave();
      return;
    }
    if (call.outcome === noOutcome) return;
    this.waiting?.settle();
    this.engine.leave();
    this.#call = undefined;
    call.resolve(call.outcome);
  }

  #pause(): void {
    if (this.#call === undefined) return;
    if (this.#hostEnds.size === 0)
      this.fail(componentErrors.trap({ what: "a deadlock: nothing can happen any more that it waits for" }));
    else this.waiting?.rest();
  }

  /** The guest failed: everything that waits for it is told so. */
  fail(error: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure;
    const failure = this.engine.fail(error);
    this.#failure =
      failure instanceof RemoraError ? failure : componentErrors.trap({ what: "its code trapped" }, failure);
    this.#jobs.length = 0;
    this.#ready.takeAll();
    this.#call?.reject(failure);
    this.#call = undefined;
    for (const call of this.#queued.takeAll()) this.#refuse(call);
    for (const end of this.#hostEnds.takeAll()) end.fail(this.#failure);
    this.#lookIfQuiet();
    return failure;
  }

  /** The engine says why: it is in the middle of another call, or gone. */
  #refuse(call: HostCall): void {
    try {
      this.engine.enter();
    } catch (error) {
      call.reject(error);
    }
  }
}
