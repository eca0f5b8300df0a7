/** Bodies on their way: of a request towards the connection, of a response towards the guest. Neither is collected. */

import type { OpenRequest, OpenResponse } from "../http/client.ts";
import { type HttpErrorCode, HttpFailure, httpFailureOf } from "../http/failure.ts";
import { Change } from "../net/change.ts";
import type { Awaited } from "./poll.ts";
import { type ByteSink, type ByteSource, StreamFailure } from "./streams.ts";

/** Bytes that wait for the connection; beyond them the guest waits. */
const queueBytesMax = 65_536;

/** A request's body on its way: kept until there is a connection, then passed on as fast as that takes it. */
export class BodyQueue implements ByteSink {
  readonly awaited: Awaited;
  readonly #bytesMax: number;
  #waiting: Uint8Array[] = [];
  #queuedBytes = 0;
  #totalBytes = 0;
  #promisedBytes: number | undefined;
  #open: OpenRequest | undefined;
  #isPaused = false;
  #isFinished = false;
  #isAborted = false;
  readonly #change = new Change();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.awaited = {
      kind: "event",
      isReady: () => this.room() !== 0,
      change: () => this.#change,
    };
  }

  /** By the guest, so far. */
  get writtenBytes(): number {
    return this.#totalBytes;
  }

  room(): number | "end" {
    if (this.#isAborted || this.#isFinished) return "end";
    return this.#isPaused ? 0 : Math.max(0, queueBytesMax - this.#queuedBytes);
  }

  write(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    const bytesMax = Math.min(this.#bytesMax, this.#promisedBytes ?? this.#bytesMax);
    if (this.#totalBytes > bytesMax) {
      this.abort();
      throw new StreamFailure("HTTP-request-body-size", {
        tag: "HTTP-request-body-size",
        val: BigInt(bytesMax),
      });
    }
    if (this.#open === undefined) {
      this.#waiting.push(bytes.slice());
      this.#queuedBytes += bytes.length;
    } else {
      this.#isPaused = !this.#open.write(bytes);
    }
  }

  isFlushed(): boolean {
    return this.#open === undefined || !this.#isPaused;
  }

  attach(open: OpenRequest, promisedBytes: number | undefined): void {
    this.#open = open;
    this.#promisedBytes = promisedBytes;
    open.onDrain(() => {
      this.#isPaused = false;
      this.#change.signal();
    });
    open.response.catch(() => this.abort());
    for (const bytes of this.#waiting.splice(0)) this.#isPaused = !open.write(bytes);
    this.#queuedBytes = 0;
    if (this.#isFinished) this.#end();
    this.#change.signal();
  }

  /** The guest says that this was all. @returns What is wrong with it, if anything. */
  finish(): HttpErrorCode | undefined {
    if (this.#isAborted) return { tag: "connection-terminated" };
    this.#isFinished = true;
    if (this.#open === undefined) return undefined;
    return this.#end();
  }

  abort(): void {
    if (this.#isFinished && this.#open !== undefined) return;
    this.#isAborted = true;
    this.#waiting = [];
    this.#open?.close();
    this.#change.signal();
  }

  close(): void {}

  #end(): HttpErrorCode | undefined {
    const promised = this.#promisedBytes;
    if (promised !== undefined && promised !== this.#totalBytes) {
      this.#isAborted = true;
      this.#open?.close();
      return { tag: "HTTP-request-body-size", val: BigInt(this.#totalBytes) };
    }
    this.#open?.end();
    return undefined;
  }
}

/** A response's body: read when the guest asks, so that what it does not read stays with the sender. */
export function bodySource(response: OpenResponse): ByteSource {
  const { body } = response;
  let failure: HttpFailure | undefined;
  body.on("error", (error) => {
    // Ours says why; whatever else ended it, it is not whole.
    failure = error instanceof HttpFailure ? error : new HttpFailure({ tag: "HTTP-response-incomplete" });
  });
  const change = new Change();
  for (const name of ["readable", "end", "error", "close"]) body.on(name, () => change.signal());
  const isOver = (): boolean => body.readableEnded || body.destroyed || failure !== undefined;
  return {
    read(bytesMax) {
      const available = Math.min(bytesMax, body.readableLength);
      const bytes: Uint8Array | null = available > 0 ? body.read(available) : body.read(0);
      if (bytes !== null) {
        try {
          response.take(bytes);
        } catch (error) {
          throw streamFailureOf(httpFailureOf(error));
        }
        return new Uint8Array(bytes);
      }
      if (!isOver()) return new Uint8Array(0);
      if (failure !== undefined) throw streamFailureOf(failure);
      if (!body.complete) throw streamFailureOf(new HttpFailure({ tag: "HTTP-response-incomplete" }));
      return "end";
    },
    awaited: { kind: "event", isReady: () => body.readableLength > 0 || isOver(), change: () => change },
    close: () => body.destroy(),
  };
}

function streamFailureOf(failure: HttpFailure): StreamFailure {
  return new StreamFailure(failure.message, failure.reason);
}
