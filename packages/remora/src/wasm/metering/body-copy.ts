/**
 * Copies a body from place to place, so that the emitter can write between them. On the way the indices of globals that
 * have moved are written anew, and NaNs made canonical where their bits show; and it is noted what went where.
 */

import type { CodeBuffer } from "./code-buffer.ts";
import { op } from "./emitted.ts";
import type { Facts } from "./facts.ts";
import { IntList } from "./int-list.ts";
import { canonicalize, nanPlaceSize } from "./nan.ts";
import { readIndex, skipNumber } from "./skip.ts";

export interface BodyCopyInput {
  readonly bytes: Uint8Array;
  readonly facts: Facts;
  /** What is added to the index of each global that the module defines. */
  readonly globalsMovedBy: number;
  /** Receives three numbers for each piece that is copied: offset in the result, in the module, length. */
  readonly pieces: IntList | undefined;
}

export class BodyCopy {
  /** Places of NaNs in the body at hand, see `nan.ts`. Whoever copies has them filled after `begin`. */
  readonly nans = new IntList(64);
  /** By type: what makes the top of the stack canonical. */
  private readonly canonical: (readonly number[])[] = [];
  private nanAt = 0;
  private readonly input: BodyCopyInput;
  private readonly bytes: Uint8Array;
  private readonly out: CodeBuffer;
  private cursor = 0;
  /** The next of the indices that move, and how far they go in the list. */
  private movedAt = 0;
  private movedEnd = 0;
  private firstPiece = 0;

  constructor(input: BodyCopyInput, out: CodeBuffer) {
    this.input = input;
    this.bytes = input.bytes;
    this.out = out;
  }

  begin(index: number): void {
    const { bodies } = this.input.facts;
    this.nans.length = 0;
    this.nanAt = 0;
    this.movedAt = bodies.movedGlobals[index] as number; // a body by its index
    this.movedEnd = bodies.movedGlobals[index + 1] as number;
    this.firstPiece = this.input.pieces?.length ?? 0;
    this.cursor = bodies.codeStart[index] as number;
  }

  /** Nothing in the body has to be written otherwise than it is. */
  get isVerbatim(): boolean {
    return this.nans.length === 0 && this.movedAt === this.movedEnd;
  }

  /** Types of the NaNs in this body. */
  nanTypes(): number[] {
    const types = new Set<number>();
    for (let at = 1; at < this.nans.length; at += nanPlaceSize) types.add(this.nans.at(at));
    return [...types];
  }

  /** NaNs of this type are made canonical by way of a local of that type. */
  canonicalizeIn(type: number, local: number): void {
    this.canonical[type] = canonicalize(type, local);
  }

  /** All of a body, its locals too. */
  whole(start: number, end: number): void {
    this.piece(start, end);
  }

  /** Copies up to this offset in the module. */
  to(offset: number): void {
    if (this.nanAt < this.nans.length) this.toNans(offset);
    if (offset <= this.cursor) return;
    this.piece(this.cursor, offset);
    this.cursor = offset;
  }

  /** Goes on from there: what is between was written otherwise. */
  skipTo(offset: number): void {
    this.cursor = offset;
  }

  /** Once more what was copied or will be. */
  again(start: number, end: number): void {
    this.out.copy(this.bytes, start, end);
  }

  private toNans(offset: number): void {
    const { nans } = this;
    for (; this.nanAt < nans.length && nans.at(this.nanAt) <= offset; this.nanAt += nanPlaceSize) {
      const place = nans.at(this.nanAt);
      if (place > this.cursor) this.piece(this.cursor, place);
      this.cursor = Math.max(this.cursor, place);
      for (const byte of this.canonical[nans.at(this.nanAt + 1)] ?? []) this.out.byte(byte);
    }
  }

  private piece(start: number, end: number): void {
    let from = start;
    while (this.movedAt < this.movedEnd) {
      const at = this.input.facts.movedGlobals.at(this.movedAt);
      if (at >= end) break;
      this.unchanged(from, at);
      this.out.u32(readIndex(this.bytes, at) + this.input.globalsMovedBy);
      from = skipNumber(this.bytes, at);
      this.movedAt++;
    }
    this.unchanged(from, end);
  }

  private unchanged(start: number, end: number): void {
    const { pieces } = this.input;
    if (pieces !== undefined) {
      pieces.push(this.out.length);
      pieces.push(start);
      pieces.push(end - start);
    }
    this.out.copy(this.bytes, start, end);
  }

  /** All pieces of this body have moved: the size before it took fewer bytes than were left for it. */
  movePieces(by: number): void {
    const { pieces } = this.input;
    if (pieces === undefined) return;
    for (let at = this.firstPiece; at < pieces.length; at += 3) pieces.add(at, by);
  }

  /** A branch that leaves a loop around which there are more labels now: its own, or those above `inside`, grow. */
  relabel(offset: number, inside: number, added: number): void {
    this.to(offset);
    const { out, bytes } = this;
    const opcode = bytes[offset] as number; // within a body
    let at = offset + 1;
    out.byte(opcode);
    if (opcode === op.gcPrefix) {
      // br_on_cast: the opcode's second part, then the flags.
      const flags = skipNumber(bytes, at) + 1;
      out.copy(bytes, at, flags);
      at = flags;
    }
    if (opcode === op.brTable) this.cursor = this.relabelTable(at, inside, added);
    else {
      out.u32(readIndex(bytes, at) + added);
      this.cursor = skipNumber(bytes, at);
    }
  }

  private relabelTable(offset: number, inside: number, added: number): number {
    const { out, bytes } = this;
    const count = readIndex(bytes, offset);
    out.reserve(5 * (count + 2)); // a number has five bytes at most
    out.u32(count);
    let at = skipNumber(bytes, offset);
    for (let index = 0; index <= count; index++) {
      const label = readIndex(bytes, at);
      out.u32(label > inside ? label + added : label);
      at = skipNumber(bytes, at);
    }
    return at;
  }
}
