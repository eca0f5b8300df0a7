/**
 * The section `metadata.code.branch_hint` (branch hinting proposal): for each function the offsets of its branches
 * that are not taken as a rule.
 */

import { ByteWriter } from "../byte-writer.ts";
import { CodeBuffer } from "./code-buffer.ts";
import { IntList } from "./int-list.ts";

export class Hints {
  /** How many functions have any. */
  functions = 0;
  /** For each: its index, how many branches, and their offsets in its body, each with what is known of it. */
  private readonly written: CodeBuffer;
  /** The offsets in the function at hand. */
  private readonly offsets = new IntList(64);
  private func = 0;

  constructor(functions: number) {
    this.written = new CodeBuffer(16 * functions);
  }

  begin(func: number): void {
    this.func = func;
    this.offsets.length = 0;
  }

  /** The branch at this offset of the body is hardly ever taken. */
  add(offset: number): void {
    this.offsets.push(offset);
  }

  end(): void {
    const { written, offsets } = this;
    if (offsets.length === 0) return;
    this.functions++;
    written.reserve(hintBytesMax * (offsets.length + 2));
    written.u32(this.func);
    written.u32(offsets.length);
    for (let index = 0; index < offsets.length; index++) {
      written.u32(offsets.at(index));
      written.byte(1); // the length of what follows
      written.byte(0); // not taken
    }
  }

  release(): void {
    this.written.release();
  }

  /** Of the custom section, its name first. */
  content(): Uint8Array {
    const hints = this.written.finish();
    return new ByteWriter(hints.length + 64)
      .name("metadata.code.branch_hint")
      .u32(this.functions)
      .raw(hints)
      .finish();
  }
}

/** An offset of five bytes at most, and two. */
const hintBytesMax = 7;
