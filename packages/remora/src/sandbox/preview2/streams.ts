/**
 * `wasi:io/error` and `wasi:io/streams`. A stream is a source or a sink of bytes that never blocks, and the waiting
 * around it. https://github.com/WebAssembly/WASI 0.2, proposals/io.
 */

import { ComponentError } from "../../component/index.ts";
import { sandboxErrors } from "../errors.ts";
import { FsError } from "../fs/errno.ts";
import type { Machine } from "../machine/machine.ts";
import type { Change } from "../net/change.ts";
import { type Awaited, always, Pollable } from "./poll.ts";

/** What an input stream reads from. */
export interface ByteSource {
  /** Some bytes, at most so many; none when there are none yet; "end" when there will be none any more. */
  read(bytesMax: number): Uint8Array | "end";
  readonly awaited: Awaited;
  close(): void;
}

/** What an output stream writes to. */
export interface ByteSink {
  /** Bytes that it takes now; "end" when it takes none any more. */
  room(): number | "end";
  /** Takes all; the stream asked for room before. */
  write(bytes: Uint8Array): void;
  /** Whether everything is where it belongs. */
  isFlushed(): boolean;
  readonly awaited: Awaited;
  close(): void;
}

/** The variant `stream-error`, thrown as the error half of a result. */
type StreamError =
  | { readonly tag: "closed" }
  | { readonly tag: "last-operation-failed"; readonly val: IoError };

/** The resource `error`: what failed, without what only the host should know. */
export class IoError {
  readonly cause: unknown;
  readonly #text: string;

  constructor(text: string, cause: unknown) {
    this.#text = text;
    this.cause = cause;
  }

  toDebugString(): string {
    return this.#text;
  }
}

/** One read takes at most so many bytes at once, whatever the guest asks for. */
const readBytesMax = 1_048_576;

/** As the interface says: what a blocking write takes at least. */
const blockingBytesMax = 4_096;

/** The resource `input-stream`. */
export class InputStream {
  readonly #machine: Machine;
  readonly #source: ByteSource;
  #isOver = false;

  constructor(machine: Machine, source: ByteSource) {
    this.#machine = machine;
    this.#source = source;
    machine.mustHold(this);
  }

  read(length: bigint): Uint8Array {
    if (this.#isOver) throw closed();
    const bytesMax = Number(length < BigInt(readBytesMax) ? length : BigInt(readBytesMax));
    if (bytesMax === 0) return new Uint8Array(0);
    const bytes = guarded(() => this.#source.read(bytesMax));
    if (bytes !== "end") return bytes;
    this.#isOver = true;
    throw closed();
  }

  /** Returns a promise when the engine must suspend the guest; so do all that begin with "blocking". */
  blockingRead(length: bigint): Uint8Array | Promise<Uint8Array> {
    const bytes = this.read(length);
    if (bytes.length > 0 || length === 0n) return bytes;
    const waited = this.#machine.wait(
      "wasi:io/streams.blocking-read",
      changesOf(this.#source.awaited),
      undefined,
    );
    return waited === undefined ? this.blockingRead(length) : waited.then(() => this.blockingRead(length));
  }

  skip(length: bigint): bigint {
    return BigInt(this.read(length).length);
  }

  blockingSkip(length: bigint): bigint | Promise<bigint> {
    const bytes = this.blockingRead(length);
    return bytes instanceof Promise ? bytes.then((some) => BigInt(some.length)) : BigInt(bytes.length);
  }

  subscribe(): Pollable {
    return new Pollable(this.#machine, this.#source.awaited);
  }

  close(): void {
    this.#isOver = true;
    this.#machine.release(this);
    this.#source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The resource `output-stream`. */
export class OutputStream {
  readonly #machine: Machine;
  readonly #sink: ByteSink;
  /** What the last `check-write` allowed. */
  #permitted = 0;

  constructor(machine: Machine, sink: ByteSink) {
    this.#machine = machine;
    this.#sink = sink;
    machine.mustHold(this);
  }

  checkWrite(): bigint {
    const room = this.#room();
    if (room === "end") throw closed();
    this.#permitted = room;
    return BigInt(room);
  }

  write(contents: Uint8Array): void {
    // The interface makes it a trap to write more than was permitted.
    if (contents.length > this.#permitted) this.#unpermitted(contents.length, this.#permitted);
    this.#permitted -= contents.length;
    guarded(() => this.#sink.write(contents));
  }

  writeZeroes(length: bigint): void {
    if (length > BigInt(this.#permitted)) this.#unpermitted(Number(length), this.#permitted);
    this.write(new Uint8Array(Number(length)));
  }

  flush(): void {
    if (this.#room() === "end") throw closed();
  }

  blockingFlush(): Promise<void> | undefined {
    this.flush();
    if (this.#sink.isFlushed()) return undefined;
    const waited = this.#machine.wait(
      "wasi:io/streams.blocking-flush",
      changesOf(this.#sink.awaited),
      undefined,
    );
    return waited === undefined ? this.blockingFlush() : waited.then(() => this.blockingFlush());
  }

  blockingWriteAndFlush(contents: Uint8Array): Promise<void> | undefined {
    if (contents.length > blockingBytesMax) this.#unpermitted(contents.length, blockingBytesMax);
    return this.#writeAll(contents);
  }

  blockingWriteZeroesAndFlush(length: bigint): Promise<void> | undefined {
    if (length > BigInt(blockingBytesMax)) this.#unpermitted(Number(length), blockingBytesMax);
    return this.#writeAll(new Uint8Array(Number(length)));
  }

  splice(source: InputStream, length: bigint): bigint {
    const room = this.checkWrite();
    const bytes = source.read(length < room ? length : room);
    if (bytes.length > 0) this.write(bytes);
    return BigInt(bytes.length);
  }

  blockingSplice(source: InputStream, length: bigint): bigint | Promise<bigint> {
    const room = this.checkWrite();
    if (room === 0n) {
      const waited = this.#machine.wait(
        "wasi:io/streams.blocking-splice",
        changesOf(this.#sink.awaited),
        undefined,
      );
      return waited === undefined
        ? this.blockingSplice(source, length)
        : waited.then(() => this.blockingSplice(source, length));
    }
    const bytes = source.blockingRead(length < room ? length : room);
    const move = (some: Uint8Array): bigint => {
      this.write(some);
      return BigInt(some.length);
    };
    return bytes instanceof Promise ? bytes.then(move) : move(bytes);
  }

  subscribe(): Pollable {
    return new Pollable(this.#machine, this.#sink.awaited);
  }

  close(): void {
    this.#permitted = 0;
    this.#machine.release(this);
    this.#sink.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #room(): number | "end" {
    return guarded(() => this.#sink.room());
  }

  #writeAll(contents: Uint8Array): Promise<void> | undefined {
    const room = Number(this.checkWrite());
    const part = contents.subarray(0, room);
    if (part.length > 0) this.write(part);
    if (part.length === contents.length) return this.blockingFlush();
    const rest = contents.subarray(part.length);
    const operation = "wasi:io/streams.blocking-write-and-flush";
    const waited = this.#machine.wait(operation, changesOf(this.#sink.awaited), undefined);
    return waited === undefined ? this.#writeAll(rest) : waited.then(() => this.#writeAll(rest));
  }

  #unpermitted(bytes: number, permitted: number): never {
    const { plugin } = this.#machine.shared;
    return this.#machine.guest.abort(sandboxErrors["unpermitted-write"]({ plugin, bytes, permitted }));
  }
}

/** Somewhere that takes all at once. */
export function readySink(write: (bytes: Uint8Array) => void, close: () => void): ByteSink {
  return { room: () => roomBytes, write, isFlushed: () => true, awaited: always, close };
}

/** What `check-write` permits where there is always room. */
const roomBytes = 65_536;

function changesOf(awaited: Awaited): Change[] {
  return awaited.kind === "event" ? [awaited.change()] : [];
}

function closed(): ComponentError<StreamError> {
  return new ComponentError({ tag: "closed" });
}

/** What a source or sink throws in the guest's terms becomes the last operation's failure. */
function guarded<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof FsError) && !(error instanceof StreamFailure)) throw error;
    const val = new IoError(error.message, error);
    throw new ComponentError<StreamError>({ tag: "last-operation-failed", val });
  }
}

/** A failure of a stream that is no file: `reason` is an error code of its own protocol. */
export class StreamFailure extends Error {
  readonly reason: unknown;

  constructor(text: string, reason: unknown) {
    super(text);
    this.name = "StreamFailure";
    this.reason = reason;
  }
}
