/**
 * What runs and waits in one guest of an asynchronous component. Each message of the host's lets it go on until it can do
 * nothing more by itself; what it then asks, and what it has come to, goes back as events.
 */

import type { RemoraError } from "../../../base/index.ts";
import type { Runtime } from "../../../component/link/runtime.ts";
import type { Packets } from "../../../component/packet.ts";
import type { ValueType } from "../../../component/types.ts";
import type { InstanceEngine } from "../../core-engine.ts";
import { cancelGraceMs } from "../../waiting.ts";
import { CrossingEnds } from "../crossing-ends.ts";
import { encodeReport } from "../error-report.ts";
import { decodeEvents, type Event, encodeEvents, event, eventKinds, outcomes } from "../events.ts";
import { kinds, type Message, message } from "../protocol.ts";
import type { Failures } from "./failures.ts";

export interface LiveTasksOptions {
  readonly engine: InstanceEngine;
  readonly failures: Failures;
  readonly packets: () => Packets;
}

/** What a message wants of the guest. */
export interface TaskGuest {
  readonly runtime: Runtime;
  /** Makes the call: gives its result as a packet, or a promise of it. */
  call(begun: Message, signal: AbortSignal): Uint8Array | Promise<Uint8Array>;
  release(resource: number, number: number): void;
}

/** A call under way, which may be cancelled. */
class Call {
  readonly #controller = new AbortController();
  #graceEndsMs = Infinity;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until the guest is ended if it goes on. */
  get graceMsLeft(): number {
    return this.#graceEndsMs - performance.now();
  }

  cancel(): void {
    this.#graceEndsMs = Math.min(this.#graceEndsMs, performance.now() + cancelGraceMs);
    this.#controller.abort();
  }
}

/** A guest that goes on in small steps gives the host its turn after so long; it gets the next one at once. */
const sliceMs = 20;

/** Something that the host was asked. */
export interface Question {
  readonly answer: Promise<Event>;
  /** Nobody waits for the answer any more. */
  forget(): void;
}

export class LiveTasks {
  readonly #options: LiveTasksOptions;
  /** Streams and futures of this guest that the host has, and the other way round. */
  readonly ends: CrossingEnds;
  /** Under which number the guest asked for what it waits for of the host's streams and futures, by theirs. */
  readonly #wanted = new Map<number, number>();
  #happened: Event[] = [];
  readonly #asked = new Map<number, PromiseWithResolvers<Event>>();
  #lastAsked = 0;
  /** Calls under way, by number. */
  readonly #calls = new Map<number, Call>();

  constructor(options: LiveTasksOptions) {
    this.#options = options;
    this.ends = new CrossingEnds({
      want: (number, type) => this.#want(number, type),
      letGo: (number) => this.#letGo(number),
    });
  }

  /**
   * Calls the host's function with this number: the payload of the answer is its result. One that is forgotten is still
   * answered, by nothing, when the function is done.
   */
  ask(item: number, payload: Uint8Array): Question {
    const { id, answer } = this.#ask(eventKinds.asked, item, payload);
    const forget = () => {
      if (this.#asked.has(id)) this.#forget(id);
    };
    return { answer, forget };
  }

  /** Carries out one message. */
  async handle(received: Message, guest: TaskGuest): Promise<Message> {
    const { kind, item, count, payload } = received;
    switch (kind) {
      case kinds.begin:
        void this.#begin(received, guest);
        break;
      case kinds.release:
        guest.release(item, count);
        break;
      case kinds.settle:
        for (const each of decodeEvents(payload)) this.#settle(each);
        break;
      case kinds.pull:
        void this.#pull(count, item);
        break;
      case kinds.cancel:
        // Unknown when it was over before.
        this.#calls.get(count)?.cancel();
        break;
      default:
        this.ends.letGo(item);
    }
    const isAtRest = await this.#rests(guest.runtime);
    return this.#events(guest.runtime.failure, isAtRest);
  }

  #events(failure: RemoraError | undefined, isAtRest: boolean): Message {
    const { engine, failures } = this.#options;
    const happened = this.#happened;
    if (failure !== undefined)
      happened.push(event(eventKinds.broke, { payload: encodeReport(failures.report(failure)) }));
    this.#happened = [];
    return message(kinds.events, {
      target: engine.isPoisoned || engine.isClosed ? 1 : 0,
      first: isAtRest ? this.#msLeft() : 0,
      payload: encodeEvents(happened),
    });
  }

  /**
   * Promises first, and then what the guest does by itself, which its fuel and deadline bound; and another turn of the
   * loop, for what waits for that.
   *
   * @returns whether it came to rest: in the middle of a call the host may have something to say before
   */
  async #rests(runtime: Runtime): Promise<boolean> {
    const untilMs = performance.now() + sliceMs;
    for (let restingTurns = 0; restingTurns < 2; ) {
      await new Promise((resolve) => setImmediate(resolve));
      restingTurns = runtime.isAtRest ? restingTurns + 1 : 0;
      if (this.#calls.size > 0 && performance.now() > untilMs) return false;
    }
    return true;
  }

  /** Until something ends the guest that only time brings. */
  #msLeft(): number {
    let left = this.#calls.size > 0 ? this.#options.engine.waitMsLeft : Infinity;
    for (const call of this.#calls.values()) left = Math.min(left, call.graceMsLeft);
    // It may be over already, and only not noticed.
    return Math.max(left, 0);
  }

  async #begin(begun: Message, guest: TaskGuest): Promise<void> {
    const { count: id, first: fuelMax, second: deadlineMs } = begun;
    const { engine, failures } = this.#options;
    const startedMs = performance.now();
    engine.budget = { fuelMax, deadlineMs };
    failures.begin();
    const call = new Call();
    this.#calls.set(id, call);
    let item: number = outcomes.value;
    let payload: Uint8Array;
    try {
      const given = guest.call(begun, call.signal);
      payload = given instanceof Promise ? await given : Uint8Array.from(given);
    } catch (error) {
      item = outcomes.failed;
      payload = encodeReport(failures.report(error));
    }
    this.#calls.delete(id);
    const cost = {
      first: engine.fuelUsed,
      second: engine.memoryPages,
      third: performance.now() - startedMs,
    };
    this.#happened.push(event(eventKinds.ended, { id, item, payload, ...cost }));
  }

  async #pull(id: number, number: number): Promise<void> {
    const { failures } = this.#options;
    let settled: Event;
    try {
      const next = await this.ends.next(number);
      settled = event(eventKinds.settled, {
        id,
        ...(next === undefined || next.result.done === true
          ? { item: outcomes.done }
          : { item: outcomes.value, payload: this.#written(next.type, next.result.value) }),
      });
    } catch (error) {
      const payload = encodeReport(failures.report(error));
      settled = event(eventKinds.settled, { id, item: outcomes.failed, payload });
    }
    this.#happened.push(settled);
  }

  async #want(number: number, type: ValueType | undefined): Promise<IteratorResult<unknown, undefined>> {
    const { id, answer } = this.#ask(eventKinds.wanted, number);
    this.#wanted.set(number, id);
    let settled: Event;
    try {
      settled = await answer;
    } finally {
      this.#wanted.delete(number);
    }
    const { item, payload } = settled;
    if (item === outcomes.done) return { done: true, value: undefined };
    if (type === undefined) return { done: false, value: undefined };
    const packets = this.#options.packets();
    const [value] = packets.read(packets.codec(type), payload, 1);
    return { done: false, value };
  }

  /** The guest lets go of a stream or future of the host's, and no longer waits for what it wanted of it. */
  #letGo(number: number): void {
    const wanted = this.#wanted.get(number);
    if (wanted !== undefined && this.#asked.delete(wanted)) this.#forget(wanted);
    this.#wanted.delete(number);
    this.#happened.push(event(eventKinds.letGo, { item: number }));
  }

  #ask(kind: number, item: number, payload?: Uint8Array) {
    const id = ++this.#lastAsked;
    const asked = Promise.withResolvers<Event>();
    this.#asked.set(id, asked);
    this.#happened.push(event(kind, { id, item, ...(payload && { payload: Uint8Array.from(payload) }) }));
    return { id, answer: asked.promise };
  }

  #forget(id: number): void {
    this.#happened.push(event(eventKinds.forgot, { id }));
  }

  #settle(settled: Event): void {
    const asked = this.#asked.get(settled.id);
    this.#asked.delete(settled.id);
    if (settled.item === outcomes.failed) asked?.reject(this.#options.failures.ofAnswer(settled.payload));
    else asked?.resolve(settled);
  }

  #written(type: ValueType | undefined, value: unknown): Uint8Array {
    if (type === undefined) return new Uint8Array(0);
    const packets = this.#options.packets();
    return Uint8Array.from(packets.write(packets.codec(type), [value]));
  }
}
