/**
 * What runs and waits in one guest of an asynchronous component. Each message of the host's lets it go on until it can do
 * nothing more by itself; what it then asks, and what it has come to, goes back as events.
 */

import type { RemoraError } from "../../../base/index.ts";
import type { Runtime } from "../../../component/link/runtime.ts";
import type { Packets } from "../../../component/packet.ts";
import type { ValueType } from "../../../component/types.ts";
import type { InstanceEngine } from "../../core-engine.ts";
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
  call(begun: Message): Uint8Array | Promise<Uint8Array>;
  release(resource: number, number: number): void;
}

export class LiveTasks {
  readonly #options: LiveTasksOptions;
  /** Streams and futures of this guest that the host has, and the other way round. */
  readonly ends: CrossingEnds;
  #happened: Event[] = [];
  readonly #asked = new Map<number, PromiseWithResolvers<Event>>();
  #lastAsked = 0;
  /** Calls under way. */
  #calls = 0;

  constructor(options: LiveTasksOptions) {
    this.#options = options;
    this.ends = new CrossingEnds({
      want: (number, type) => this.#want(number, type),
      letGo: (number) => void this.#happened.push(event(eventKinds.letGo, { item: number })),
    });
  }

  /** Calls the host's function with this number; the payload of the answer is its result. */
  async ask(item: number, payload: Uint8Array): Promise<Uint8Array> {
    return (await this.#ask(eventKinds.asked, item, payload)).payload;
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
      default:
        this.ends.letGo(item);
    }
    await atRest(guest.runtime);
    return this.#events(guest.runtime.failure);
  }

  #events(failure: RemoraError | undefined): Message {
    const { engine, failures } = this.#options;
    const happened = this.#happened;
    if (failure !== undefined)
      happened.push(event(eventKinds.broke, { payload: encodeReport(failures.report(failure)) }));
    this.#happened = [];
    return message(kinds.events, {
      target: engine.isPoisoned || engine.isClosed ? 1 : 0,
      first: this.#calls > 0 ? engine.msLeft : Infinity,
      payload: encodeEvents(happened),
    });
  }

  async #begin(begun: Message, guest: TaskGuest): Promise<void> {
    const { count: id, first: fuelMax, second: deadlineMs } = begun;
    const { engine, failures } = this.#options;
    const startedMs = performance.now();
    engine.budget = { fuelMax, deadlineMs };
    failures.begin();
    this.#calls++;
    let item: number = outcomes.value;
    let payload: Uint8Array;
    try {
      const given = guest.call(begun);
      payload = given instanceof Promise ? await given : Uint8Array.from(given);
    } catch (error) {
      item = outcomes.failed;
      payload = encodeReport(failures.report(error));
    }
    this.#calls--;
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
    const { item, payload } = await this.#ask(eventKinds.wanted, number);
    if (item === outcomes.done) return { done: true, value: undefined };
    if (type === undefined) return { done: false, value: undefined };
    const packets = this.#options.packets();
    const [value] = packets.read(packets.codec(type), payload, 1);
    return { done: false, value };
  }

  #ask(kind: number, item: number, payload?: Uint8Array): Promise<Event> {
    const id = ++this.#lastAsked;
    const asked = Promise.withResolvers<Event>();
    this.#asked.set(id, asked);
    this.#happened.push(event(kind, { id, item, ...(payload && { payload: Uint8Array.from(payload) }) }));
    return asked.promise;
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

/**
 * Promises first, and then what the guest does by itself, which its fuel and deadline bound; and another turn of the
 * loop, for what waits for that.
 */
async function atRest(runtime: Runtime): Promise<void> {
  for (let restingTurns = 0; restingTurns < 2; ) {
    await new Promise((resolve) => setImmediate(resolve));
    restingTurns = runtime.isAtRest ? restingTurns + 1 : 0;
  }
}
