/** Writes what `ByteReader` reads. Numbers take their shortest form. */

import { keepSpecimen } from "./specimens.ts";
import { encodeUtf8 } from "./utf8.ts";

export class ByteWriter {
  private bytes: Uint8Array;
  private used = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(Math.max(16, capacity));
  }

  /** Bytes written so far. */
  get length(): number {
    return this.used;
  }

  byte(value: number): this {
    if (this.used === this.bytes.length) this.grow(1);
    this.bytes[this.used++] = value;
    return this;
  }

  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.byte(rest);
  }

  /** Signed; `value` may have up to 53 bits, so this serves s33 as well. */
  s32(value: number): this {
    return this.s64(BigInt(value));
  }

  u64(value: bigint): this {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    return this.byte(Number(rest));
  }

  s64(value: bigint): this {
    let rest = value;
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    return this.byte(Number(rest & 0x7fn));
  }

  raw(bytes: Uint8Array): this {
    if (this.used + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.used);
    this.used += bytes.length;
    return this;
  }

  /** A length, then the bytes. */
  sized(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  name(text: string): this {
    return this.sized(encodeUtf8(text));
  }

  /** A count, then each item. */
  vector<Item>(items: readonly Item[], write: (writer: ByteWriter, item: Item) => void): this {
    this.u32(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  /** What was written: a view that stays valid as long as nothing more is written. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.used);
  }

  private grow(more: number): void {
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.used + more));
    next.set(this.bytes.subarray(0, this.used));
    this.bytes = next;
  }
}

keepSpecimen(new ByteWriter());
