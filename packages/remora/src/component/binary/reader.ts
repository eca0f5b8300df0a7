/** Reads the primitive values of the component binary; every complaint carries its byte offset. */

import { keepSpecimen } from "../../wasm/specimens.ts";
import { componentErrors } from "../errors.ts";

/** As of core modules: V8 looks longer strings up by their length alone, and some keys are made of two names. */
const longestName = 8_000;

/** How many elements of vectors may still be read, in the whole file: each becomes an object. */
export interface ItemAllowance {
  readonly max: number;
  left: number;
}

/** A cursor over a range of the file. Offsets are those of the whole file, whatever range is read. */
export class BinaryReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;
  readonly #items: ItemAllowance;

  constructor(bytes: Uint8Array, items: ItemAllowance, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#items = items;
    this.offset = start;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.end;
  }

  fail(what: string, offset = this.offset): never {
    throw componentErrors.malformed({ what, offset });
  }

  byte(): number {
    if (this.offset >= this.end) this.fail("unexpected end");
    return this.bytes[this.offset++] ?? 0;
  }

  peek(): number | undefined {
    return this.offset < this.end ? this.bytes[this.offset] : undefined;
  }

  /** One of a few bytes; anything else is malformed. */
  expect(value: number, what: string): void {
    const offset = this.offset;
    const found = this.byte();
    if (found !== value) this.fail(`expected ${hex(value)} for ${what}, found ${hex(found)}`, offset);
  }

  /** A flag written as one byte. */
  flag(what: string): boolean {
    const offset = this.offset;
    const found = this.byte();
    if (found > 1) this.fail(`expected 0x00 or 0x01 for ${what}, found ${hex(found)}`, offset);
    return found === 1;
  }

  /** Core §5.2.2: an unsigned LEB128 of a u32 has at most five bytes, of which the fifth may use four bits. */
  u32(): number {
    const offset = this.offset;
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = this.byte();
      if (index === 4 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return this.fail("integer is longer or larger than a u32", offset);
  }

  u64(): bigint {
    const offset = this.offset;
    let value = 0n;
    for (let index = 0n; index < 10n; index++) {
      const byte = this.byte();
      if (index === 9n && byte > 1) break;
      value |= BigInt(byte & 0x7f) << (7n * index);
      if (byte < 0x80) return value;
    }
    return this.fail("integer is longer or larger than a u64", offset);
  }

  /** A signed LEB128 of 33 bits, in which types and type indices share a space. */
  s33(): number {
    const offset = this.offset;
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        const sign = 2 ** (7 * index + 6);
        const signed = (byte & 0x40) !== 0 ? value - 2 * sign : value;
        if (signed < -(2 ** 32) || signed >= 2 ** 32) break;
        return signed;
      }
    }
    return this.fail("integer is longer or larger than an s33", offset);
  }

  /**
   * The length of a vector. The publisher controls it: each element takes at least one byte, so that a length
   * beyond the end is refused before anything is allocated.
   */
  count(what: string): number {
    const offset = this.offset;
    const count = this.u32();
    if (count > this.end - this.offset) this.fail(`${what}: ${count} do not fit`, offset);
    return count;
  }

  vector<T>(what: string, element: (reader: BinaryReader) => T): T[] {
    const offset = this.offset;
    const count = this.count(what);
    this.#items.left -= count;
    if (this.#items.left < 0) {
      throw componentErrors.limit({ what: "fields, names and arguments", max: this.#items.max, offset });
    }
    const elements: T[] = [];
    for (let index = 0; index < count; index++) elements.push(element(this));
    return elements;
  }

  /** Moves over a range and gives a reader of it. */
  range(size: number): BinaryReader {
    if (size > this.end - this.offset) this.fail(`${size} bytes do not fit`);
    const reader = new BinaryReader(this.bytes, this.#items, this.offset, this.offset + size);
    this.offset += size;
    return reader;
  }

  name(): string {
    const offset = this.offset;
    const length = this.u32();
    if (length > longestName) {
      throw componentErrors.limit({ what: "bytes of a name", max: longestName, offset });
    }
    if (length > this.end - this.offset) this.fail("name does not fit", offset);
    const text = decodeUtf8(this.bytes, this.offset, length);
    if (text === undefined) this.fail("name is not UTF-8", offset);
    this.offset += length;
    return text;
  }
}

export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** Strict UTF-8 (Unicode table 3-7); undefined when it is not. For names: text of guests takes `TextCodec`. */
export function decodeUtf8(bytes: Uint8Array, at: number, length: number): string | undefined {
  let text = "";
  const end = at + length;
  let position = at;
  while (position < end) {
    const first = bytes[position++] ?? 0;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || position + more > end) return undefined;
    let code = first & (0x3f >> more);
    for (let index = 0; index < more; index++) {
      const next = bytes[position++] ?? 0;
      if ((next & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (next & 0x3f);
    }
    const isOverlong = (more === 2 && code < 0x800) || (more === 3 && code < 0x10000);
    if (isOverlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}

keepSpecimen(new BinaryReader(new Uint8Array(0), { max: 0, left: 0 }));
