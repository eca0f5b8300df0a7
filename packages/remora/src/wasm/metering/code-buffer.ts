/**
 * Where rewritten bodies go. All of the code passes here, and V8 compiles what writes a byte into every function that writes
 * some: so there is room before it is asked for. Whoever writes says `reserve` once for many bytes, and copying leaves as much.
 */

import { giveBack } from "../../base/give-back.ts";
import { invariant } from "../../base/index.ts";
import { op } from "./emitted.ts";

const sizeBytes = 5;

/**
 * What is written at most between two copies: the longest, in `turns.ts`, are some 60 operators with a number each. What
 * would be written beyond the room is lost, and `endSized` notices.
 */
const roomBytes = 512;

export class CodeBuffer {
  length = 0;
  private bytes: Uint8Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity + roomBytes);
  }

  /** Makes room for so many bytes, or for the longest snippet. */
  reserve(count = roomBytes): void {
    if (this.length + count > this.bytes.length) this.grow(count);
  }

  byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    if (value < 0x80) this.byte(value);
    else this.longer(value);
  }

  /** Of more than one byte. */
  private longer(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** An operator with an index behind it. */
  indexed(opcode: number, index: number): void {
    this.bytes[this.length++] = opcode;
    this.u32(index);
  }

  /** `i32.const`. */
  constant(value: number): void {
    this.bytes[this.length++] = op.i32Const;
    if (value >= -64 && value < 64) this.byte(value & 0x7f);
    else this.longerSigned(value);
  }

  private longerSigned(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  raw(bytes: Uint8Array): void {
    this.copy(bytes, 0, bytes.length);
  }

  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start + roomBytes);
    // Most pieces are a few bytes long: for those a loop is faster than a call and a view.
    if (end - start > 128) {
      this.copyLong(source, start, end);
      return;
    }
    const { bytes } = this;
    let to = this.length;
    for (let at = start; at < end; at++) bytes[to++] = source[at] as number; // within the source
    this.length = to;
  }

  private copyLong(source: Uint8Array, start: number, end: number): void {
    this.bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** Leaves room for a size; returns where the content starts until `endSized` moves it. */
  beginSized(): number {
    this.length += sizeBytes;
    return this.length;
  }

  /** Writes the size of all since `start` before it, in its shortest form; returns by how much that has moved. */
  endSized(start: number): number {
    const end = this.length;
    invariant(end <= this.bytes.length, "a snippet fits into the room that is left for it");
    this.length = start - sizeBytes;
    this.u32(end - start);
    this.bytes.copyWithin(this.length, start, end);
    const moved = this.length - start;
    this.length += end - start;
    return moved;
  }

  /** What was written: to be copied before `release`. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** It is empty, and not used any more. */
  release(): void {
    this.length = 0;
    giveBack(this.bytes);
  }

  private grow(more: number): void {
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    next.set(this.bytes.subarray(0, this.length));
    giveBack(this.bytes);
    this.bytes = next;
  }
}
