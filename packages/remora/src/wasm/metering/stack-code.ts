/**
 * Code that counts stack slots (metering specification 4.11). The old number stays in a local: to write it back is
 * cheaper than to add, and a handler needs it.
 */

import type { BodyCopy } from "./body-copy.ts";
import type { CodeBuffer } from "./code-buffer.ts";
import type { CounterCode } from "./counter-code.ts";
import { op } from "./emitted.ts";

export class StackCode {
  /** Whether the body at hand keeps the old number. */
  isKept = false;
  private slots = 0;
  private local = 0;
  /** Index of the global. */
  private readonly stack: number;
  private readonly out: CodeBuffer;
  private readonly copy: BodyCopy;
  private readonly counter: CounterCode;

  constructor(stack: number, out: CodeBuffer, copy: BodyCopy, counter: CounterCode) {
    this.stack = stack;
    this.out = out;
    this.copy = copy;
    this.counter = counter;
  }

  /** `local` has the slots of the caller, if `isKept`. */
  begin(isKept: boolean, slots: number, local: number): void {
    this.isKept = isKept;
    this.slots = slots;
    this.local = local;
  }

  take(checksEntry: boolean): void {
    if (!this.isKept) return;
    const { out, slots, local } = this;
    out.indexed(op.globalGet, this.stack);
    if (slots === 0) {
      out.indexed(op.localSet, local);
      return;
    }
    out.indexed(op.localTee, local);
    this.counter.subtract(slots);
    out.indexed(op.globalSet, this.stack);
    if (checksEntry) {
      this.counter.checkStackToo();
      return;
    }
    out.indexed(op.localGet, local);
    out.constant(slots);
    out.byte(op.i32LtS);
    this.counter.hint();
    out.byte(op.if);
    out.byte(op.empty);
    out.byte(op.unreachable);
    out.byte(op.end);
  }

  giveBack(offset: number): void {
    if (!this.isKept) return;
    this.copy.to(offset);
    this.out.indexed(op.localGet, this.local);
    this.out.indexed(op.globalSet, this.stack);
  }

  /** In a handler: whatever was thrown through did not give its slots back. */
  reset(): void {
    if (!this.isKept) return;
    this.out.indexed(op.localGet, this.local);
    if (this.slots > 0) this.counter.subtract(this.slots);
    this.out.indexed(op.globalSet, this.stack);
  }
}
