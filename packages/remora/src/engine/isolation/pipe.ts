/**
 * Messages through a pipe, between the host and one guest process: a head of fixed size, and behind it the payload. The
 * host reads as bytes come, and believes none of them; the process blocks in a read.
 */

import { readSync, writeSync } from "node:fs";
import { deserialize } from "node:v8";
import { ForgedMessage } from "./face.ts";
import { type GuestChannel, type Message, payloadBytesMax } from "./protocol.ts";

/** Five 32-bit words, one unused, and three 64-bit floats. */
const headBytes = 48;

export function headOf(sent: Message): Uint8Array {
  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  const words = [sent.kind, sent.target, sent.item, sent.count, sent.payload.length];
  for (const [index, word] of words.entries()) view.setInt32(4 * index, word, true);
  const numbers = [sent.first, sent.second, sent.third];
  for (const [index, number] of numbers.entries()) view.setFloat64(24 + 8 * index, number, true);
  return head;
}

function messageOf(head: Uint8Array, payload: Uint8Array): Message {
  const view = new DataView(head.buffer, head.byteOffset, headBytes);
  const [kind, target, item, count] = [0, 4, 8, 12].map((at) => view.getInt32(at, true));
  const [first, second, third] = [24, 32, 40].map((at) => view.getFloat64(at, true));
  // As many as there are names.
  return { kind, target, item, count, first, second, third, payload } as Message;
}

function payloadLength(head: Uint8Array): number {
  return new DataView(head.buffer, head.byteOffset, headBytes).getInt32(16, true);
}

/**
 * Puts messages together out of what comes. It holds one message and no more: the other end has to wait its turn. In one
 * piece of memory, which the system gives as it is written, so that neither a length that is only announced costs anything
 * nor a message that comes byte by byte.
 */
export class PipeReader {
  #bytes = new Uint8Array(headBytes);
  #held = 0;

  /**
   * @returns The message that is complete now, if one is.
   * @throws ForgedMessage a message is too long, or comes behind another
   */
  push(chunk: Uint8Array): Message | undefined {
    let rest = this.#take(chunk);
    if (this.#held < headBytes) return undefined;
    const length = payloadLength(this.#bytes);
    if (length < 0 || length > payloadBytesMax) throw new ForgedMessage(`a message of ${length} bytes`);
    if (this.#bytes.length === headBytes) this.#grow(headBytes + length);
    rest = this.#take(rest);
    if (rest.length > 0) throw new ForgedMessage("a message out of turn");
    const all = this.#bytes;
    if (this.#held < all.length) return undefined;
    this.#bytes = new Uint8Array(headBytes);
    this.#held = 0;
    return messageOf(all, all.subarray(headBytes));
  }

  /** As much as there is room for. @returns the rest */
  #take(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, this.#bytes.length - this.#held);
    this.#bytes.set(taken, this.#held);
    this.#held += taken.length;
    return chunk.subarray(taken.length);
  }

  #grow(length: number): void {
    const head = this.#bytes;
    this.#bytes = new Uint8Array(length);
    this.#bytes.set(head);
  }
}

/** The process's end. */
export class PipeChannel implements GuestChannel {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  exchange(sent: Message): Message {
    this.send(sent);
    return this.receive();
  }

  send(sent: Message): void {
    writeAll(this.#fd, headOf(sent));
    writeAll(this.#fd, sent.payload);
  }

  receive(): Message {
    const head = readExactly(this.#fd, headBytes);
    return messageOf(head, readExactly(this.#fd, payloadLength(head)));
  }

  /** A pipe has no way to tell: the host ends the process. */
  isStopped(): boolean {
    return false;
  }

  shipment(loaded: Message): unknown {
    return deserialize(loaded.payload);
  }
}

export function readExactly(fd: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const read = blocking(() => readSync(fd, bytes, at, length - at, null));
    if (read === 0) throw new Error("The host is gone");
    at += read;
  }
  return bytes;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += blocking(() => writeSync(fd, bytes, at, bytes.length - at));
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** A pipe that was opened not to block says so, and is asked again. */
function blocking(act: () => number): number {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
