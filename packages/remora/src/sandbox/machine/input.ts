/**
 * What a program reads from its standard input: bytes that are all there, or a stream that brings them by and by. Of a
 * stream one piece is kept at a time; the next is asked for when that has been read.
 */

import { Change } from "../net/change.ts";

export interface StandardInput {
  /** Some bytes, at most so many; none when there are none yet, "end" when there will be none any more. */
  read(bytesMax: number): Uint8Array | "end";
  /** Whether reading would tell something: bytes, or the end. */
  isReady(): boolean;
  readonly availableBytes: number;
  readonly change: Change;
}

export function bytesInput(bytes: Uint8Array): StandardInput {
  let at = 0;
  return {
    read(bytesMax) {
      if (at >= bytes.length) return "end";
      const part = bytes.slice(at, at + bytesMax);
      at += part.length;
      return part;
    },
    isReady: () => true,
    get availableBytes() {
      return bytes.length - at;
    },
    change: new Change(),
  };
}

/** A stream that fails ends: what went wrong is the host's business. */
export function streamInput(stream: AsyncIterable<Uint8Array>): StandardInput & { close(): void } {
  const iterator = stream[Symbol.asyncIterator]();
  const change = new Change();
  let piece = new Uint8Array(0);
  let hasEnded = false;
  let isAsked = false;
  const arrived = (next: IteratorResult<Uint8Array> | undefined): void => {
    isAsked = false;
    if (next === undefined || next.done === true) hasEnded = true;
    else piece = new Uint8Array(next.value);
    if (piece.length === 0 && !hasEnded) ask();
    else change.signal();
  };
  const ask = (): void => {
    if (isAsked || hasEnded) return;
    isAsked = true;
    iterator.next().then(arrived, () => arrived(undefined));
  };
  return {
    read(bytesMax) {
      const part = piece.slice(0, bytesMax);
      piece = piece.subarray(part.length);
      if (part.length > 0) return part;
      if (hasEnded) return "end";
      ask();
      return part;
    },
    isReady() {
      if (piece.length === 0) ask();
      return piece.length > 0 || hasEnded;
    },
    get availableBytes() {
      return piece.length;
    },
    change,
    close() {
      hasEnded = true;
      // It may have something to let go of; how that goes is its own business.
      iterator.return?.().then(
        () => {},
        () => {},
      );
    },
  };
}
