/**
 * The section `metadata.code.branch_hint` (branch hinting proposal): for each function the offsets of its branches
 * that are not taken as a rule.
 */

import { ByteWriter } from "../byte-writer.ts";
import { IntList } from "./int-list.ts";

export class Hints {
  /** How many functions have any. */
  functions = 0;
  /** For each: its index, how many branches, and their offsets in its body. */
  private readonly list: IntList;
  /** Where the function at hand starts in the list. */
  private start = 0;

  constructor(functions: number) {
    this.list = new IntList(4 * functions + 64);
  }

  begin(func: number): void {
    this.start = this.list.length;
    this.list.push(func);
    this.list.push(0);
  }

  /** The branch at this offset of the body is hardly ever taken. */
  add(offset: number): void {
    this.list.push(offset);
  }

  end(): void {
    const { list, start } = this;
    const count = list.length - start - 2;
    if (count > 0) {
      list.set(start + 1, count);
      this.functions++;
    } else list.length = start;
  }

  /** Of the custom section, its name first. */
  content(): Uint8Array {
    const { list } = this;
    const writer = new ByteWriter(list.length * 8).name("metadata.code.branch_hint").u32(this.functions);
    for (let at = 0; at < list.length; ) {
      const count = list.at(at + 1);
      writer.u32(list.at(at)).u32(count);
      const end = at + 2 + count;
      // Each has one byte: 0, not taken.
      for (at += 2; at < end; at++) writer.u32(list.at(at)).byte(1).byte(0);
    }
    return writer.finish();
  }
}
