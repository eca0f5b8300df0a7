/**
 * Loops (metering specification 4.6): with the check inline in the header; with the refill behind a loop or in a header
 * of its own, so that V8 unrolls what has no call in it; or, where the number of turns is known, paid for by many turns.
 */

import type { BodyCopy } from "./body-copy.ts";
import type { CodeBuffer } from "./code-buffer.ts";
import { type CountedLoop, countedLoop } from "./counted-loop.ts";
import type { CounterCode } from "./counter-code.ts";
import { op } from "./emitted.ts";
import { BodyTrait, Event, eventSize, type Facts, LoopFlag } from "./facts.ts";
import { type Plan, split } from "./plan.ts";
import type { StackCode } from "./stack-code.ts";
import { writeTakeTurns, writeTurnsLeft } from "./turns.ts";

export interface LoopCodeInput {
  readonly bytes: Uint8Array;
  readonly facts: Facts;
  readonly plan: Plan;
}

export class LoopCode {
  /** Behind the last loop that was written with all that is in it. */
  done = 0;
  /** Index of the first of two locals for loops that are paid for by many turns. */
  private temporaries = 0;
  /** Those loops of the body at hand, by the offset of their first operator. */
  private readonly counted = new Map<number, CountedLoop>();
  private readonly input: LoopCodeInput;
  private readonly out: CodeBuffer;
  private readonly copy: BodyCopy;
  private readonly counter: CounterCode;
  private readonly stack: StackCode;

  constructor(input: LoopCodeInput, out: CodeBuffer, copy: BodyCopy, counter: CounterCode, stack: StackCode) {
    this.input = input;
    this.out = out;
    this.copy = copy;
    this.counter = counter;
    this.stack = stack;
  }

  /** Finds the loops whose number of turns is known; true when there are any, which takes two locals. */
  begin(index: number, isLocal: boolean, temporaries: number): boolean {
    this.done = 0;
    this.temporaries = temporaries;
    if (this.counted.size > 0) this.counted.clear();
    const { facts, plan, bytes } = this.input;
    const { bodies } = facts;
    if (!isLocal || ((bodies.traits[index] as number) & BodyTrait.hasLoop) === 0) return false;
    const loopsEnd = bodies.loops[index + 1] as number;
    for (let loop = bodies.loops[index] as number; loop < loopsEnd; loop++) {
      const event = facts.loopEvent.at(loop);
      if (plan.labelsAdded[loop] === 0 || !isStraight(facts, event)) continue;
      const start = facts.events.at(event + 2);
      const found = countedLoop(bytes, start);
      if (found !== undefined) this.counted.set(start, found);
    }
    return this.counted.size > 0;
  }

  /** The loop at `offset`, whose first operator is at `next`. */
  header(offset: number, next: number, loop: number): void {
    const { facts, plan } = this.input;
    const { counter, copy, stack } = this;
    const isSplit = (plan.labelsAdded[loop] as number) > 0; // there is one for each loop
    counter.need(offset);
    copy.to(isSplit ? offset : next);
    counter.afterMeeting();
    const fuel = facts.regionFuel.at(facts.loopRegion.at(loop));
    const flags = facts.loopFlags.at(loop);
    if ((flags & LoopFlag.isHandler) !== 0) stack.reset();
    if (!isSplit) {
      // Also where nothing goes back: what is behind counts on it.
      counter.charge(fuel, true);
      return;
    }
    const counted = this.countedAt(offset, next, fuel);
    if (counted !== undefined) this.runTurns(counted, offset, next, fuel);
    else if (plan.labelsAdded[loop] === split.labels) this.beginSplit(offset, next, fuel);
    else this.splitWithParameters(offset, next, fuel);
  }

  /** The `end` of a loop, which is at `offset`. */
  end(offset: number, loop: number): void {
    const added = this.input.plan.labelsAdded[loop];
    if (added === 0) return;
    this.copy.to(offset);
    this.out.byte(op.end);
    if (added === split.labels) this.endSplit();
  }

  /**
   *     block ;; done
   *       loop ;; once more after a refill
   *         block ;; the slice is spent
   *           loop, as it was, which begins with: br_if the slice is spent
   *           …
   *           br done
   *         end
   *         refill
   *         br once more
   */
  private beginSplit(offset: number, next: number, fuel: number): void {
    const { out, copy } = this;
    out.byte(op.block);
    copy.again(offset + 1, next);
    copy.again(offset, next);
    out.byte(op.block);
    out.byte(op.empty);
    this.inner(offset, next, fuel);
  }

  private endSplit(): void {
    const { out, counter } = this;
    out.indexed(op.br, 2);
    out.byte(op.end);
    counter.callRefill();
    out.indexed(op.br, 0);
    out.byte(op.end);
  }

  /** What it starts with could not go out by a branch to a block without a type of its own: refilled before it. */
  private splitWithParameters(offset: number, next: number, fuel: number): void {
    const { out, copy, counter } = this;
    copy.again(offset, next);
    out.indexed(op.localGet, counter.local);
    counter.refill();
    this.inner(offset, next, fuel);
  }

  private inner(offset: number, next: number, fuel: number): void {
    const { out, copy, counter } = this;
    copy.again(offset, next);
    out.indexed(op.localGet, counter.local);
    counter.isNegative();
    out.indexed(op.brIf, 1);
    if (fuel > 0) counter.charge(fuel, false);
    copy.skipTo(next);
  }

  private countedAt(offset: number, next: number, fuel: number): CountedLoop | undefined {
    const isEmpty = next === offset + 2 && this.input.bytes[offset + 1] === op.empty;
    if (!isEmpty || fuel === 0) return undefined;
    const loop = this.counted.get(next);
    // As many turns as one slice pays for must not take the counter all the way around.
    return loop !== undefined && (2 ** 31 / fuel + 1) * 2 ** loop.shift < 2 ** 32 ? loop : undefined;
  }

  /**
   * Section 12.1: of the turns that are left, those that the slice pays for are charged at once and run as they
   * were, up to a nearer bound; then the counter is looked at. The same turn is the last as when each is counted.
   */
  private runTurns(loop: CountedLoop, offset: number, next: number, fuel: number): void {
    const { out, copy, counter } = this;
    const bound = this.temporaries + 1;
    copy.again(offset, next);
    out.indexed(op.localGet, counter.local);
    counter.refill();
    writeTakeTurns(out, { loop, fuel, counter: counter.local, turns: this.temporaries, bound });
    this.innerLoop(loop, bound);
    writeTurnsLeft(out, loop);
    out.indexed(op.brIf, 0);
    out.byte(op.end);
    this.done = loop.end;
  }

  /** The loop as it was, but with the bound in a local of ours. */
  private innerLoop({ boundAt, end }: CountedLoop, bound: number): void {
    this.copy.to(boundAt.start);
    this.out.indexed(op.localGet, bound);
    if (boundAt.start === boundAt.end) this.out.byte(op.i32Ne);
    this.copy.skipTo(boundAt.end);
    this.copy.to(end);
  }
}

/** Whether nothing but a check comes between the beginning of a loop and the first branch. */
function isStraight({ events }: Facts, loopEvent: number): boolean {
  let kind = events.at(loopEvent + eventSize);
  if (kind === Event.checkpoint) kind = events.at(loopEvent + 2 * eventSize);
  return kind === Event.branch;
}
