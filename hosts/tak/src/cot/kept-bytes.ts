/**
 * What a chunk's end has cut off, until the rest of it has come. It knows what it waits for, so that a sender of one
 * byte at a time makes us compare bytes, not read an event over and over.
 */

import { passSpace } from "./xml-characters.ts";

/** What it takes until another look at the bytes is of use. */
export type WaitsFor =
  | { readonly kind: "more" }
  /** This many bytes, from the first of those kept. */
  | { readonly kind: "length"; readonly length: number }
  /** A `>`, in which all markup before an event ends. */
  | { readonly kind: "bracket" }
  /** `</event>`; or so many bytes that what is bad should be found, or is too much. */
  | { readonly kind: "event-end" };

const GT = 0x3e;
const NOTHING = Buffer.alloc(0);
const CAPACITY_MIN = 1024;
const END = "</event";
// With the space that XML allows before its bracket. More is used by nobody, and would be searched for each byte.
export const END_BYTES_MAX = 64;

export class KeptBytes {
  /** How many there are, at the start of a buffer that may be larger. */
  length = 0;
  waitsFor: WaitsFor = { kind: "more" };

  readonly #lengthMax: number;
  #buffer: Buffer = NOTHING;
  /** How many were there at the last look. */
  #seen = 0;
  /** Where the search for what is waited for goes on. */
  #searched = 0;

  /** @param lengthMax With more than that another look is of use, whatever is waited for. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** Keeps a copy of these. */
  keep(bytes: Buffer, waitsFor: WaitsFor): void {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(2 * bytes.length, CAPACITY_MIN));
    this.#buffer.set(bytes);
    this.length = bytes.length;
    this.waitsFor = waitsFor;
    this.#seen = Math.max(bytes.length, CAPACITY_MIN);
    // What is waited for may have begun with the last bytes.
    this.#searched = Math.max(0, bytes.length - END_BYTES_MAX);
  }

  /** Gives them away; what comes is kept in another buffer. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.length);
    this.#buffer = NOTHING;
    this.length = 0;
    return bytes;
  }

  /**
   * Adds what of a chunk probably completes them, so that the bytes behind need not be copied.
   *
   * @returns How many of its bytes were added; at least one.
   */
  add(chunk: Buffer): number {
    const taken = this.#lengthOfInterest(chunk);
    const length = this.length + taken;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * length);
      larger.set(this.#buffer.subarray(0, this.length));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk.subarray(0, taken), this.length);
    this.length = length;
    return taken;
  }

  isWorthALook(): boolean {
    switch (this.waitsFor.kind) {
      case "more":
        return true;
      case "length":
        return this.length >= this.waitsFor.length;
      case "bracket":
        return this.#finds(">");
      case "event-end":
        // Twice as much as at the last look, which finds early what is bad, and costs no more than one look in all.
        return this.#findsEnd() || this.length > Math.min(this.#lengthMax, 2 * this.#seen);
    }
  }

  #lengthOfInterest(chunk: Buffer): number {
    switch (this.waitsFor.kind) {
      case "more":
        return chunk.length;
      case "length":
        return Math.min(chunk.length, this.waitsFor.length - this.length);
      case "bracket":
        return lengthTo(chunk, GT, 0);
      case "event-end": {
        const found = chunk.indexOf(END, 0, "latin1");
        return found === -1 ? chunk.length : lengthTo(chunk, GT, found);
      }
    }
  }

  #finds(token: string): boolean {
    const found = this.#buffer.subarray(0, this.length).indexOf(token, this.#searched, "latin1");
    this.#searched = found === -1 ? Math.max(this.#searched, this.length - token.length + 1) : found;
    return found !== -1;
  }

  #findsEnd(): boolean {
    while (this.#finds(END)) {
      const close = passSpace(this.#buffer, this.#searched + END.length, this.length);
      if (close < this.length && this.#buffer[close] === GT) return true;
      if (close === this.length && close - this.#searched < END_BYTES_MAX) return false;
      this.#searched += END.length;
    }
    return false;
  }
}

function lengthTo(bytes: Buffer, byte: number, from: number): number {
  const found = bytes.indexOf(byte, from);
  return found === -1 ? bytes.length : found + 1;
}
