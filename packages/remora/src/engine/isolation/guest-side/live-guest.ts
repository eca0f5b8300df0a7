/** What a shipped artifact and its live instances are to the loop that serves the host. */

import { joinedBytes } from "../../../base/index.ts";
import type { PacketMemory } from "../../../component/packet-memory.ts";
import type { InstanceEngine } from "../../core-engine.ts";
import { encodeReport } from "../error-report.ts";
import { pieceAt } from "../guest-piece.ts";
import { kinds, type Message, message } from "../protocol.ts";
import type { Failures } from "./failures.ts";

/** Sends a call of a host function by a guest of this engine, waits, and gives the answer. Throws what ends the guest. */
export type HostCaller = (call: Message, engine: InstanceEngine) => Message;

export interface InstantiateRequest {
  readonly number: number;
  readonly caller: HostCaller;
  readonly failures: Failures;
  readonly isStopped: () => boolean;
  /** For arguments of the outermost call. */
  readonly argumentsMemory: PacketMemory;
}

export interface ShippedArtifact {
  /** Runs start functions; throws what is wrong. */
  instantiate(request: InstantiateRequest): LiveGuest;
}

/** The calls of a batch as far as the kind of artifact does not matter. */
export abstract class LiveGuest {
  protected readonly engine: InstanceEngine;
  readonly #failures: Failures;

  constructor(engine: InstanceEngine, failures: Failures) {
    this.engine = engine;
    this.#failures = failures;
  }

  /**
   * One message, any number of calls; the first failure ends it.
   *
   * @param isNested On top of a call that waits for the host.
   */
  run(call: Message, isNested: boolean): Message {
    const { item, count, first: fuelMax, second: deadlineMs } = call;
    const { engine } = this;
    const invoke = this.calls(call, isNested);
    engine.budget = { fuelMax, deadlineMs };
    const results: unknown[] = [];
    const startedMs = performance.now();
    let fuelUsed = 0;
    let failure: Uint8Array | undefined;
    for (let row = 0; row < count; row++) {
      this.#failures.begin();
      try {
        results.push(invoke(row));
      } catch (error) {
        failure = encodeReport(this.#failures.report(error));
      }
      fuelUsed += engine.fuelUsed;
      if (failure !== undefined) break;
    }
    const durationMs = performance.now() - startedMs;
    let packet: Uint8Array = noBytes;
    try {
      packet = this.writeResults(item, results);
    } catch (error) {
      // Together they are larger than a packet may be.
      results.length = 0;
      failure = encodeReport(this.#failures.report(error));
    }
    return message(kinds.results, {
      target: engine.isPoisoned || engine.isClosed ? 1 : 0,
      item: packet.length,
      count: results.length,
      first: fuelUsed,
      second: engine.memoryPages,
      third: durationMs,
      payload: failure === undefined ? packet : joinedBytes([packet, failure]),
    });
  }

  /** The host lets go of a resource of the guest's. */
  letGoOf(received: Message): Message | Promise<Message> {
    const { item, count, first: fuelMax, second: deadlineMs } = received;
    if (this.isTask) return this.handle(received);
    this.engine.budget = { fuelMax, deadlineMs };
    this.#failures.begin();
    try {
      this.letGo(item, count);
      return message(kinds.done);
    } catch (error) {
      return message(kinds.failed, { payload: encodeReport(this.#failures.report(error)) });
    }
  }

  /** The host wants a piece of the memory. */
  peek({ first: at, second: length }: Message): Message {
    const payload = pieceAt(this.memory(), at, length);
    return payload === undefined
      ? message(kinds.memory, { item: 0 })
      : message(kinds.memory, { item: 1, payload });
  }

  /** The host puts a piece into the memory. */
  poke({ first: at, payload }: Message): Message {
    const piece = pieceAt(this.memory(), at, payload.length);
    piece?.set(payload);
    return message(kinds.memory, { item: piece === undefined ? 0 : 1 });
  }

  /** What it shows the host between calls: nothing, unless it is a core module that exports one. */
  protected memory(): Uint8Array {
    return noBytes;
  }

  /** Of an asynchronous component. */
  protected get isTask(): boolean {
    return false;
  }

  /** Of an asynchronous component: what `protocol.ts` says is answered by `events`. */
  handle(received: Message): Promise<Message> {
    throw new Error(`Invariant broken: a message of kind ${received.kind} for what is not asynchronous`);
  }

  close(): void {
    this.engine.close();
  }

  /** Makes the calls of a message, by their number in it. */
  protected abstract calls(call: Message, isNested: boolean): (row: number) => unknown;
  protected abstract letGo(resource: number, number: number): void;
  protected abstract writeResults(item: number, results: readonly unknown[]): Uint8Array;
}

const noBytes = new Uint8Array(0);
