/** Where rewritten bodies go: a growing buffer without a check too many, since all of the code passes here. */

import { op } from "./emitted.ts";

const sizeBytes = 5;

export class CodeBuffer {
  length = 0;
  private bytes: Uint8Array;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.max(capacity, 64));
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  s32(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** An operator with an index behind it. */
  indexed(opcode: number, index: number): void {
    this.byte(opcode);
    this.u32(index);
  }

  /** `i32.const`. */
  constant(value: number): void {
    this.byte(op.i32Const);
    this.s32(value);
  }

  raw(bytes: Uint8Array): void {
    this.copy(bytes, 0, bytes.length);
  }

  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (this.length + count > this.bytes.length) this.grow(count);
    const { bytes } = this;
    let to = this.length;
    this.length = to + count;
    // Most pieces are a few bytes long: for those a loop is faster than a call and a view.
    if (count > 128) bytes.set(source.subarray(start, end), to);
    else for (let at = start; at < end; at++) bytes[to++] = source[at] as number; // within the source
  }

  /** Leaves room for a size; returns where the content starts until `endSized` moves it. */
  beginSized(): number {
    if (this.length + sizeBytes > this.bytes.length) this.grow(sizeBytes);
    this.length += sizeBytes;
    return this.length;
  }

  /** Writes the size of all since `start` before it, in its shortest form; returns by how much that has moved. */
  endSized(start: number): number {
    const end = this.length;
    this.length = start - sizeBytes;
    this.u32(end - start);
    this.bytes.copyWithin(this.length, start, end);
    const moved = this.length - start;
    this.length += end - start;
    return moved;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private grow(more: number): void {
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    next.set(this.bytes.subarray(0, this.length));
    this.bytes = next;
  }
}
