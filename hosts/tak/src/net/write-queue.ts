/**
 * Messages on their way to one peer, bounded in bytes. They are copied one behind the other into batches, and a batch
 * is written at a time: one system call for many messages, and a slow peer fills this queue, which is bounded and
 * counted, instead of the socket's own buffer, which is not.
 */

/** What happens to a message for which there is no room. */
export type WhenFull =
  /** The oldest batch that is not being written goes: positions grow old, so the newest are worth most. */
  | "drop-oldest"
  /** The message goes. */
  | "drop-newest"
  /** The connection is closed. */
  | "disconnect";

export interface WriteQueueOptions {
  /** Bytes that may wait, those being written included. */
  readonly queuedBytesMax: number;
  readonly whenFull: WhenFull;
}

export const writeQueueDefault: WriteQueueOptions = { queuedBytesMax: 4 << 20, whenFull: "drop-oldest" };

/** What the queue writes to: calls back when the bytes have left, or with false when they never will. */
export type Sink = (bytes: Uint8Array, done: (hasLeft: boolean) => void) => void;

interface Batch {
  bytes: Uint8Array;
  length: number;
  messages: number;
  /** Holds what must not be dropped. */
  isKept: boolean;
}

const BATCH_BYTES_MIN = 2048;
const BATCH_BYTES_MAX = 64 << 10;

export class WriteQueue {
  queuedBytes = 0;
  messagesDropped = 0;
  messagesWritten = 0;
  bytesWritten = 0;

  readonly #sink: Sink;
  readonly #options: WriteQueueOptions;
  /** The first is being written when `#isWriting`; the last may still be filled. */
  readonly #batches: Batch[] = [];
  #isWriting = false;
  #isScheduled = false;
  #batchBytes = BATCH_BYTES_MIN;
  #onEmpty: (() => void) | undefined;

  constructor(sink: Sink, options: WriteQueueOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Whether something waits for the peer to read. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /**
   * Queues one message, in two parts so that framing need not be joined with it before.
   *
   * @param isKept Never dropped for a later one: the peer would not know how to go on without it.
   * @returns `dropped` when it is this message that found no room; `full` when the connection is to be closed.
   */
  push(header: Uint8Array, message: Uint8Array, isKept = false): "queued" | "dropped" | "full" {
    const length = header.length + message.length;
    if (this.queuedBytes + length > this.#options.queuedBytesMax && !this.#makeRoom(length)) {
      this.messagesDropped++;
      return this.#options.whenFull === "disconnect" ? "full" : "dropped";
    }
    const batch = this.#batchFor(length);
    batch.bytes.set(header, batch.length);
    batch.bytes.set(message, batch.length + header.length);
    batch.length += length;
    batch.messages++;
    batch.isKept ||= isKept;
    this.queuedBytes += length;
    if (!this.#isWriting && !this.#isScheduled) {
      this.#isScheduled = true;
      // Behind everything else that the same chunk of input has to say.
      queueMicrotask(() => {
        this.#isScheduled = false;
        this.#writeNext();
      });
    }
    return "queued";
  }

  /** Calls back when all that is queued now has left; at once when nothing is. */
  whenEmpty(callback: () => void): void {
    if (this.#batches.length === 0) callback();
    else this.#onEmpty = callback;
  }

  #batchFor(length: number): Batch {
    const last = this.#batches.at(-1);
    const isOpen = last !== undefined && !(this.#isWriting && this.#batches.length === 1);
    if (isOpen && last.length + length <= last.bytes.length) return last;
    // Who fills a batch before it is written will fill a larger one.
    if (isOpen) this.#batchBytes = Math.min(BATCH_BYTES_MAX, this.#batchBytes * 2);
    const batch = {
      bytes: new Uint8Array(Math.max(length, this.#batchBytes)),
      length: 0,
      messages: 0,
      isKept: false,
    };
    this.#batches.push(batch);
    return batch;
  }

  #makeRoom(length: number): boolean {
    const { queuedBytesMax, whenFull } = this.#options;
    if (whenFull !== "drop-oldest") return false;
    const canGo = (batch: Batch, index: number) => !batch.isKept && !(this.#isWriting && index === 0);
    const held = this.#batches.reduce(
      (sum, batch, index) => (canGo(batch, index) ? sum : sum + batch.length),
      0,
    );
    // Nothing is dropped for a message that would not fit even then.
    if (held + length > queuedBytesMax) return false;
    while (this.queuedBytes + length > queuedBytesMax) {
      const [oldest] = this.#batches.splice(this.#batches.findIndex(canGo), 1);
      if (oldest !== undefined) this.#drop(oldest);
    }
    return true;
  }

  #drop(batch: Batch): void {
    this.queuedBytes -= batch.length;
    this.messagesDropped += batch.messages;
  }

  #writeNext(): void {
    const batch = this.#batches[0];
    if (batch === undefined) {
      this.#batchBytes = Math.max(BATCH_BYTES_MIN, this.#batchBytes / 2);
      const onEmpty = this.#onEmpty;
      this.#onEmpty = undefined;
      onEmpty?.();
      return;
    }
    this.#isWriting = true;
    this.#sink(batch.bytes.subarray(0, batch.length), (hasLeft) => {
      this.#isWriting = false;
      if (!hasLeft) {
        for (const lost of this.#batches.splice(0)) this.#drop(lost);
        this.#writeNext();
        return;
      }
      this.#batches.shift();
      this.queuedBytes -= batch.length;
      this.messagesWritten += batch.messages;
      this.bytesWritten += batch.length;
      this.#writeNext();
    });
  }
}
