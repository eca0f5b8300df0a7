/**
 * Code that counts: in a local, which is written to the global before anybody else counts and read again when it is
 * needed after that, or in the global alone. Metering specification 4.5, 4.7 and 4.8.
 */

import type { BodyCopy } from "./body-copy.ts";
import type { CodeBuffer } from "./code-buffer.ts";
import type { Appended } from "./emit.ts";
import { op } from "./emitted.ts";
import type { Hints } from "./hints.ts";

/** What the local counter and the global know of each other. */
const State = {
  /** The global is right; the local is not. */
  stale: 0,
  /** Both are right. */
  clean: 1,
  /** The local is right. */
  dirty: 2,
} as const;

export class CounterCode {
  /** Index of the local that has the counter. */
  local = 0;
  private isLocal = false;
  private state: number = State.stale;
  private bodyStart = 0;
  /** The next check is that of the stack too. */
  private checksStack = false;
  private readonly appended: Appended;
  private readonly out: CodeBuffer;
  private readonly copy: BodyCopy;
  private readonly hints: Hints;

  constructor(appended: Appended, out: CodeBuffer, copy: BodyCopy, hints: Hints) {
    this.appended = appended;
    this.out = out;
    this.copy = copy;
    this.hints = hints;
  }

  begin(bodyStart: number, isLocal: boolean, local: number): void {
    this.bodyStart = bodyStart;
    this.isLocal = isLocal;
    this.local = local;
    this.state = State.stale;
    this.checksStack = false;
  }

  /** `fuel` units off the counter; then, if asked for, a refill when it is negative. */
  charge(fuel: number, checks: boolean): void {
    if (this.isLocal) this.chargeLocal(fuel, checks);
    else this.chargeGlobal(fuel, checks);
  }

  private chargeLocal(fuel: number, checks: boolean): void {
    const { out, local } = this;
    const isStale = this.state === State.stale;
    if (isStale) out.indexed(op.globalGet, this.appended.fuel);
    else if (fuel > 0 || checks) out.indexed(op.localGet, local);
    else return;
    if (fuel > 0) this.subtract(fuel);
    if (fuel > 0 || isStale) out.indexed(checks ? op.localTee : op.localSet, local);
    if (checks) this.refill();
    if (fuel > 0) this.state = State.dirty;
    else if (isStale) this.state = State.clean;
  }

  /** Takes the local counter from the stack. The stub leaves the same number in the global. */
  refill(): void {
    this.ifNegative();
    this.callRefill();
    this.out.byte(op.end);
  }

  callRefill(): void {
    const { out, local } = this;
    out.indexed(op.localGet, local);
    out.indexed(op.call, this.appended.refillLocal);
    out.indexed(op.localSet, local);
  }

  private chargeGlobal(fuel: number, checks: boolean): void {
    const { out, appended } = this;
    if (fuel > 0) {
      out.indexed(op.globalGet, appended.fuel);
      this.subtract(fuel);
      out.indexed(op.globalSet, appended.fuel);
    }
    if (!checks) return;
    out.indexed(op.globalGet, appended.fuel);
    this.ifNegative();
    out.indexed(op.call, appended.refillGlobal);
    out.byte(op.end);
  }

  private ifNegative(): void {
    if (this.checksStack) {
      this.checksStack = false;
      this.out.indexed(op.globalGet, this.appended.stack);
      this.out.byte(op.i32Or);
    }
    this.isNegative();
    this.out.byte(op.if);
    this.out.byte(op.empty);
  }

  /** Compares the top of the stack, for a branch behind it that is hardly ever taken. */
  isNegative(): void {
    this.out.constant(0);
    this.out.byte(op.i32LtS);
    this.hint();
  }

  /** The branch that is written next is hardly ever taken. */
  hint(): void {
    this.hints.add(this.out.length - this.bodyStart);
  }

  /** At the entry one branch serves both: the stub looks first whether it was the stack. */
  checkStackToo(): void {
    this.checksStack = true;
  }

  subtract(amount: number): void {
    this.out.constant(amount);
    this.out.byte(op.i32Sub);
  }

  /** Control flow meets or parts at this place: the local must be right. */
  need(offset: number): void {
    if (!this.isLocal || this.state !== State.stale) return;
    this.copy.to(offset);
    this.out.indexed(op.globalGet, this.appended.fuel);
    this.out.indexed(op.localSet, this.local);
    this.state = State.clean;
  }

  /** Somebody else counts from this place on: the global must be right. */
  sync(offset: number): void {
    if (!this.isLocal || this.state !== State.dirty) return;
    this.copy.to(offset);
    this.writeBack();
    this.state = State.clean;
  }

  writeBack(): void {
    if (!this.isLocal) return;
    this.out.indexed(op.localGet, this.local);
    this.out.indexed(op.globalSet, this.appended.fuel);
  }

  /** Whether the global is right. */
  get isWritten(): boolean {
    return !this.isLocal || this.state !== State.dirty;
  }

  /** Somebody else has counted. */
  afterCall(): void {
    this.state = State.stale;
  }

  /** Code comes here from elsewhere, with the local right and the global perhaps not. */
  afterMeeting(): void {
    this.state = State.dirty;
  }
}
