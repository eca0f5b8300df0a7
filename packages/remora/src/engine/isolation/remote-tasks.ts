/**
 * Calls into a guest of an asynchronous component, on the host's side. It waits for the host without keeping its thread:
 * every message is answered by what happened until then, and what the host comes to meanwhile goes over with the next.
 */

import { type RemoraError, timerMsMax } from "../../base/index.ts";
import type { ValueType } from "../../component/types.ts";
import { engineErrors } from "../errors.ts";
import type { Budget } from "../limits.ts";
import type { EndsPeer } from "./crossing-ends.ts";
import { decodeEvents, type Event, encodeEvents, event, eventKinds, outcomes } from "./events.ts";
import { type Face, type FaceTasks, ForgedMessage, type RemoteFunction } from "./face.ts";
import type { HostFailures } from "./host-failures.ts";
import type { IsolatedReport } from "./isolation.ts";
import type { End, Job, Link } from "./link.ts";
import { type Kind, kinds, type Message, message } from "./protocol.ts";

export interface RemoteTasksOptions {
  /** On the other side. */
  readonly number: number;
  readonly link: Link;
  readonly face: Face;
  readonly tasks: FaceTasks;
  readonly failures: HostFailures;
  readonly limits: Budget;
  /** A host function of synchronous type is called: it blocks the guest. */
  readonly hostCalled: NonNullable<Job["hostCalled"]>;
  /** The instance takes no further call, since this happened. */
  readonly onPoisoned: (error: RemoraError) => void;
  /** What came cannot be: the other side is ended. Gives what calls are to fail with. */
  readonly forged: (error: unknown) => RemoraError;
  /** What a host function threw, as an error of ours. */
  readonly known: (error: unknown) => RemoraError;
  readonly lost: (end: End, hasStarted: boolean, isInnermost: boolean) => RemoraError;
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

/** What a guest may ask of the host at one time; its own limit on calls under way is lower. */
const askedMax = 4_096;

export class RemoteTasks implements EndsPeer {
  readonly #options: RemoteTasksOptions;
  readonly #owed = new Map<number, Owed>();
  #lastOwed = 0;
  /** Of what the guest asked: not settled, and settled but not told. */
  #asked = 0;
  #settled: Event[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Messages that have no answer yet. */
  readonly #jobs = new Set<Job>();
  /** Why nothing comes any more. */
  #end: { readonly error: unknown } | undefined;
  /** What the instance failed with. */
  #broken: RemoraError | undefined;

  constructor(options: RemoteTasksOptions) {
    this.#options = options;
  }

  /** Whether the guest runs, and does not wait. */
  get isRunning(): boolean {
    return this.#jobs.size > 0;
  }

  /** @throws component/type-mismatch an argument does not fit; nothing ran */
  call(called: RemoteFunction, args: readonly unknown[], budget: Budget): Promise<TaskOutcome> {
    const payload = called.write([args]);
    const endLoans = this.#options.face.lendings();
    const { fuelMax: first, deadlineMs: second } = budget;
    return this.#owe(
      (id) => this.#send(kinds.begin, { item: called.number, count: id, first, second, payload }),
      {
        read: (came) => this.#outcome(called, came),
        over: endLoans,
        kind: eventKinds.ended,
      },
    );
  }

  want(number: number, type: ValueType | undefined): Promise<IteratorResult<unknown, undefined>> {
    return this.#owe((id) => this.#send(kinds.pull, { item: number, count: id }), {
      read: ({ item, payload }) =>
        item === outcomes.done
          ? { done: true, value: undefined }
          : { done: false, value: this.#options.tasks.readValue(type, payload) },
      over: () => {},
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
    for (const job of this.#jobs) if (this.#options.link.withdraw(job)) this.#jobs.delete(job);
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

  #send(kind: Kind, facts: Partial<Message>): void {
    const { link, number, limits, hostCalled, lost } = this.#options;
    clearTimeout(this.#timer);
    const job: Job = {
      message: message(kind, { target: number, ...facts }),
      needsLoop: true,
      allowedMs: limits.deadlineMs,
      hostCalled,
      answered: (answer) => {
        this.#jobs.delete(job);
        this.#answered(answer);
      },
      lost: (end, hasStarted, isInnermost) => {
        this.#jobs.delete(job);
        this.end(lost(end, hasStarted, isInnermost));
      },
    };
    this.#jobs.add(job);
    link.submit(job);
  }

  /** Reads what came, and trusts nothing of it. */
  #answered({ kind, target, first, payload }: Message): void {
    if (this.#end !== undefined) return;
    try {
      if (kind !== kinds.events) throw new ForgedMessage(`a message of kind ${kind} as events`);
      if (!(first >= 0)) throw new ForgedMessage(`${first} milliseconds left`);
      for (const each of decodeEvents(payload)) this.#happened(each);
    } catch (error) {
      this.end(this.#options.forged(error));
      return;
    }
    if (this.#owed.size === 0 && this.#asked === 0) this.#options.failures.forget();
    if (target !== 0) this.#break();
    else if (this.#owed.size > 0 && first <= timerMsMax)
      // Its own clock stands still while nobody turns its loop.
      this.#timer = setTimeout(() => this.#send(kinds.settle, {}), first + 1);
  }

  #break(): void {
    const error = this.#broken ?? engineErrors["isolate-failed"]({ reason: "it does not say why" });
    this.end(error);
    this.#options.onPoisoned(error);
  }

  #happened(came: Event): void {
    switch (came.kind) {
      case eventKinds.broke:
        this.#broken = this.#failure(came.payload);
        return;
      case eventKinds.asked:
        this.#serve(came, async () => ({
          payload: await this.#options.tasks.serve(came.item, came.payload),
        }));
        return;
      case eventKinds.wanted:
        this.#serve(came, () => this.#options.tasks.nextValue(came.item));
        return;
      case eventKinds.letGo:
        this.#options.tasks.letGo(came.item);
        return;
      default: {
        const owed = this.#owed.get(came.id);
        if (owed === undefined)
          throw new ForgedMessage(`an event of kind ${came.kind} that nobody waits for`);
        for (const number of [came.first, came.second, came.third]) {
          if (!(number >= 0 && Number.isFinite(number))) throw new ForgedMessage(`a report of ${number}`);
        }
        owed.settle(came);
        // Not before: what it cannot be settled with ends all that are owed.
        this.#owed.delete(came.id);
      }
    }
  }

  /** Does what the guest asked, and tells it; several answers of one turn go together. */
  #serve({ id }: Event, act: () => Promise<Partial<Event>>): void {
    if (++this.#asked > askedMax) throw new ForgedMessage(`more than ${askedMax} questions at a time`);
    const tell = (facts: Partial<Event>) => {
      this.#asked--;
      if (this.#end !== undefined) return;
      this.#settled.push(event(eventKinds.settled, { ...facts, id }));
      if (this.#settled.length === 1) queueMicrotask(() => this.#tell());
    };
    act().then(tell, (error: unknown) => {
      if (error instanceof ForgedMessage) this.end(this.#options.forged(error));
      else tell({ item: outcomes.failed, payload: this.#options.failures.told(this.#options.known(error)) });
    });
  }

  #tell(): void {
    const settled = this.#settled;
    this.#settled = [];
    if (this.#end === undefined) this.#send(kinds.settle, { payload: encodeEvents(settled) });
  }
}
