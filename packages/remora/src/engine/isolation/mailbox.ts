/**
 * Messages through shared memory, between the host's thread and one guest thread. There is room for one message, since
 * the two take turns, and one word says whose turn it is: the guest's thread blocks on it, the host is woken by it.
 * A payload that does not fit goes beside, over a message port.
 */

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { ForgedMessage } from "./face.ts";
import { Patience } from "./patience.ts";
import { type GuestChannel, type Message, payloadBytesMax } from "./protocol.ts";

/** What a thread gets to open its end of a mailbox. */
export interface MailboxSeed {
  readonly memory: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** Bytes of a payload that fit; a batch of 64 small records is some 20 KB. */
const roomBytes = 64 * 1024;
const headBytes = 128;

/** Numbers of the head's 32-bit words and, from `numbersAt` on, of its 64-bit floats. */
const word = { turn: 0, stopped: 1, kind: 2, target: 3, item: 4, count: 5, length: 6, isBeside: 7 } as const;
const numbersAt = 8;

export const turns = { host: 0, guest: 1, over: 2 } as const;

export function mailboxMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + roomBytes);
}

export class Mailbox {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly #numbers: Float64Array;
  readonly #room: Uint8Array;
  readonly #port: MessagePort;
  readonly #patience = new Patience();

  constructor({ memory, port }: MailboxSeed) {
    this.words = new Int32Array(memory);
    this.#numbers = new Float64Array(memory);
    this.#room = new Uint8Array(memory, headBytes);
    this.#port = port;
  }

  get turn(): number {
    return Atomics.load(this.words, word.turn);
  }

  /** Puts a message in and gives the turn to the other end. */
  send(message: Message, turn: number): void {
    const { words } = this;
    const numbers = this.#numbers;
    const { payload } = message;
    words[word.kind] = message.kind;
    words[word.target] = message.target;
    words[word.item] = message.item;
    words[word.count] = message.count;
    words[word.length] = payload.length;
    numbers[numbersAt] = message.first;
    numbers[numbersAt + 1] = message.second;
    numbers[numbersAt + 2] = message.third;
    const isBeside = payload.length > roomBytes;
    words[word.isBeside] = isBeside ? 1 : 0;
    if (isBeside) this.#port.postMessage(Uint8Array.from(payload));
    else this.#room.set(payload);
    this.give(turn);
  }

  give(turn: number): void {
    Atomics.store(this.words, word.turn, turn);
    Atomics.notify(this.words, word.turn);
  }

  /**
   * The message that the other end put in. Its payload is valid until the next `send`.
   *
   * @throws ForgedMessage what was posted beside it is no payload
   */
  receive(): Message {
    const { words } = this;
    const numbers = this.#numbers;
    return {
      kind: words[word.kind] as number, // All of these are in bounds.
      target: words[word.target] as number,
      item: words[word.item] as number,
      count: words[word.count] as number,
      first: numbers[numbersAt] as number,
      second: numbers[numbersAt + 1] as number,
      third: numbers[numbersAt + 2] as number,
      payload:
        words[word.isBeside] === 1 ? payloadOf(this.beside()) : this.#room.subarray(0, words[word.length]),
    };
  }

  /** What the other end posted on the port before it gave the turn. */
  beside(): unknown {
    return receiveMessageOnPort(this.#port)?.message;
  }

  /** Asks the running call of this instance to stop; 0 asks none. */
  stop(instance: number): void {
    Atomics.store(this.words, word.stopped, instance);
  }

  get stopped(): number {
    return Atomics.load(this.words, word.stopped);
  }

  /** Looks for a while whether the turn is no longer `turn`. */
  look(turn: number): boolean {
    const untilMs = performance.now() + lookingMs;
    do {
      // Reading the clock takes as long as many looks.
      for (let looks = 0; looks < looksAClock; looks++) if (this.turn !== turn) return true;
    } while (performance.now() < untilMs);
    return false;
  }

  /** Blocks until the turn is no longer `turn`, or for so many milliseconds. False when the time was over. */
  await(turn: number, timeoutMs: number): boolean {
    if (this.#patience.isWorthwhile) this.#patience.learn(this.look(turn));
    // The notification of an earlier turn may come late, and wake for nothing.
    while (this.turn === turn) {
      if (Atomics.wait(this.words, word.turn, turn, timeoutMs) === "timed-out") return this.turn !== turn;
    }
    return true;
  }

  /** Resolves when the turn may no longer be `turn`: look again. Undefined when it is not already. */
  whenTurned(turn: number): Promise<unknown> | undefined {
    const waited = Atomics.waitAsync(this.words, word.turn, turn);
    return waited.async ? waited.value : undefined;
  }
}

/** Bytes of its own: what is shared could change, or grow, while it is read. */
function payloadOf(posted: unknown): Uint8Array {
  const isPayload =
    posted instanceof Uint8Array && posted.buffer instanceof ArrayBuffer && posted.length <= payloadBytesMax;
  if (!isPayload) throw new ForgedMessage("no payload beside a message that has one there");
  return posted;
}

/** The next call of a host that makes one after another is there by then, and the answer to most calls. */
const lookingMs = 0.02;
const looksAClock = 64;

/** The guest's end. */
export class MailboxChannel implements GuestChannel {
  readonly #mailbox: Mailbox;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  exchange(sent: Message): Message {
    this.#mailbox.send(sent, turns.host);
    this.#mailbox.await(turns.host, Number.POSITIVE_INFINITY);
    return this.#mailbox.receive();
  }

  isStopped(instance: number): boolean {
    return this.#mailbox.stopped === instance;
  }

  shipment(): unknown {
    return this.#mailbox.beside();
  }
}
