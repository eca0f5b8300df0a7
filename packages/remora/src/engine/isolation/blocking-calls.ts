/**
 * What the host wants of a guest that keeps its thread until it answers: all but those of asynchronous components. Each
 * is a job of the link's.
 */

import { isRemoraError, type RemoraError } from "../../base/index.ts";
import type { CancelSignal } from "../../component/index.ts";
import type { Budget, Limits } from "../limits.ts";
import { BlockingCall } from "./blocking-call.ts";
import { packetOf, readOutcome, readPiece } from "./call-packet.ts";
import { type Face, ForgedMessage, type RemoteFunction } from "./face.ts";
import type { HostCalls } from "./host-calls.ts";
import type { HostFailures } from "./host-failures.ts";
import { type BatchOutcome, type IsolatedReport, noReport, nothingSpent, spentWith } from "./isolation.ts";
import type { Job, Link } from "./link.ts";
import { type Kind, kinds, type Message, message } from "./protocol.ts";
import type { Standing } from "./standing.ts";
import { graceMs } from "./watchdog.ts";

export interface BlockingCallsOptions {
  /** On the other side. */
  readonly number: number;
  readonly link: Link;
  readonly face: Face;
  readonly failures: HostFailures;
  readonly limits: Limits;
  readonly standing: Standing;
  readonly hostCalls: HostCalls;
  /** Makes the guest stop that runs, or that waits for the host. */
  readonly interrupt: (error: RemoraError) => void;
}

/** One message to the guest, and what is done with its end. */
interface Asked {
  readonly allowedMs: number;
  /** No code of the guest's runs, so that it cannot call the host. */
  readonly isStill?: boolean;
  /** Throws what shows that the answer cannot come from code of ours. */
  answered(answer: Message): void;
  failed(error: RemoraError): void;
}

export class BlockingCalls {
  readonly #options: BlockingCallsOptions;
  readonly #pending = new Set<Job>();
  #report: IsolatedReport = noReport;
  #spent = nothingSpent;

  constructor(options: BlockingCallsOptions) {
    this.#options = options;
  }

  /** Whether a message of it is on its way or in line. */
  get isPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Whether the guest runs, and does not wait for the host. */
  get isRunning(): boolean {
    return [...this.#pending].some((job) => this.#options.link.runs(job));
  }

  /** Of the last call. */
  get report(): IsolatedReport {
    return this.#report;
  }

  /** Of all calls. */
  get spent(): typeof nothingSpent {
    return this.#spent;
  }

  /** Makes the guest over there. @throws what its start functions failed with */
  begin(artifact: number, allowedMs: number): Promise<void> {
    const { failures } = this.#options;
    return new Promise((resolve, reject) => {
      this.#submit(
        kinds.instantiate,
        { item: artifact },
        {
          allowedMs,
          answered: ({ kind, payload }) => {
            const error = kind === kinds.failed ? failures.error(payload) : undefined;
            if (error !== undefined) reject(error);
            else if (kind === kinds.done) resolve();
            else throw unexpected(kind, "a new instance");
          },
          failed: reject,
        },
      );
    });
  }

  /**
   * Makes calls of one function, in one crossing.
   *
   * @param signal Ends them: those in line never begin, and a guest that runs is ended with its instance.
   * @throws component/type-mismatch together they are no packet; nothing ran
   */
  callAll(
    called: RemoteFunction,
    batch: readonly (readonly unknown[])[],
    budget: Budget,
    signal: CancelSignal | undefined,
  ): Promise<BatchOutcome> {
    const { link, face, number: target, interrupt, standing, limits } = this.#options;
    const { rows, payload, misfit } = packetOf(called, batch);
    const endLoans = face.lendings();
    const { length: count } = rows;
    if (count === 0) {
      endLoans();
      return Promise.resolve({ results: [], failure: misfit, report: noReport });
    }
    const { fuelMax: first, deadlineMs: second } = budget;
    const call = new BlockingCall({
      link,
      message: message(kinds.call, { target, item: called.number, count, first, second, payload }),
      budget,
      waitMsFree: limits.waitMsFree,
      cancelGraceMs: face.cancelGraceMs,
      hostCalled: this.#hostCalled(budget.deadlineMs),
      read: (answer) => {
        const outcome = this.#read(called, answer, count);
        return outcome.failure === undefined ? { ...outcome, failure: misfit } : outcome;
      },
      lost: (end, hasStarted, isInnermost) =>
        standing.lost(end, { hasStarted, isInnermost, deadlineMs: budget.deadlineMs }),
      stop: (error) => {
        standing.poison(error);
        interrupt(error);
      },
      onOver: (job, hasStarted) => {
        endLoans();
        this.#settle(job, hasStarted);
      },
    });
    this.#pending.add(call);
    call.submit(signal);
    return call.outcome;
  }

  /** The host lets go of an object of the guest's. */
  release(item: number, count: number): void {
    const { failures, standing, limits } = this.#options;
    const { fuelMax: first, deadlineMs: second } = limits;
    this.#submit(
      kinds.release,
      { item, count, first, second },
      {
        allowedMs: limits.deadlineMs,
        answered: ({ kind, payload }) => {
          const error = kind === kinds.failed ? failures.error(payload) : undefined;
          if (error !== undefined) standing.poison(error);
          else if (kind !== kinds.done) throw unexpected(kind, "a resource that is let go of");
        },
        failed: () => {}, // Nobody waits for it; the next call is refused.
      },
    );
  }

  /** Asks for a piece of memory between two calls. @returns undefined when it is not wholly there */
  peek(at: number, length: number): Promise<Uint8Array | undefined> {
    return this.#askMemory(kinds.peek, { first: at, second: length }, length);
  }

  /** Puts bytes there between two calls. @returns false, and nothing is written, when they do not lie wholly in it */
  async poke(at: number, payload: Uint8Array): Promise<boolean> {
    return (await this.#askMemory(kinds.poke, { first: at, payload }, 0)) !== undefined;
  }

  #askMemory(kind: Kind, facts: Partial<Message>, length: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#submit(kind, facts, {
        allowedMs: copyingMsMax,
        isStill: true,
        answered: (answer) => resolve(readPiece(answer, length)),
        failed: reject,
      });
    });
  }

  /** What is in line never begins. */
  end(): void {
    const { link } = this.#options;
    for (const job of [...this.#pending]) {
      if (link.withdraw(job)) job.lost({ reason: "closed", isGuestsFault: false }, false, false);
    }
  }

  /** Sends a message, now or in its turn, and tells its end once. */
  #submit(
    kind: Kind,
    facts: Partial<Message>,
    { allowedMs, isStill = false, answered, failed }: Asked,
  ): void {
    const { link, number: target, standing, limits } = this.#options;
    const { deadlineMs, waitMsFree } = limits;
    const job: Job = {
      message: message(kind, { target, ...facts }),
      allowedMs,
      lastsMs: allowedMs + waitMsFree + graceMs,
      ...(!isStill && { hostCalled: this.#hostCalled(deadlineMs) }),
      answered: (answer) => {
        try {
          answered(answer);
        } catch (error) {
          failed(standing.forged(error));
        }
        this.#settle(job, true);
      },
      lost: (end, hasStarted, isInnermost) => {
        this.#settle(job, hasStarted);
        failed(standing.lost(end, { hasStarted, isInnermost, deadlineMs }));
      },
    };
    this.#pending.add(job);
    link.submit(job);
  }

  #hostCalled(deadlineMs: number): NonNullable<Job["hostCalled"]> {
    return (call, reply, waitMsMax) => this.#options.hostCalls.answer(call, reply, { deadlineMs, waitMsMax });
  }

  /** Reads what came, and trusts nothing of it. @throws what every call is to fail with from then on */
  #read(called: RemoteFunction, answer: Message, count: number): BatchOutcome {
    const { failures, standing } = this.#options;
    try {
      const { outcome, isPoisoned } = readOutcome(called, answer, count, failures);
      this.#report = outcome.report;
      this.#spent = spentWith(this.#spent, outcome.report);
      if (isPoisoned && isRemoraError(outcome.failure?.error)) standing.poison(outcome.failure.error);
      return outcome;
    } catch (error) {
      throw standing.forged(error);
    }
  }

  /** A job is over, however. */
  #settle(job: Job, hasStarted: boolean): void {
    this.#pending.delete(job);
    // What stood in line leaves the call that runs as it is.
    if (!hasStarted) return;
    this.#options.hostCalls.end();
    this.#options.failures.forget();
  }
}

/** No guest code runs for it; but a message may be large, and the machine busy. */
const copyingMsMax = 5_000;

function unexpected(kind: number, what: string): ForgedMessage {
  return new ForgedMessage(`a message of kind ${kind} for ${what}`);
}
