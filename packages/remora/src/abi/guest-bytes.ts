/**
 * Linear memory as the conventions of core modules use it. The guest chooses every pointer and length, so each
 * access is checked, and memory may have moved since the last one: a view never outlives a call into the guest.
 */

import { Buffer } from "node:buffer";
import { textCodec } from "../engine/text.ts";
import { abiErrors } from "./errors.ts";

/** Where all bytes of the guest are now; a new view after it grew. */
export interface MemorySource {
  view(): Uint8Array;
  /** Told where bytes were written, where the guest is behind a wall; see `GuestMemory`. */
  wrote?(at: number, length: number): void;
}

/** Up to here a loop is faster than a call into the platform. */
const loopMax = 16;

/** The raw method behind `buffer.write`: declared nowhere, stable since Node 4; works on any bytes. */
interface RawBufferMethods {
  ucs2Write(this: Uint8Array, text: string, at: number, lengthMax: number): number;
}

const { ucs2Write } = Buffer.prototype as unknown as RawBufferMethods;

// Replaces what is not UTF-8 by U+FFFD, as every host of these conventions does.
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class GuestBytes {
  readonly #memory: MemorySource;

  constructor(memory: MemorySource) {
    this.#memory = memory;
  }

  /** How large the memory is now. */
  get size(): number {
    return this.#memory.view().length;
  }

  /** The bytes themselves, not a copy: valid until the guest runs again. */
  slice(pointer: number, length: number, what: string): Uint8Array {
    const bytes = this.#memory.view();
    const at = addressOf(pointer, what);
    const count = addressOf(length, what);
    check(bytes, at, count, what);
    return bytes.subarray(at, at + count);
  }

  /** Lets `read` read bytes where they are, without a copy or a view of them: from, and up to, these places. */
  read<Result>(
    pointer: number,
    length: number,
    what: string,
    read: (bytes: Uint8Array, from: number, end: number) => Result,
  ): Result {
    const bytes = this.#memory.view();
    const at = addressOf(pointer, what);
    const count = addressOf(length, what);
    check(bytes, at, count, what);
    return read(bytes, at, at + count);
  }

  /** UTF-8 of at most `bytesMax` bytes. */
  utf8(pointer: number, length: number, what: string, bytesMax: number): string {
    const bytes = this.#memory.view();
    const at = addressOf(pointer, what);
    const count = addressOf(length, what);
    if (count > bytesMax) throw abiErrors["too-long"]({ what, length: count, lengthMax: bytesMax });
    check(bytes, at, count, what);
    return textCodec.decodeUtf8(bytes, at, count) ?? lenientDecoder.decode(bytes.subarray(at, at + count));
  }

  /** UTF-16 of `length` bytes; half a unit at the end is not read, and lone surrogates stay what they are. */
  utf16(pointer: number, length: number, what: string): string {
    const bytes = this.#memory.view();
    const at = addressOf(pointer, what);
    check(bytes, at, length, what);
    return textCodec.decodeUtf16(bytes, at, length >>> 1);
  }

  u32(pointer: number, what: string): number {
    const bytes = this.#memory.view();
    const at = addressOf(pointer, what);
    check(bytes, at, 4, what);
    return (
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)) >>>
      0
    );
  }

  setU16(pointer: number, value: number, what: string): void {
    const bytes = this.slice(pointer, 2, what);
    bytes[0] = value & 0xff;
    bytes[1] = (value >>> 8) & 0xff;
    this.#wrote(pointer, 2);
  }

  setU32(pointer: number, value: number, what: string): void {
    const bytes = this.slice(pointer, 4, what);
    for (let index = 0; index < 4; index++) bytes[index] = (value >>> (8 * index)) & 0xff;
    this.#wrote(pointer, 4);
  }

  set(pointer: number, bytes: Uint8Array, what: string): void {
    const memory = this.#memory.view();
    const at = addressOf(pointer, what);
    check(memory, at, bytes.length, what);
    memory.set(bytes, at);
    this.#wrote(pointer, bytes.length);
  }

  #wrote(pointer: number, length: number): void {
    this.#memory.wrote?.(pointer >>> 0, length);
  }

  /** Writes UTF-8; `length` is what `utf8Length` says. */
  setUtf8(pointer: number, text: string, length: number, what: string): void {
    const bytes = this.#memory.view();
    const at = addressOf(pointer, what);
    check(bytes, at, length, what);
    textCodec.encodeUtf8(text, bytes, at);
  }

  /** Writes the text's units, two bytes each. */
  setUtf16(pointer: number, text: string, what: string): void {
    const bytes = this.#memory.view();
    const at = addressOf(pointer, what);
    const { length } = text;
    check(bytes, at, 2 * length, what);
    if (length > loopMax) {
      ucs2Write.call(bytes, text, at, 2 * length);
      return;
    }
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      bytes[at + 2 * index] = unit & 0xff;
      bytes[at + 2 * index + 1] = unit >>> 8;
    }
  }
}

/** Bytes that a text takes in UTF-8, a lone surrogate counted as U+FFFD. */
export function utf8Length(text: string): number {
  return textCodec.utf8Length(text);
}

/**
 * A number that the guest returned, or handed over, as the address or length that it means. A module may declare any
 * result type: an i64 comes as a bigint, a float may be NaN, and a function without a result gives nothing.
 */
export function addressOf(value: unknown, what: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) {
    // What is larger than any memory is found when it is compared with this one.
    if (number >= 0) return number;
    if (number >= -0x8000_0000) return number + 0x1_0000_0000;
  }
  throw abiErrors["bad-number"]({ what, found: foundNumber(value) });
}

/** A status or a signed length: an i32, or an i64 in its range. A function without a result means 0. */
export function signedOf(value: unknown, what: string): number {
  if (value === undefined) return 0;
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) {
    if (number >= -0x8000_0000 && number <= 0x7fff_ffff) return number;
  }
  throw abiErrors["bad-number"]({ what, found: foundNumber(value) });
}

function foundNumber(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : typeof value;
}

function check(bytes: Uint8Array, at: number, length: number, what: string): void {
  if (at + length > bytes.length) {
    throw abiErrors["out-of-bounds"]({ what, pointer: at, length, memoryBytes: bytes.length });
  }
}
