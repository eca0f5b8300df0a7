/**
 * One call, or one batch of calls, of a guest that keeps its thread until it answers: in line, then on its way, until its
 * answer is there; or until its caller no longer wants it, and then not for long.
 */

import type { RemoraError } from "../../base/index.ts";
import type { CancelSignal } from "../../component/index.ts";
import type { Budget } from "../limits.ts";
import { Cancellation, cancelledBy } from "./cancellation.ts";
import { type BatchOutcome, noReport } from "./isolation.ts";
import type { Job, Link } from "./link.ts";
import type { Message } from "./protocol.ts";
import { graceMs } from "./watchdog.ts";

export interface BlockingCallOptions {
  readonly link: Link;
  readonly message: Message;
  readonly budget: Budget;
  /** Of one call; see `Limits`. */
  readonly waitMsFree: number;
  /** What a guest has to end a call that is cancelled. It cannot be asked to: it may just be about to. */
  readonly cancelGraceMs: number;
  readonly hostCalled: NonNullable<Job["hostCalled"]>;
  /** Reads an answer. @throws what every call is to fail with from then on */
  readonly read: (answer: Message) => BatchOutcome;
  /** What is told when the thread or process is over. */
  readonly lost: (...how: Parameters<Job["lost"]>) => RemoraError;
  /** Its caller does not want to wait any longer: the guest is to stop, and takes no further call. */
  readonly stop: (error: RemoraError) => void;
  /** It is over, and so is what it lent. */
  readonly onOver: (call: BlockingCall, hasStarted: boolean) => void;
}

export class BlockingCall implements Job {
  message: Message;
  readonly allowedMs: number;
  readonly lastsMs: number;
  readonly outcome: Promise<BatchOutcome>;
  readonly #options: BlockingCallOptions;
  readonly #settled = Promise.withResolvers<BatchOutcome>();
  #cancellation: Cancellation | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What its caller is told in place of what the guest was stopped by. */
  #stopped: RemoraError | undefined;

  constructor(options: BlockingCallOptions) {
    this.#options = options;
    this.message = options.message;
    const { message, budget, waitMsFree } = options;
    this.allowedMs = message.count * budget.deadlineMs;
    this.lastsMs = this.allowedMs + message.count * waitMsFree + graceMs;
    this.outcome = this.#settled.promise;
  }

  /** Hands it to the link; from now on its caller may abort it. */
  submit(signal: CancelSignal | undefined): void {
    const { link, cancelGraceMs: graceMs } = this.#options;
    const left = (error: RemoraError) => {
      this.#over(false);
      this.#fail(error);
    };
    if (signal?.aborted === true) {
      left(cancelledBy(signal));
      return;
    }
    const leave = () => link.withdraw(this);
    const end = (error: RemoraError) => this.#stop(error);
    this.#cancellation = signal && new Cancellation(signal, { leave, left, ask() {}, graceMs, end });
    link.submit(this);
  }

  hostCalled(...called: Parameters<NonNullable<Job["hostCalled"]>>): void {
    this.#options.hostCalled(...called);
  }

  answered(answer: Message): void {
    try {
      const outcome = this.#options.read(answer);
      const { results } = outcome;
      const isCut = this.#stopped !== undefined && results.length < this.message.count;
      const failure = isCut ? { index: results.length, error: this.#stopped } : outcome.failure;
      this.#settled.resolve({ ...outcome, failure });
    } catch (error) {
      this.#settled.reject(error);
    }
    this.#over(true);
  }

  lost(...how: Parameters<Job["lost"]>): void {
    const [, hasStarted] = how;
    this.#over(hasStarted);
    const told = this.#options.lost(...how);
    if (this.#stopped === undefined) this.#settled.reject(told);
    else this.#fail(this.#stopped);
  }

  #stop(error: RemoraError): void {
    this.#stopped = error;
    // Below another guest it stops when that one is over.
    this.#timer = setTimeout(() => this.#fail(error), graceMs);
    this.#options.stop(error);
  }

  #fail(error: unknown): void {
    this.#settled.resolve({ results: [], failure: { index: 0, error }, report: noReport });
  }

  #over(hasStarted: boolean): void {
    clearTimeout(this.#timer);
    this.#cancellation?.over();
    this.#options.onOver(this, hasStarted);
  }
}
