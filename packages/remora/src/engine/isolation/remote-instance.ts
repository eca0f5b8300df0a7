/** An instance behind a wall, as its callers see it. What goes over the wall and back is its face's business. */

import { isRemoraError, type RemoraError } from "../../base/index.ts";
import { ComponentError } from "../../component/index.ts";
import { engineErrors } from "../errors.ts";
import type { Budget, Limits } from "../limits.ts";
import { packetOf, readOutcome, readPiece } from "./call-packet.ts";
import type { EndsPeer } from "./crossing-ends.ts";
import { type Face, type FaceTasks, ForgedMessage, type RemoteFunction } from "./face.ts";
import { HostCalls, knownError } from "./host-calls.ts";
import { closedError, type HostFailures } from "./host-failures.ts";
import {
  type BatchOutcome,
  type IsolatedInstance,
  type IsolatedReport,
  type IsolationLevel,
  noReport,
} from "./isolation.ts";
import type { End, Job, Link } from "./link.ts";
import { kinds, type Message, message, payloadBytesMax } from "./protocol.ts";
import { RemoteTasks } from "./remote-tasks.ts";

export interface RemoteOptions {
  readonly level: IsolationLevel;
  readonly plugin: string;
  /** On the other side. */
  readonly number: number;
  readonly link: Link;
  readonly face: Face;
  readonly failures: HostFailures;
  readonly limits: Limits;
  readonly onLost?: ((reason: RemoraError) => void) | undefined;
  /** It is closed, or lost: nobody needs to tell it of anything any more. */
  readonly onGone: (instance: RemoteInstance) => void;
}

/** One message to the guest, and what is done with its end. */
interface Asked {
  readonly allowedMs: number;
  /** What the guest may spend; undefined where no code of it runs, so that it cannot call the host. */
  readonly budget?: Budget;
  /** Throws what shows that the answer cannot come from code of ours. */
  answered(answer: Message): void;
  failed(error: RemoraError): void;
}

/**
 * After the host asked a guest to stop, or its deadline passed, before what it runs in is killed. A guest's own meter
 * takes a millisecond or two; but on a busy machine its thread may not run for some tens of them, and others share it.
 */
export const graceMs = 100;

export class RemoteInstance implements IsolatedInstance {
  readonly level: IsolationLevel;
  readonly local = undefined;
  readonly #options: RemoteOptions;
  readonly #pending = new Set<Job>();
  /** Of an asynchronous component. */
  readonly #tasks: RemoteTasks | undefined;
  readonly #hostCalls: HostCalls;
  #report: IsolatedReport = noReport;
  /** Why it takes no further call. */
  #refusal: RemoraError | undefined;

  constructor(options: RemoteOptions) {
    this.level = options.level;
    this.#options = options;
    const { plugin, face, failures } = options;
    this.#hostCalls = new HostCalls({
      plugin,
      face,
      failures,
      refusal: () => this.#refusal,
      forged: (error) => this.#forged(error),
    });
    const tasks = face.tasks && this.#makeTasks(options, face.tasks);
    this.#tasks = tasks;
    face.attach({
      call: async (called, args) => (await this.#call(called, args)).result,
      release: (resource, number) => this.#release(resource, number),
      ends: tasks ?? noEnds,
    });
  }

  get isPoisoned(): boolean {
    return this.#refusal !== undefined;
  }

  get report(): IsolatedReport {
    return this.#report;
  }

  get hostCalls(): number {
    return this.#hostCalls.count;
  }

  /** Makes the guest over there. @throws what its start functions failed with */
  begin(artifact: number, allowedMs: number): Promise<void> {
    const { number: target, limits: budget, failures } = this.#options;
    return new Promise((resolve, reject) => {
      this.#submit(message(kinds.instantiate, { target, item: artifact }), {
        allowedMs,
        budget,
        answered: ({ kind, payload }) => {
          const error = kind === kinds.failed ? failures.error(payload) : undefined;
          if (error !== undefined) reject(error);
          else if (kind === kinds.done) resolve();
          else throw new ForgedMessage(`a message of kind ${kind} for a new instance`);
        },
        failed: reject,
      });
    });
  }

  has(path: string | readonly string[]): boolean {
    try {
      this.#options.face.find(typeof path === "string" ? [path] : path);
      return true;
    } catch (error) {
      if (isRemoraError(error, "component/no-such-export")) return false;
      throw error;
    }
  }

  async readMemory(at: number, length: number): Promise<Uint8Array | undefined> {
    if (length > payloadBytesMax) return undefined;
    const sent = message(kinds.peek, { target: this.#options.number, first: at, second: length });
    return this.#askMemory(sent, length);
  }

  async writeMemory(at: number, bytes: Uint8Array): Promise<boolean> {
    if (bytes.length > payloadBytesMax) return false;
    const sent = message(kinds.poke, { target: this.#options.number, first: at, payload: bytes });
    return (await this.#askMemory(sent, 0)) !== undefined;
  }

  async call(path: string | readonly string[], args: readonly unknown[], budget?: Partial<Budget>) {
    return this.#call(this.#find(path), args, budget);
  }

  async callBatch(
    path: string | readonly string[],
    batch: readonly (readonly unknown[])[],
    budget?: Partial<Budget>,
  ): Promise<BatchOutcome> {
    return this.#callAll(this.#find(path), batch, budget);
  }

  async #call(called: RemoteFunction, args: readonly unknown[], budget?: Partial<Budget>) {
    const { results, failure, report } = await this.#callAll(called, [args], budget);
    if (failure !== undefined) throw failure.error;
    const [result] = results;
    if (result instanceof ComponentError) throw result;
    return { result, report };
  }

  #makeTasks({ plugin, number, link, face, failures, limits }: RemoteOptions, tasks: FaceTasks): RemoteTasks {
    return new RemoteTasks({
      number,
      link,
      face,
      tasks,
      failures,
      limits,
      hostCalled: (call, reply) => this.#hostCalls.answer(call, reply, limits),
      known: (error) => knownError(error, plugin),
      onPoisoned: (error) => this.#poison(error),
      forged: (error) => this.#forged(error),
      lost: (end, hasStarted, isInnermost) =>
        (this.#refusal ??= this.#lostError(end, hasStarted, isInnermost, limits)),
    });
  }

  /** One after another: a guest of an asynchronous component takes one call at a time. */
  async #callTasks(
    tasks: RemoteTasks,
    called: RemoteFunction,
    batch: readonly (readonly unknown[])[],
    budget: Budget,
  ): Promise<BatchOutcome> {
    const results: unknown[] = [];
    let report = noReport;
    for (const [index, row] of batch.entries()) {
      try {
        this.#refuse();
        const outcome = await tasks.call(called, row, budget);
        // A future of the world is a promise of its value.
        results.push(await outcome.result);
        report = sumOf(report, outcome.report);
        this.#report = report;
      } catch (error) {
        return { results, failure: { index, error }, report };
      }
    }
    return { results, failure: undefined, report };
  }

  #find(path: string | readonly string[]): RemoteFunction {
    this.#refuse();
    return this.#options.face.find(typeof path === "string" ? [path] : path);
  }

  #refuse(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#hostCalls.isInHost) throw engineErrors["re-entered"]({ plugin: this.#options.plugin });
  }

  #callAll(
    called: RemoteFunction,
    batch: readonly (readonly unknown[])[],
    budget: Partial<Budget> | undefined,
  ): Promise<BatchOutcome> {
    return new Promise((resolve, reject) => {
      // What is thrown in here rejects the promise.
      this.#refuse();
      const { face } = this.#options;
      const all = this.#budget(budget);
      if (called.isTask && this.#tasks !== undefined) {
        resolve(this.#callTasks(this.#tasks, called, batch, all));
        return;
      }
      const { rows, payload, misfit } = packetOf(called, batch);
      const endLoans = face.lendings();
      if (rows.length === 0) {
        endLoans();
        resolve({ results: [], failure: misfit, report: noReport });
        return;
      }
      const sent = message(kinds.call, {
        target: this.#options.number,
        item: called.number,
        count: rows.length,
        first: all.fuelMax,
        second: all.deadlineMs,
        payload,
      });
      this.#submit(sent, {
        allowedMs: rows.length * all.deadlineMs,
        budget: all,
        answered: (answer) => {
          endLoans();
          const outcome = this.#read(called, answer, rows.length);
          resolve(
            outcome.failure === undefined && misfit !== undefined ? { ...outcome, failure: misfit } : outcome,
          );
        },
        failed: (error) => {
          endLoans();
          reject(error);
        },
      });
    });
  }

  /** Between two calls, like one of them; but no code of the guest's runs. */
  #askMemory(sent: Message, length: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#refuse();
      this.#submit(sent, {
        allowedMs: copyingMsMax,
        answered: (answer) => resolve(readPiece(answer, length)),
        failed: reject,
      });
    });
  }

  /** The host lets go of an object of the guest's. A guest that is gone took it along. */
  #release(resource: number, number: number): void {
    const { limits } = this.#options;
    if (this.#refusal !== undefined) return;
    if (this.#tasks !== undefined) {
      this.#tasks.release(resource, number);
      return;
    }
    const { fuelMax: first, deadlineMs: second } = limits;
    const target = this.#options.number;
    this.#submit(message(kinds.release, { target, item: resource, count: number, first, second }), {
      allowedMs: second,
      budget: limits,
      answered: ({ kind, payload }) => {
        const error = kind === kinds.failed ? this.#options.failures.error(payload) : undefined;
        if (error !== undefined) this.#poison(error);
        else if (kind !== kinds.done)
          throw new ForgedMessage(`a message of kind ${kind} for a resource that is let go of`);
      },
      failed: () => {}, // Nobody waits for it; the next call is refused.
    });
  }

  #poison({ code: cause }: RemoraError): void {
    this.#refusal ??= engineErrors.poisoned({ plugin: this.#options.plugin, cause });
  }

  close(): void {
    const { plugin, link, number } = this.#options;
    if (this.#refusal?.code === "engine/closed") return;
    const wasGone = link.isOver;
    this.#refusal = closedError(plugin);
    this.#tasks?.end(this.#refusal);
    this.#options.onGone(this);
    if (wasGone) return;
    for (const job of [...this.#pending]) {
      if (!link.withdraw(job)) continue;
      job.lost({ reason: "closed", isGuestsFault: false }, false, false);
    }
    if (this.#isRunning) this.#interrupt();
    link.submit(new DropJob(number));
  }

  /** The thread or process is over. */
  lose(end: End): void {
    if (this.#refusal !== undefined) return;
    const { plugin } = this.#options;
    this.#refusal = engineErrors["isolate-lost"]({ plugin, reason: end.reason, hasStarted: false });
    this.#tasks?.end(this.#refusal);
    this.#options.onLost?.(this.#refusal);
  }

  get #isRunning(): boolean {
    return this.#pending.size > 0 || this.#tasks?.isRunning === true;
  }

  /** Ends a call that runs: what waits for the host is told at once, what runs is asked, and killed if it does not. */
  #interrupt(): void {
    const { link, number, plugin } = this.#options;
    if (this.#hostCalls.giveUp(closedError(plugin))) return;
    if (!link.stop(number)) {
      link.kill(closing);
      return;
    }
    setTimeout(() => {
      if (this.#isRunning) link.kill(closing);
    }, graceMs).unref();
  }

  #budget({ fuelMax, deadlineMs }: Partial<Budget> = {}): Budget {
    const { limits } = this.#options;
    const budget = {
      fuelMax: fuelMax ?? limits.fuelMax,
      deadlineMs: deadlineMs ?? limits.deadlineMs,
    };
    if (budget.fuelMax >= 0 && budget.deadlineMs >= 0) return budget;
    throw new RangeError(
      `A budget is two numbers from 0 up; this one is fuel ${budget.fuelMax}, deadline ${budget.deadlineMs} ms`,
    );
  }

  /** Sends a message, now or in its turn, and tells its end once. */
  #submit(sent: Message, { allowedMs, budget, answered, failed }: Asked): void {
    const { link, limits } = this.#options;
    const job: Job = {
      message: sent,
      allowedMs,
      ...(budget !== undefined && {
        hostCalled: (call: Message, reply: (answer: Message) => void) =>
          this.#hostCalls.answer(call, reply, budget),
      }),
      answered: (answer) => {
        try {
          answered(answer);
        } catch (error) {
          failed(this.#forged(error));
        } finally {
          this.#settle(job, true);
        }
      },
      lost: (end, hasStarted, isInnermost) => {
        this.#settle(job, hasStarted);
        this.#refusal ??= this.#lostError(end, hasStarted, isInnermost, budget ?? limits);
        failed(this.#refusal);
      },
    };
    this.#pending.add(job);
    link.submit(job);
  }

  #read(called: RemoteFunction, answer: Message, count: number): BatchOutcome {
    const { outcome, isPoisoned } = readOutcome(called, answer, count, this.#options.failures);
    this.#report = outcome.report;
    if (isPoisoned && isRemoraError(outcome.failure?.error)) this.#poison(outcome.failure.error);
    return outcome;
  }

  /** A call is over, however. */
  #settle(job: Job, hasStarted: boolean): void {
    this.#pending.delete(job);
    // What stood in line leaves the call that runs as it is.
    if (!hasStarted) return;
    this.#hostCalls.end();
    this.#options.failures.forget();
  }

  /** What came cannot come from code of ours: whatever sent it is ended. */
  #forged(error: unknown): RemoraError {
    const { plugin, link } = this.#options;
    const what = error instanceof Error ? error.message : String(error);
    this.#refusal = engineErrors["protocol-broken"]({ plugin, what }, error);
    link.kill(what);
    return this.#refusal;
  }

  #lostError(
    { reason, isGuestsFault }: End,
    hasStarted: boolean,
    isInnermost: boolean,
    { deadlineMs }: Budget,
  ) {
    const { plugin } = this.#options;
    if (!isInnermost) return engineErrors["isolate-lost"]({ plugin, reason, hasStarted });
    if (reason === overdue) return engineErrors.deadline({ plugin, deadlineMs });
    return isGuestsFault
      ? engineErrors["isolate-crashed"]({ plugin, reason })
      : engineErrors["isolate-lost"]({ plugin, reason, hasStarted });
  }
}

function sumOf(before: IsolatedReport, last: IsolatedReport): IsolatedReport {
  return {
    fuelUsed: before.fuelUsed + last.fuelUsed,
    memoryPages: last.memoryPages,
    durationMs: before.durationMs + last.durationMs,
  };
}

/** What is not asynchronous has no streams. */
const noEnds: EndsPeer = {
  want: async () => ({ done: true, value: undefined }),
  letGo() {},
};

/** No guest code runs for it; but a message may be large, and the machine busy. */
const copyingMsMax = 5_000;

const closing = "an instance in it was closed in the middle of a call";

/** The reason of an end that the host brought about since the guest was late. */
export const overdue = "it did not stop at its deadline";

/** Lets go of an instance over there; nobody waits for it. */
class DropJob implements Job {
  message: Message;
  readonly allowedMs = 1_000;

  constructor(number: number) {
    this.message = message(kinds.drop, { target: number });
  }

  answered(): void {}
  lost(): void {}
}
