/**
 * What leaves the straight way of a body: branches, returns and throws, and which frames they reach.
 *
 * Array accesses here say `as number`, as in `open-frames.ts`.
 */

import { wasmErrors } from "../errors.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { DecodeLimits } from "../limits.ts";
import { BodyTrait, Event, LoopFlag } from "./facts.ts";
import { Frame, FrameKind, frameShift } from "./frames.ts";
import { OpenFrames } from "./open-frames.ts";
import { readIndex, skipNumber } from "./skip.ts";

export interface FlowInput {
  readonly bytes: Uint8Array;
  readonly spaces: IndexSpaces;
  readonly limits: DecodeLimits;
  /** A call ends its region, so that exceptions leave exact totals (metering specification 4.3). */
  readonly isExceptionExact: boolean;
  /** Globals from this index on get another one: the offsets of these indices are noted. */
  readonly firstMovedGlobal: number;
  /** The helper that replaces an operator, by operator and its immediates. */
  helper(operator: number, first: number, second: number): number;
}

/** A check at least every so many operators, on each way (4.7). */
export const checkEvery = 2_000;

export class ControlFlow extends OpenFrames {
  /** Something inside the open frames goes to this frame's label, perhaps. */
  target(frame: number): void {
    const loop = this.frames[(frame << frameShift) + Frame.loop] as number;
    if (loop >= 0) this.flagLoop(loop, LoopFlag.hasOtherEdge);
    this.reach(frame);
  }

  /** The region at hand ends by going to this frame's label. */
  private leave(frame: number): void {
    const loop = this.frames[(frame << frameShift) + Frame.loop] as number;
    if (loop >= 0) this.facts.noteTurn(loop, this.region);
    this.reach(frame);
    this.region = -1;
  }

  private reach(frame: number): void {
    this.frames[(frame << frameShift) + Frame.isTargeted] = 1;
    this.frames[(frame << frameShift) + Frame.forkRegion] = -1;
    this.meet(frame << frameShift);
    this.noteTarget(frame);
    if (frame === 0) this.exits++;
  }

  /** The same without a branch: what is here may leave the frames inside of this one. */
  noteTarget(frame: number): void {
    const at = this.base + Frame.target;
    if (frame < (this.frames[at] as number)) this.frames[at] = frame;
  }

  private frameOf(at: number, label: number): number {
    if (label > this.top) {
      throw wasmErrors["unknown-index"]({ offset: at, space: "label", index: label, count: this.top + 1 });
    }
    return this.top - label;
  }

  /** The innermost loop, when going to this frame leaves it; else -1. */
  private leftLoop(frame: number): number {
    return frame < this.loopFrame ? this.loop : -1;
  }

  branch(at: number, label: number, isAlways: boolean): void {
    this.controls++;
    const frame = this.frameOf(at, label);
    const left = this.leftLoop(frame);
    if (this.region < 0) {
      if (left >= 0) this.noteEvent(Event.deadBranch, at, left, this.top - this.loopFrame);
      return;
    }
    this.noteEvent(Event.branch, at, left, isAlways ? 1 : 0);
    if (isAlways) this.leave(frame);
    else this.target(frame);
  }

  /** `br_if`, with what is behind it at `next`. */
  branchOn(at: number, label: number, next: number): void {
    const { frames, region } = this;
    const base = this.frameOf(at, label) << frameShift;
    const isFirst = frames[base + Frame.kind] === FrameKind.block && frames[base + Frame.isTargeted] === 0;
    this.branch(at, label, false);
    this.openRegion(next);
    if (isFirst) this.noteFork(base, region);
  }

  branchTable(at: number, p: number, end: number): number {
    const count = readIndex(this.bytes, p);
    const { branchTableLabels: max } = this.input.limits;
    if (count > max) throw wasmErrors.limit({ offset: at, what: "labels of br_table", found: count, max });
    this.controls++;
    // A table of labels takes time to read and to compile like operators do.
    if (this.region >= 0) this.sinceCheck += count >> 3;
    let next = skipNumber(this.bytes, p);
    let left = -1;
    for (let index = 0; index <= count; index++) {
      if (next >= end) throw wasmErrors["unexpected-end"]({ offset: next, what: "a label" });
      const frame = this.frameOf(at, readIndex(this.bytes, next));
      next = skipNumber(this.bytes, next);
      if (left < 0) left = this.leftLoop(frame);
      if (this.region < 0) continue;
      this.target(frame);
    }
    if (this.region >= 0) this.noteEvent(Event.branchTable, at, left, this.top - this.loopFrame);
    else if (left >= 0) this.noteEvent(Event.deadBranch, at, left, this.top - this.loopFrame);
    this.region = -1;
    return next;
  }

  return(at: number): void {
    if (this.region < 0) return;
    this.returns++;
    this.leaveBody();
    this.noteEvent(Event.return, at, this.top, this.loop);
    this.region = -1;
  }

  throw(at: number): void {
    this.facts.usesExceptions = true;
    if (this.region < 0) return;
    this.traits |= BodyTrait.hasThrow;
    this.mayThrow();
    this.leaveBody();
    this.noteEvent(Event.throw, at, 0, 0);
    this.region = -1;
  }

  /** What is here may leave all frames at once. */
  leaveBody(): void {
    this.noteTarget(0);
  }
}
