/**
 * Reads the value encodings of the binary format (core specification §5.2) from a range of bytes. Every read
 * checks the end and every failure is a coded error with its offset; a count is checked against the bytes left.
 */

import { wasmErrors } from "./errors.ts";
import { keepSpecimen } from "./specimens.ts";
import { decodeUtf8 } from "./utf8.ts";

export class ByteReader {
  readonly bytes: Uint8Array;
  /** First byte that is not this reader's. */
  readonly end: number;
  /** Offset of the next byte, from the start of `bytes`. */
  position: number;

  constructor(bytes: Uint8Array, position = 0, end: number = bytes.length) {
    if (position < 0 || end > bytes.length || position > end)
      throw new RangeError("range outside of the bytes");
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.position >= this.end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** @throws wasm/unexpected-end */
  byte(what = "a byte"): number {
    if (this.position >= this.end) throw wasmErrors["unexpected-end"]({ offset: this.position, what });
    return this.bytes[this.position++] ?? 0;
  }

  /** The next byte without taking it; undefined at the end. */
  peek(): number | undefined {
    return this.position < this.end ? this.bytes[this.position] : undefined;
  }

  /**
   * Unsigned LEB128, at most 5 bytes of which the last may use 4 bits (§5.2.2).
   * @throws wasm/unexpected-end, wasm/malformed-number
   */
  u32(what = "a number"): number {
    const first = this.position < this.end ? (this.bytes[this.position] ?? 0) : 0x80;
    if (first >= 0x80) return this.longU32(what);
    this.position++;
    return first;
  }

  /** Apart, since nearly all numbers have one byte and V8 compiles the above into whatever reads one. */
  private longU32(what: string): number {
    const start = this.position;
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte(what);
      if (shift === 28 && byte > 0x0f) break;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
    throw wasmErrors["malformed-number"]({ offset: start, what });
  }

  /** Signed LEB128 of 32 bits, as a number. */
  s32(what = "a number"): number {
    return this.signed(32, what);
  }

  /** Signed LEB128 of 33 bits: block and heap types. */
  s33(what = "a type"): number {
    return this.signed(33, what);
  }

  s64(what = "a number"): bigint {
    const start = this.position;
    let result = 0n;
    for (let index = 0; index < 10; index++) {
      const byte = this.byte(what);
      result |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte >= 0x80) continue;
      if (index === 9 && !repeatsSign(byte, 1)) break;
      return BigInt.asIntN(Math.min(64, 7 * (index + 1)), result);
    }
    throw wasmErrors["malformed-number"]({ offset: start, what });
  }

  u64(what = "a number"): bigint {
    const start = this.position;
    let result = 0n;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte(what);
      if (shift === 63 && byte > 1) break;
      result |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return result;
    }
    throw wasmErrors["malformed-number"]({ offset: start, what });
  }

  /**
   * A view of the next bytes, not a copy.
   * @throws wasm/unexpected-end
   */
  take(length: number, what = "bytes"): Uint8Array {
    const start = this.position;
    this.skip(length, what);
    return this.bytes.subarray(start, start + length);
  }

  skip(length: number, what = "bytes"): void {
    if (length > this.end - this.position) throw wasmErrors["unexpected-end"]({ offset: this.end, what });
    this.position += length;
  }

  /**
   * The length of a vector whose every item takes at least `itemBytesMin` bytes, so that a length that cannot be
   * true is refused before anything is allocated or looped over.
   * @throws wasm/too-many, wasm/limit
   */
  count(what: string, options: { max: number; itemBytesMin?: number }): number {
    const offset = this.position;
    const count = this.u32(`the number of ${what}`);
    if (count > options.max) throw wasmErrors.limit({ offset, what, found: count, max: options.max });
    if (count * (options.itemBytesMin ?? 1) > this.remaining) {
      throw wasmErrors["too-many"]({ offset, what, count, bytesLeft: this.remaining });
    }
    return count;
  }

  /**
   * A length and that many bytes of UTF-8.
   * @throws wasm/malformed-name
   */
  name(what: string, bytesMax: number): string {
    const length = this.count(`bytes of ${what}`, { max: bytesMax });
    const start = this.position;
    this.position += length;
    const text = decodeUtf8(this.bytes, start, this.position);
    if (text === undefined) throw wasmErrors["malformed-name"]({ offset: start, what });
    return text;
  }

  /** A reader of the next bytes; this one goes on behind them. */
  part(length: number, what: string): ByteReader {
    const start = this.position;
    this.skip(length, what);
    return new ByteReader(this.bytes, start, start + length);
  }

  /** At most 33 bits: a double is exact, and big integers would take most of the time that sections do. */
  private signed(bits: number, what: string): number {
    const start = this.position;
    const last = Math.ceil(bits / 7) - 1;
    let result = 0;
    for (let index = 0; index <= last; index++) {
      const byte = this.byte(what);
      result += (byte & 0x7f) * 2 ** (7 * index);
      if (byte >= 0x80) continue;
      if (index === last && !repeatsSign(byte, bits - 7 * index)) break;
      return (byte & 0x40) === 0 ? result : result - 2 ** (7 * (index + 1));
    }
    throw wasmErrors["malformed-number"]({ offset: start, what });
  }
}

/** §5.2.2: in the last byte, of which so many bits are used, all bits above the value must repeat its sign. */
function repeatsSign(byte: number, used: number): boolean {
  const above = byte >> (used - 1);
  return above === 0 || above === 0x7f >> (used - 1);
}

keepSpecimen(new ByteReader(new Uint8Array(0)));
