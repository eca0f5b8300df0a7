/** An instance behind a wall, as its callers see it. What goes over the wall and back is its face's business. */

import { isRemoraError, type RemoraError } from "../../base/index.ts";
import { callWhileWanted } from "../../component/async/abortable.ts";
import { type CancelSignal, ComponentError, type CoreFunction } from "../../component/index.ts";
import { engineErrors } from "../errors.ts";
import type { Budget, CallOptions, Limits } from "../limits.ts";
import { BlockingCalls } from "./blocking-calls.ts";
import type { EndsPeer } from "./crossing-ends.ts";
import type { Face, FaceTasks, RemoteFunction } from "./face.ts";
import { HostCalls, knownError } from "./host-calls.ts";
import type { HostFailures } from "./host-failures.ts";
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
import { Standing } from "./standing.ts";
import { graceMs } from "./watchdog.ts";

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

type Rows = readonly (readonly unknown[])[];

export class RemoteInstance implements IsolatedInstance {
  readonly level: IsolationLevel;
  readonly local = undefined;
  readonly #options: RemoteOptions;
  readonly #standing: Standing;
  readonly #hostCalls: HostCalls;
  readonly #blocking: BlockingCalls;
  /** Of an asynchronous component. */
  readonly #tasks: RemoteTasks | undefined;

  constructor(options: RemoteOptions) {
    this.level = options.level;
    this.#options = options;
    const { plugin, face, failures, link } = options;
    const standing = new Standing(plugin, link);
    this.#standing = standing;
    this.#hostCalls = new HostCalls({
      plugin,
      face,
      failures,
      refusal: () => standing.refusal,
      forged: (error) => standing.forged(error),
    });
    this.#blocking = new BlockingCalls({
      ...options,
      standing,
      hostCalls: this.#hostCalls,
      interrupt: (error) => this.#interrupt(error),
    });
    const tasks = face.tasks && this.#makeTasks(options, face.tasks);
    this.#tasks = tasks;
    face.attach({
      call: async (called, args, signal) => (await this.#call(called, args, { signal })).result,
      release: (resource, number) => this.#release(resource, number),
      ends: tasks ?? noEnds,
    });
  }

  get isPoisoned(): boolean {
    return this.#standing.refusal !== undefined;
  }

  get poison(): string {
    return this.#standing.cause;
  }

  get report(): IsolatedReport {
    return (this.#tasks ?? this.#blocking).report;
  }

  get spent(): IsolatedInstance["spent"] {
    return (this.#tasks ?? this.#blocking).spent;
  }

  onceQuiet(act: () => void): boolean {
    return this.#options.face.tasks?.onceQuiet(act) ?? false;
  }

  parameterCount(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    const found = this.#options.face.find([name]);
    return typeof found === "function" ? undefined : found.parameterCount;
  }

  get hostCalls(): number {
    return this.#hostCalls.count;
  }

  /** As `GuestAccess.msLeft`. */
  get msLeft(): number {
    return this.#hostCalls.msLeft;
  }

  /** Makes the guest over there. @throws what its start functions failed with */
  begin(artifact: number, allowedMs: number): Promise<void> {
    return this.#blocking.begin(artifact, allowedMs);
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
    this.#refuse();
    return this.#blocking.peek(at, length);
  }

  async writeMemory(at: number, bytes: Uint8Array): Promise<boolean> {
    if (bytes.length > payloadBytesMax) return false;
    this.#refuse();
    return this.#blocking.poke(at, bytes);
  }

  async call(path: string | readonly string[], args: readonly unknown[], options: CallOptions = {}) {
    return this.#call(this.#find(path), args, options);
  }

  async callBatch(
    path: string | readonly string[],
    batch: Rows,
    options: CallOptions = {},
  ): Promise<BatchOutcome> {
    return this.#callAll(this.#find(path), batch, options);
  }

  async #call(called: RemoteFunction | CoreFunction, args: readonly unknown[], options: CallOptions) {
    const { results, failure, report } = await this.#callAll(called, [args], options);
    if (failure !== undefined) throw failure.error;
    const [result] = results;
    if (result instanceof ComponentError) throw result;
    return { result, report };
  }

  #callAll(
    called: RemoteFunction | CoreFunction,
    batch: Rows,
    { signal, ...budget }: CallOptions,
  ): Promise<BatchOutcome> {
    this.#refuse();
    if (typeof called === "function") return callOwn(called, batch, signal);
    const all = this.#budget(budget);
    const tasks = called.isTask ? this.#tasks : undefined;
    return tasks === undefined
      ? this.#blocking.callAll(called, batch, all, signal)
      : tasks.callAll(called, batch, all, signal);
  }

  #makeTasks({ plugin, number, link, face, failures, limits }: RemoteOptions, tasks: FaceTasks): RemoteTasks {
    const standing = this.#standing;
    return new RemoteTasks({
      number,
      link,
      face,
      tasks,
      failures,
      limits,
      standing,
      hostCalled: (call, reply, waitMsMax) =>
        this.#hostCalls.answer(call, reply, { deadlineMs: limits.deadlineMs, waitMsMax }),
      known: (error) => knownError(error, plugin),
      refuse: () => this.#refuse(),
      stop: (error) => {
        this.#interrupt(error);
        link.submit(new DropJob(number));
      },
    });
  }

  #find(path: string | readonly string[]): RemoteFunction | CoreFunction {
    this.#refuse();
    return this.#options.face.find(typeof path === "string" ? [path] : path);
  }

  #refuse(): void {
    const { refusal } = this.#standing;
    if (refusal !== undefined) throw refusal;
    if (this.#hostCalls.isInHost) throw engineErrors["re-entered"]({ plugin: this.#options.plugin });
  }

  /** The host lets go of an object of the guest's. A guest that is gone took it along. */
  #release(resource: number, number: number): void {
    if (this.#standing.refusal === undefined) (this.#tasks ?? this.#blocking).release(resource, number);
  }

  close(): void {
    const { link, number, face } = this.#options;
    if (this.#standing.isClosed) return;
    const wasGone = link.isOver;
    const closed = this.#standing.close();
    this.#tasks?.end(closed);
    // From here on the refusal answers whatever the guest still asks for.
    face.close();
    this.#options.onGone(this);
    if (wasGone) return;
    this.#blocking.end();
    this.#interrupt(closed);
    link.submit(new DropJob(number));
  }

  /** The thread or process is over. */
  lose(end: End): void {
    if (this.#standing.refusal !== undefined) return;
    const { deadlineMs } = this.#options.limits;
    const lost = this.#standing.lost(end, { hasStarted: false, isInnermost: false, deadlineMs });
    this.#tasks?.end(lost);
    this.#options.onLost?.(lost);
  }

  /** Ends what runs: what waits for the host is told at once, what runs is asked, and killed if it does not. */
  #interrupt(error: RemoraError): void {
    const { link, number } = this.#options;
    if (this.#hostCalls.giveUp(error)) this.#killLate();
    else if (!this.#isPending) return;
    else if (link.stop(number)) this.#killLate();
    else link.kill(closing);
  }

  get #isPending(): boolean {
    return this.#blocking.isPending || this.#tasks?.isPending === true;
  }

  /** Below another guest it can stop when that one is over. */
  #killLate(): void {
    const look = () => {
      if (this.#blocking.isRunning || this.#tasks?.isRunning === true) this.#options.link.kill(closing);
      else if (this.#isPending) this.#killLate();
    };
    setTimeout(look, stopMsMax).unref();
  }

  #budget({ fuelMax, deadlineMs }: Partial<Budget>): Budget {
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
}

/** Calls a function of the host's own, as the level `inline` would. */
async function callOwn(
  called: CoreFunction,
  batch: Rows,
  signal: CancelSignal | undefined,
): Promise<BatchOutcome> {
  const results: unknown[] = [];
  for (const [index, row] of batch.entries()) {
    try {
      results.push(await (signal === undefined ? called(...row) : callWhileWanted(called, row, signal)));
    } catch (error) {
      if (!(error instanceof ComponentError)) return { results, failure: { index, error }, report: noReport };
      results.push(error);
    }
  }
  return { results, failure: undefined, report: noReport };
}

/** What is not asynchronous has no streams. */
const noEnds: EndsPeer = {
  want: async () => ({ done: true, value: undefined }),
  letGo() {},
};

/**
 * What runs has that long to stop. Nobody waits for it any more, and all that shares its thread is lost when that is
 * killed, which on a busy machine may only not have run.
 */
const stopMsMax = 5 * graceMs;

const closing = "an instance in it was ended in the middle of a call";

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
