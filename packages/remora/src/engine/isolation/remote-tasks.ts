/**
 * Calls into a guest of an asynchronous component, on the host's side. It waits for the host without keeping its thread:
 * every message is answered by what happened until then, and what the host comes to meanwhile goes over with the next.
 */

import { isRemoraError, type RemoraError, timerMsMax } from "../../base/index.ts";
import type { CancelSignal } from "../../component/index.ts";
import type { ValueType } from "../../component/types.ts";
import { engineErrors } from "../errors.ts";
import type { Budget, Limits } from "../limits.ts";
import { cancelGraceMs } from "../waiting.ts";
import { checkReported } from "./call-packet.ts";
import { Cancellation, cancelledBy } from "./cancellation.ts";
import type { EndsPeer } from "./crossing-ends.ts";
import { decodeEvents, type Event, eventKinds, outcomes } from "./events.ts";
import { type Face, type FaceTasks, ForgedMessage, type RemoteFunction } from "./face.ts";
import type { HostFailures } from "./host-failures.ts";
import { type BatchOutcome, type IsolatedReport, noReport, nothingSpent, spentWith } from "./isolation.ts";
import type { Job, Link } from "./link.ts";
import { type Kind, kinds, type Message, message } from "./protocol.ts";
import { Questions } from "./questions.ts";
import type { Standing } from "./standing.ts";
import { graceMs } from "./watchdog.ts";

export interface RemoteTasksOptions {
  /** On the other side. */
  readonly number: number;
  readonly link: Link;
  readonly face: Face;
  readonly tasks: FaceTasks;
  readonly failures: HostFailures;
  readonly limits: Limits;
  /** A host function of synchronous type is called: it blocks the guest. */
  readonly hostCalled: NonNullable<Job["hostCalled"]>;
  readonly standing: Standing;
  /** What a host function threw, as an error of ours. */
  readonly known: (error: unknown) => RemoraError;
  /** @throws why the instance takes no call now */
  readonly refuse: () => void;
  /** The guest goes on with a call that nobody wants any more: it is to be ended. */
  readonly stop: (error: RemoraError) => void;
}

export interface TaskOutcome {
  readonly result: unknown;
  readonly report: IsolatedReport;
}

/** Something that the other side owes: the end of a call, or a value of one of its streams. */
interface Owed {
  settle(came: Event): void;
  fail(error: unknown): void;
}

/** Its clock starts later than the host's, on a busy machine by some tens of milliseconds. */
const lateMsMax = 10 * graceMs;

/**
 * Values that may be owed at one time. Code of ours on the other side gives fewer streams and futures; each is waited for once, and
 * is owed no more when the host has let go of it.
 */
const wantedMax = 16_384;

export class RemoteTasks implements EndsPeer {
  readonly #options: RemoteTasksOptions;
  readonly #questions: Questions;
  readonly #owed = new Map<number, Owed>();
  /** Of what is owed, values. */
  #wanted = 0;
  #lastOwed = 0;
  /** By the number of a call that is owed: from when on the other side cannot say that it still waits. */
  readonly #overdueAt = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  /** Messages that have no answer yet. */
  readonly #jobs = new Set<Job>();
  /** Why nothing comes any more. */
  #end: { readonly error: unknown } | undefined;
  /** What the instance failed with. */
  #broken: RemoraError | undefined;
  #report: IsolatedReport = noReport;
  #spent = nothingSpent;

  constructor(options: RemoteTasksOptions) {
    this.#options = options;
    const { failures, known, standing } = options;
    this.#questions = new Questions({
      failures,
      known,
      tell: (payload) => this.#send(kinds.settle, { payload }),
      forged: (error) => this.end(standing.forged(error)),
    });
  }

  /** Whether a message to the guest is on its way or in line. */
  get isPending(): boolean {
    return this.#jobs.size > 0;
  }

  /** Whether the guest runs, and does not wait. */
  get isRunning(): boolean {
    return [...this.#jobs].some((job) => this.#options.link.runs(job));
  }

  /** Of the last call. */
  get report(): IsolatedReport {
    return this.#report;
  }

  /** Of all calls. */
  get spent(): typeof nothingSpent {
    return this.#spent;
  }

  /** One after another: a guest of an asynchronous component takes one call at a time. */
  async callAll(
    called: RemoteFunction,
    batch: readonly (readonly unknown[])[],
    budget: Budget,
    signal: CancelSignal | undefined,
  ): Promise<BatchOutcome> {
    const results: unknown[] = [];
    let report = noReport;
    for (const [index, row] of batch.entries()) {
      try {
        this.#options.refuse();
        const outcome = await this.call(called, row, budget, signal);
        // A future of the world is a promise of its value.
        results.push(await outcome.result);
        report = sumOf(report, outcome.report);
        this.#report = report;
        this.#spent = spentWith(this.#spent, outcome.report);
      } catch (error) {
        return { results, failure: { index, error }, report };
      }
    }
    return { results, failure: undefined, report };
  }

  /**
   * @throws component/type-mismatch an argument does not fit; nothing ran
   * @throws component/cancelled the signal was aborted
   */
  async call(
    called: RemoteFunction,
    args: readonly unknown[],
    budget: Budget,
    signal?: CancelSignal,
  ): Promise<TaskOutcome> {
    const payload = called.write([args]);
    const endLoans = this.#options.face.lendings();
    const { fuelMax: first, deadlineMs: second } = budget;
    let owedId = 0;
    let begun: Job | undefined;
    const begin = (id: number) => {
      owedId = id;
      const lastsMs = second + this.#options.limits.waitMsFree + lateMsMax;
      const started = () => this.#overdueAt.set(id, performance.now() + lastsMs);
      begun = this.#send(kinds.begin, { item: called.number, count: id, first, second, payload }, started);
    };
    if (signal?.aborted === true) {
      endLoans();
      throw cancelledBy(signal);
    }
    const outcome = this.#owe(begin, {
      read: (came) => this.#outcome(called, came),
      over: () => {
        this.#overdueAt.delete(owedId);
        endLoans();
      },
      kind: eventKinds.ended,
    });
    if (signal === undefined) return outcome;
    const cancellation = new Cancellation(signal, {
      leave: () => begun !== undefined && this.#withdraw(begun),
      left: (error) => this.#giveUp(owedId, error),
      ask: () => this.#cancel(owedId),
      // It ends a guest that goes on itself, unless that never pauses.
      graceMs: cancelGraceMs + graceMs,
      end: (error) => this.#abandon(error),
    });
    try {
      return await outcome;
    } catch (error) {
      // What the guest's side says of it lacks the reason.
      if (!isRemoraError(error, "component/cancelled") || error.cause !== undefined) throw error;
      throw cancelledBy(signal, (error.details as { readonly afterMs?: number }).afterMs); // The details of that code.
    } finally {
      cancellation.over();
    }
  }

  #cancel(count: number): void {
    this.#options.failures.hasCancelled = true;
    this.#send(kinds.cancel, { count });
  }

  /** Takes back a message that was not sent. */
  #withdraw(job: Job): boolean {
    return this.#options.link.withdraw(job) && this.#jobs.delete(job);
  }

  #giveUp(id: number, error: RemoraError): void {
    this.#owed.get(id)?.fail(error);
    this.#owed.delete(id);
  }

  /** The guest has not ended a call that was cancelled: it is ended itself. */
  #abandon(error: RemoraError): void {
    const { standing, stop } = this.#options;
    standing.poison(error);
    this.end(error);
    stop(error);
  }

  /** @throws engine/protocol-broken so many streams and futures cannot have been given by code of ours: it is ended */
  want(number: number, type: ValueType | undefined): Promise<IteratorResult<unknown, undefined>> {
    if (this.#wanted >= wantedMax) {
      const error = this.#options.standing.forged(
        new ForgedMessage(`more than ${wantedMax} streams and futures`),
      );
      this.end(error);
      throw error;
    }
    this.#wanted++;
    return this.#owe((id) => this.#send(kinds.pull, { item: number, count: id }), {
      read: ({ item, payload }) =>
        item === outcomes.done
          ? { done: true, value: undefined }
          : { done: false, value: this.#options.tasks.readValue(type, payload) },
      over: () => this.#wanted--,
      kind: eventKinds.settled,
    });
  }

  /** Lets go of an object of the guest's. */
  release(item: number, count: number): void {
    const { fuelMax: first, deadlineMs: second } = this.#options.limits;
    if (this.#end === undefined) this.#send(kinds.release, { item, count, first, second });
  }

  letGo(number: number): void {
    if (this.#end === undefined) this.#send(kinds.letGo, { item: number });
  }

  /** Nothing comes any more, and what has not begun never does. */
  end(error: unknown): void {
    this.#end ??= { error };
    this.#questions.end();
    for (const job of this.#jobs) this.#withdraw(job);
    clearTimeout(this.#timer);
    this.#options.tasks.letGoOfAll();
    for (const owed of this.#owed.values()) owed.fail(error);
    this.#owed.clear();
  }

  #owe<Value>(
    send: (id: number) => void,
    { read, over, kind }: { read(came: Event): Value; over(): void; readonly kind: number },
  ): Promise<Value> {
    const id = ++this.#lastOwed;
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        over();
        throw this.#end.error;
      }
      this.#owed.set(id, {
        settle: (came) => {
          over();
          if (came.kind !== kind) throw new ForgedMessage("an event of another kind than was owed");
          if (came.item === outcomes.failed) reject(this.#failure(came.payload));
          else resolve(read(came));
        },
        fail: (error) => {
          over();
          reject(error);
        },
      });
      send(id);
    });
  }

  #failure(payload: Uint8Array): RemoraError {
    const error = this.#options.failures.error(payload);
    if (error === undefined) throw new ForgedMessage("a failure that is none");
    return error;
  }

  #outcome(called: RemoteFunction, { first, second, third, payload }: Event): TaskOutcome {
    const [result] = called.read(payload, 1);
    return { result, report: { fuelUsed: first, memoryPages: second, durationMs: third } };
  }

  #send(kind: Kind, facts: Partial<Message>, started?: () => void): Job {
    const { link, number, limits, hostCalled, standing } = this.#options;
    const { deadlineMs, waitMsFree } = limits;
    let startedMs = Number.POSITIVE_INFINITY;
    const job: Job = {
      message: message(kind, { target: number, ...facts }),
      needsLoop: true,
      allowedMs: deadlineMs,
      lastsMs: deadlineMs + waitMsFree + graceMs,
      started: () => {
        startedMs = performance.now();
        started?.();
      },
      hostCalled,
      answered: (answer) => {
        this.#jobs.delete(job);
        this.#answered(answer, startedMs);
      },
      lost: (end, hasStarted, isInnermost) => {
        this.#jobs.delete(job);
        this.end(standing.lost(end, { hasStarted, isInnermost, deadlineMs }));
      },
    };
    this.#jobs.add(job);
    link.submit(job);
    return job;
  }

  /** Reads what came, and trusts nothing of it. */
  #answered({ kind, target, first, payload }: Message, sentMs: number): void {
    if (this.#end !== undefined) return;
    try {
      if (kind !== kinds.events) throw new ForgedMessage(`a message of kind ${kind} as events`);
      if (!(first >= 0)) throw new ForgedMessage(`${first} milliseconds left`);
      for (const each of decodeEvents(payload)) this.#happened(each);
      if (this.#overdueFirst < sentMs) throw new ForgedMessage("a call that goes on when its time is over");
    } catch (error) {
      this.end(this.#options.standing.forged(error));
      return;
    }
    clearTimeout(this.#timer);
    if (this.#owed.size === 0 && this.#questions.awaited === 0) this.#options.failures.forget();
    if (target !== 0) this.#break();
    else if (this.#owed.size > 0) this.#lookAfter(Math.min(first, this.#overdueFirst - performance.now()));
  }

  get #overdueFirst(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#overdueAt.values());
  }

  /** The other side's own clock stands still while nobody turns its loop. */
  #lookAfter(delayMs: number): void {
    if (delayMs <= timerMsMax) this.#timer = setTimeout(() => this.#send(kinds.settle, {}), delayMs + 1);
  }

  #break(): void {
    const error = this.#broken ?? engineErrors["isolate-failed"]({ reason: "it does not say why" });
    this.end(error);
    this.#options.standing.poison(error);
  }

  #happened(came: Event): void {
    switch (came.kind) {
      case eventKinds.broke:
        if (this.#broken !== undefined) throw new ForgedMessage("an instance that breaks twice");
        this.#broken = this.#failure(came.payload);
        return;
      case eventKinds.asked:
        this.#questions.serve(came, () => this.#options.tasks.serve(came.item, came.payload));
        return;
      case eventKinds.wanted:
        this.#questions.serve(came, () => this.#options.tasks.nextValue(came.item));
        return;
      case eventKinds.forgot:
        this.#questions.forget(came.id);
        return;
      case eventKinds.letGo:
        this.#options.tasks.letGo(came.item);
        return;
      default: {
        const owed = this.#owed.get(came.id);
        if (owed === undefined)
          throw new ForgedMessage(`an event of kind ${came.kind} that nobody waits for`);
        for (const number of [came.first, came.second, came.third]) checkReported(number);
        owed.settle(came);
        // Not before: what it cannot be settled with ends all that are owed.
        this.#owed.delete(came.id);
      }
    }
  }
}

function sumOf(before: IsolatedReport, last: IsolatedReport): IsolatedReport {
  return {
    fuelUsed: before.fuelUsed + last.fuelUsed,
    memoryPages: last.memoryPages,
    durationMs: before.durationMs + last.durationMs,
  };
}
