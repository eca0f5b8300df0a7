/** One thread of the pool: a worker, its mailbox, and how the host waits for its turn without standing still. */

import { MessageChannel, Worker } from "node:worker_threads";
import { describe } from "../blame.ts";
import { bootText, type IsolateCode } from "./isolate-code.ts";
import type { Receiver, Transport } from "./link.ts";
import { Mailbox, mailboxMemory, turns } from "./mailbox.ts";
import { Patience } from "./patience.ts";
import type { Message } from "./protocol.ts";

/**
 * A call that ends soon is noticed by looking: being woken takes longer than most calls. First at once, for as
 * long as a mailbox is looked at, and then once in each turn of the host's loop. After so many milliseconds the loop is left alone until the thread wakes
 * it.
 */
const lookingMs = 0.02;

/** Answers in a row that are taken at once: then the host's loop has a turn, whatever else waits in it. */
const atOnceMax = 16;

export class GuestThread implements Transport {
  readonly #mailbox: Mailbox;
  readonly #worker: Worker;
  readonly #receiver: Receiver;
  readonly #port: MessageChannel["port1"];
  readonly #patience = new Patience();
  readonly #patienceAtOnce = new Patience();
  /** Answers that were taken since the host's loop had a turn. */
  #takenAtOnce = 0;
  #isOver = false;

  constructor(code: IsolateCode, receiver: Receiver, heapMbMax: number) {
    this.#receiver = receiver;
    const memory = mailboxMemory();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.unref();
    this.#mailbox = new Mailbox({ memory, port: port1 });
    // The first message from the thread is that it is ready.
    this.#mailbox.give(turns.guest);
    this.#worker = new Worker(threadText, {
      eval: true,
      workerData: { code, seed: { memory, port: port2 } },
      transferList: [port2],
      env: {},
      stdin: false,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
    });
    this.#worker.unref();
    this.#worker.on("error", (error) => this.#over(describe(error), isOutOfMemory(error)));
    this.#worker.on("exit", () => this.#over("the thread ended"));
  }

  /** Resolves when the thread takes messages, or is over. */
  async ready(): Promise<void> {
    this.#worker.ref();
    while (!this.#isOver && this.#mailbox.turn === turns.guest) await this.#mailbox.whenTurned(turns.guest);
    if (!this.#isOver) this.#worker.unref();
  }

  send(sent: Message): void {
    this.#mailbox.send(sent, turns.guest);
    this.#look();
  }

  ship(shipment: unknown): void {
    this.#port.postMessage(shipment);
  }

  stop(instance: number): boolean {
    this.#mailbox.stop(instance);
    return true;
  }

  hold(isBusy: boolean): void {
    if (this.#isOver) return;
    if (isBusy) this.#worker.ref();
    else this.#worker.unref();
  }

  kill(reason: string): void {
    this.#over(reason);
  }

  async end(reason: string): Promise<void> {
    this.#over(reason);
    await this.#worker.terminate();
  }

  #over(reason: string, isGuestsFault = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#worker.terminate();
    this.#port.close();
    // Whoever waits for the turn is to notice.
    this.#mailbox.give(turns.over);
    this.#receiver.ended({ reason, isGuestsFault });
  }

  #look(): void {
    if (this.#takenAtOnce < atOnceMax && this.#patienceAtOnce.isWorthwhile) {
      const hasTurned = this.#mailbox.look(turns.guest);
      this.#patienceAtOnce.learn(hasTurned);
      if (hasTurned) {
        this.#takenAtOnce++;
        // Not before the caller is done with sending.
        queueMicrotask(() => this.#wait());
        return;
      }
    }
    this.#lookInTurns();
  }

  #lookInTurns(): void {
    const isWorthwhile = this.#patience.isWorthwhile;
    const untilMs = performance.now() + lookingMs;
    const look = () => {
      this.#takenAtOnce = 0;
      const hasTurned = this.#mailbox.turn !== turns.guest;
      if (isWorthwhile && !hasTurned && performance.now() < untilMs) {
        setImmediate(look);
        return;
      }
      if (isWorthwhile) this.#patience.learn(hasTurned);
      this.#wait();
    };
    if (isWorthwhile || this.#takenAtOnce > 0) setImmediate(look);
    else this.#wait();
  }

  #wait(): void {
    if (this.#isOver) return;
    const turned = this.#mailbox.whenTurned(turns.guest);
    if (turned === undefined) this.#receive();
    else void turned.then(() => this.#wait());
  }

  #receive(): void {
    let received: Message;
    try {
      received = this.#mailbox.receive();
    } catch (error) {
      this.#over(describe(error), true);
      return;
    }
    this.#receiver.received(received);
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}

/** A script that Node evaluates in a new thread. */
const threadText = `const { code } = require("node:worker_threads").workerData;
${bootText}`;
