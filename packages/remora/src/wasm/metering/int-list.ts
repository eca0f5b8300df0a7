/** A growing list of 32-bit integers: the analyser notes millions of small facts. */

import { giveBack } from "../../base/give-back.ts";

export class IntList {
  data: Int32Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 1024) {
    this.data = new Int32Array(capacity);
  }

  push(value: number): number {
    if (this.length === this.data.length) this.grow();
    this.data[this.length] = value;
    return this.length++;
  }

  pushFour(a: number, b: number, c: number, d: number): void {
    const at = this.length;
    if (at + 4 > this.data.length) this.grow();
    const { data } = this;
    data[at] = a;
    data[at + 1] = b;
    data[at + 2] = c;
    data[at + 3] = d;
    this.length = at + 4;
  }

  /** Whoever asks knows that `index` is below `length`. */
  at(index: number): number {
    return this.data[index] as number;
  }

  set(index: number, value: number): void {
    this.data[index] = value;
  }

  add(index: number, value: number): void {
    this.data[index] = (this.data[index] as number) + value;
  }

  /** It is empty, and not used any more. */
  release(): void {
    this.length = 0;
    giveBack(this.data);
  }

  private grow(): void {
    const next = new Int32Array(this.data.length + (this.data.length >> 1) + 64);
    next.set(this.data);
    giveBack(this.data);
    this.data = next;
  }
}
