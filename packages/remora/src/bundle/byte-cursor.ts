/** Reads the head of a bundle from front to back; whatever a size says is bounded before it is used. */

import { bundleErrors } from "./errors.ts";

export class ByteCursor {
  /** Offset of the next byte. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  /** These many bytes, without going on. */
  peek(what: string, length: number): Uint8Array {
    if (this.at + length > this.#bytes.length) {
      throw bundleErrors["unexpected-end"]({ what, offset: this.#bytes.length });
    }
    return this.#bytes.subarray(this.at, this.at + length);
  }

  take(what: string, length: number): Uint8Array {
    const taken = this.peek(what, length);
    this.at += length;
    return taken;
  }

  byte(what: string): number {
    const [value = 0] = this.take(what, 1);
    return value;
  }

  /** A u32 that counts `what`. */
  size(what: string, max: number): number {
    const offset = this.at;
    this.take(what, 4);
    const found = this.#view.getUint32(offset, true);
    if (found > max) throw bundleErrors.limit({ what, found, max, offset });
    return found;
  }

  /** A u64 as the nearest number; its reader bounds it. */
  long(what: string): number {
    const offset = this.at;
    this.take(what, 8);
    return Number(this.#view.getBigUint64(offset, true));
  }

  /** A u16 length and as many bytes of UTF-8. */
  text(what: string, bytesMax: number): string {
    const offset = this.at;
    this.take(what, 2);
    const found = this.#view.getUint16(offset, true);
    if (found > bytesMax)
      throw bundleErrors.limit({ what: `bytes of ${what}`, found, max: bytesMax, offset });
    const bytes = this.take(what, found);
    try {
      return utf8.decode(bytes);
    } catch (error) {
      throw bundleErrors.malformed(
        { what, found: "other bytes", allowed: "UTF-8", offset: offset + 2 },
        error,
      );
    }
  }
}

/** A byte order mark is a character like another: what is read is written again as it was. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
