/**
 * Writes bodies with the meter in them: the original bytes, copied from place to place, and between them the
 * shortest snippets that do the work (V8 inlines by wire bytes). Metering specification 4.5 to 4.9 and 4.11.
 */

import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import { CodeBuffer } from "./code-buffer.ts";
import { type CountedLoop, countedLoop } from "./counted-loop.ts";
import { op } from "./emitted.ts";
import { type BodyFacts, Event, eventSize, type Facts, LoopFlag } from "./facts.ts";
import { IntList } from "./int-list.ts";
import { canonicalize, Float, findNanPlaces, nanPlaceSize } from "./nan.ts";
import type { BodyPlan, Plan } from "./plan.ts";
import { readIndex, skipNumber } from "./skip.ts";
import { writeTakeTurns, writeTurnsLeft } from "./turns.ts";

/** Indices of what was appended to the module, and how to name a block type. */
export interface Appended {
  readonly fuel: number;
  readonly stack: number;
  /** What is added to the index of each global that the module defines: 0 unless counters are imported. */
  readonly globalsMovedBy: number;
  /** (i32 counter) -> i32 counter: for counters in a local. */
  readonly refillLocal: number;
  /** () -> (): for counters in the global. */
  readonly refillGlobal: number;
  /** (i32 length) -> i32 length: charges it. */
  readonly chargeLength: number;
  /** Function index of each helper. */
  helper(id: number): number;
  /** Block type of a block with the results of this function type and no parameters. */
  resultBlock(type: number): Uint8Array;
}

export interface EmitInput {
  readonly bytes: Uint8Array;
  readonly facts: Facts;
  readonly plan: Plan;
  readonly spaces: IndexSpaces;
  readonly appended: Appended;
  /** Receives three numbers for each piece that is copied: offset in the result, in the module, length. */
  readonly pieces?: IntList;
  /** Whether NaNs are made canonical where their bits show. */
  readonly isStrict: boolean;
}

export interface Emitted {
  /** Every body with its size before it, in order. */
  readonly bodies: Uint8Array;
  readonly hints: Hints;
}

/** Branches that are not taken, as a rule. */
export interface Hints {
  /** How many functions have any. */
  readonly functions: number;
  /** For each: its index, how many branches, and their offsets in its body. */
  readonly list: IntList;
}

export function emitBodies(input: EmitInput): Emitted {
  const emitter = new Emitter(input);
  const { bodies } = input.facts;
  for (let index = 0; index < bodies.length; index++) {
    emitter.body(bodies[index] as BodyFacts, input.plan.bodies[index] as BodyPlan); // one plan a body
  }
  return { bodies: emitter.out.finish(), hints: { functions: emitter.hinted, list: emitter.hints } };
}

/** What the local counter and the global know of each other. */
const State = {
  /** The global is right; the local is not. */
  stale: 0,
  /** Both are right. */
  clean: 1,
  /** The local is right. */
  dirty: 2,
} as const;

/** Units that calls in a row may run between two checks. */
const uncheckedCallsMax = 20_000;

const none: readonly number[] = [];

/** V8 14, src/wasm/wasm-limits.h, kV8MaxWasmFunctionSize. */
const emittedBodyBytesMax = 7_654_321;

class Emitter {
  readonly out: CodeBuffer;
  /** As `Hints` has them. */
  readonly hints: IntList;
  hinted = 0;
  private readonly input: EmitInput;
  private readonly bytes: Uint8Array;

  // Of the body at hand.
  private plan: BodyPlan = {
    isUncounted: false,
    checksEntry: false,
    isEntryPaid: false,
    isLocal: false,
    stackSlots: 0,
  };
  private cursor = 0;
  private bodyStart = 0;
  private state: number = State.stale;
  /** Index of the local that has the counter. */
  private counter = 0;
  /** Index of the first of two locals for loops that are paid for by many turns, or -1. */
  private temporaries = -1;
  /** Events before this offset are done with. */
  private done = 0;
  /** Units that calls since the last check may have run. */
  private unchecked = 0;
  /** Index of the local that has the stack slots of the caller, in functions with handlers. */
  private oldStack = 0;
  private hasOldStack = false;
  /** The next check is that of the stack too. */
  private checksStack = false;
  private hasWrapper = false;
  /** Where the hints of this body start in the list. */
  private hintsStart = 0;
  /** Places of NaNs in this body, and how far they are written. */
  private readonly nans = new IntList(64);
  private nanAt = 0;
  private nanEnd = 0;
  /** The next of the indices in this body that move, and how far they go. */
  private movedAt = 0;
  private movedEnd = 0;
  /** By type: what makes the top of the stack canonical. */
  private readonly canonical: number[][] = [];
  private readonly isStackCounted: boolean;

  constructor(input: EmitInput) {
    this.input = input;
    this.bytes = input.bytes;
    // Bodies hardly ever double; the buffer grows when they do.
    const codeBytes = input.facts.bodies.reduce((sum, body) => sum + body.end - body.start, 0);
    this.out = new CodeBuffer(2 * codeBytes + 4_096);
    this.hints = new IntList(4 * input.facts.bodies.length + 64);
    this.isStackCounted = input.plan.bodies.some((body) => body.stackSlots > 0);
  }

  body(body: BodyFacts, plan: BodyPlan): void {
    const { out } = this;
    this.findNans(body);
    this.movedAt = body.movedGlobalsStart;
    this.movedEnd = body.movedGlobalsEnd;
    if (plan.isUncounted && this.nanEnd === 0 && this.movedAt === this.movedEnd) {
      out.u32(body.end - body.start);
      this.copyPiece(body.start, body.end);
      return;
    }
    const firstPiece = this.input.pieces?.length ?? 0;
    this.plan = plan;
    this.bodyStart = out.beginSized();
    this.beginHints(body.func);
    this.counter = body.locals;
    const hasCounted = plan.isLocal && body.hasLoop && this.hasCountedLoop(body);
    this.temporaries = hasCounted ? body.locals + 1 : -1;
    this.oldStack = body.locals + (plan.isLocal ? 1 : 0) + (hasCounted ? 2 : 0);
    this.hasOldStack = plan.stackSlots > 0 || (this.isStackCounted && body.hasHandler);
    this.hasWrapper = (plan.isLocal || this.hasOldStack) && (body.exits > 0 || body.returns > 1);
    this.locals(body, plan);
    this.cursor = body.codeStart;
    this.prologue(body);
    this.done = 0;
    this.unchecked = 0;
    const events = this.input.facts.events.data;
    for (let at = body.eventsStart; at < body.eventsEnd; at += eventSize) {
      if ((events[at + 1] as number) >= this.done) this.event(at);
    }
    this.copyTo(body.end);
    const found = out.length - this.bodyStart;
    if (found > emittedBodyBytesMax) {
      const what = "bytes of a function body, metered";
      throw wasmErrors.limit({ offset: body.start, what, found, max: emittedBodyBytesMax });
    }
    this.movePieces(firstPiece, out.endSized(this.bodyStart));
    this.endHints();
  }

  private locals(body: BodyFacts, plan: BodyPlan): void {
    const { out } = this;
    const more = (plan.isLocal ? 1 : 0) + (this.temporaries < 0 ? 0 : 2) + (this.hasOldStack ? 1 : 0);
    const floats = this.nanEnd === 0 ? none : this.nanTypes();
    out.u32(body.localGroups + (more > 0 ? 1 : 0) + floats.length);
    let groups = body.start;
    while ((this.bytes[groups++] as number) >= 0x80);
    out.copy(this.bytes, groups, body.codeStart);
    if (more > 0) {
      out.u32(more);
      out.byte(op.i32);
    }
    for (let index = 0; index < floats.length; index++) {
      const type = floats[index] as number;
      out.byte(1);
      out.byte(type === Float.f32 ? op.f32 : type === Float.f64 ? op.f64 : op.v128);
      this.canonical[type] = canonicalize(type, body.locals + more + index);
    }
  }

  /** Notes where NaNs have to be made canonical in this body. */
  private findNans(body: BodyFacts): void {
    this.nans.length = 0;
    this.nanAt = 0;
    this.nanEnd = 0;
    if (!this.input.isStrict) return;
    findNanPlaces(this.bytes, body, this.input.spaces, this.nans);
    this.nanEnd = this.nans.length;
  }

  private nanTypes(): number[] {
    const types = new Set<number>();
    for (let at = 1; at < this.nanEnd; at += nanPlaceSize) types.add(this.nans.at(at));
    return [...types];
  }

  private hasCountedLoop(body: BodyFacts): boolean {
    const { facts, plan } = this.input;
    const events = facts.events.data;
    for (let at = body.eventsStart; at < body.eventsEnd; at += eventSize) {
      if (events[at] !== Event.loop || plan.isSplit[events[at + 3] as number] !== 1) continue;
      if (countedLoop(this.bytes, events[at + 2] as number) !== undefined) return true;
    }
    return false;
  }

  private prologue(body: BodyFacts): void {
    if (this.plan.isUncounted) return;
    if (this.hasOldStack) this.takeStack();
    const { isEntryPaid, checksEntry } = this.plan;
    const fuel = isEntryPaid ? 0 : this.input.facts.regionFuel.at(body.regionsStart);
    this.state = State.stale;
    if (fuel > 0 || checksEntry) this.charge(fuel, checksEntry);
    if (!this.hasWrapper) return;
    this.out.byte(op.block);
    this.out.raw(this.input.appended.resultBlock(body.type));
  }

  private event(at: number): void {
    const { events, regionFuel } = this.input.facts;
    const { data } = events;
    const offset = data[at + 1] as number;
    const a = data[at + 2] as number;
    const b = data[at + 3] as number;
    switch (data[at]) {
      case Event.charge: {
        const fuel = regionFuel.at(a);
        if (fuel === 0) return;
        this.copyTo(offset);
        this.charge(fuel, false);
        return;
      }
      case Event.checkpoint:
        this.checkpoint(offset);
        return;
      case Event.loop:
        this.loop(offset, a, b);
        return;
      case Event.arm:
        this.needCounter(offset);
        if (this.bytes[offset] !== op.if) this.state = State.dirty;
        return;
      case Event.join:
        this.join(offset, a === 1, b === 1);
        return;
      case Event.loopEnd:
        if (this.input.plan.isSplit[a] === 1) {
          this.copyTo(offset);
          this.out.byte(op.end);
        }
        return;
      case Event.branch:
        this.needCounter(offset);
        if (a >= 0 && this.input.plan.isSplit[a] === 1) this.relabel(offset, 0);
        if (b === 1) this.state = State.dirty;
        return;
      case Event.branchTable:
        this.needCounter(offset);
        if (a >= 0 && this.input.plan.isSplit[a] === 1) this.relabel(offset, b);
        this.state = State.dirty;
        return;
      case Event.deadBranch:
        if (this.input.plan.isSplit[a] === 1) this.relabel(offset, b);
        return;
      case Event.return:
        this.return(offset, a + (b >= 0 && this.input.plan.isSplit[b] === 1 ? 1 : 0));
        return;
      case Event.call:
        this.boundUnchecked(offset, a);
        if (this.input.plan.isUncounted[a] === 1) return;
        this.sync(offset);
        this.afterCall();
        return;
      case Event.indirectCall:
        this.sync(offset);
        this.afterCall();
        return;
      case Event.tailCall:
        this.sync(offset);
        this.giveStackBack(offset);
        this.state = State.dirty;
        return;
      case Event.throw:
        this.sync(offset);
        this.state = State.dirty;
        return;
      case Event.dead:
        this.state = State.dirty;
        return;
      case Event.replaced:
        this.sync(offset);
        this.copyTo(offset);
        this.out.indexed(op.call, this.input.appended.helper(a));
        this.cursor = b;
        this.afterCall();
        return;
      case Event.length:
        this.sync(offset);
        this.copyTo(offset);
        this.out.indexed(op.call, this.input.appended.chargeLength);
        this.afterCall();
        return;
      case Event.handler:
        if (!this.hasOldStack) return;
        this.copyTo(offset);
        this.resetStack();
        return;
    }
  }

  // The counter.

  /** `fuel` units off the counter; then, if asked for, a refill when it is negative. */
  private charge(fuel: number, checks: boolean): void {
    if (this.plan.isLocal) this.chargeLocal(fuel, checks);
    else this.chargeGlobal(fuel, checks);
  }

  private chargeLocal(fuel: number, checks: boolean): void {
    const { appended } = this.input;
    if (this.state === State.stale) this.out.indexed(op.globalGet, appended.fuel);
    else if (fuel > 0 || checks) this.out.indexed(op.localGet, this.counter);
    else return;
    if (fuel > 0) this.subtract(fuel);
    const writes = fuel > 0 || this.state === State.stale;
    if (writes) this.out.indexed(checks ? op.localTee : op.localSet, this.counter);
    if (checks) this.refillLocal();
    if (fuel > 0) this.state = State.dirty;
    else if (this.state === State.stale) this.state = State.clean;
  }

  /** Takes the counter from the stack. The stub leaves the same number in the global. */
  private refillLocal(): void {
    this.orStack();
    this.out.constant(0);
    this.out.byte(op.i32LtS);
    this.hint();
    this.out.byte(op.if);
    this.out.byte(op.empty);
    this.out.indexed(op.localGet, this.counter);
    this.out.indexed(op.call, this.input.appended.refillLocal);
    this.out.indexed(op.localSet, this.counter);
    this.out.byte(op.end);
  }

  private chargeGlobal(fuel: number, checks: boolean): void {
    const { appended } = this.input;
    if (fuel > 0) {
      this.out.indexed(op.globalGet, appended.fuel);
      this.subtract(fuel);
      this.out.indexed(op.globalSet, appended.fuel);
    }
    if (!checks) return;
    this.out.indexed(op.globalGet, appended.fuel);
    this.orStack();
    this.out.constant(0);
    this.out.byte(op.i32LtS);
    this.hint();
    this.out.byte(op.if);
    this.out.byte(op.empty);
    this.out.indexed(op.call, appended.refillGlobal);
    this.out.byte(op.end);
  }

  /** At the entry one branch serves both: the stub looks first whether it was the stack. */
  private orStack(): void {
    if (!this.checksStack) return;
    this.checksStack = false;
    this.out.indexed(op.globalGet, this.input.appended.stack);
    this.out.byte(op.i32Or);
  }

  private checkpoint(offset: number): void {
    this.copyTo(offset);
    this.charge(this.input.plan.checkpointFuel, true);
    this.unchecked = 0;
  }

  /** Callees that do not check count for what they run: many such calls in a row need a check between them. */
  private boundUnchecked(offset: number, func: number): void {
    const { plan, spaces } = this.input;
    this.unchecked += plan.uncheckedFuel[func - spaces.imported.functions] ?? 0;
    if (this.unchecked > uncheckedCallsMax && !this.plan.isUncounted) this.checkpoint(offset);
  }

  private subtract(fuel: number): void {
    this.out.constant(fuel);
    this.out.byte(op.i32Sub);
  }

  /** Control flow meets or parts here: the local must be right. */
  private needCounter(offset: number): void {
    if (!this.plan.isLocal || this.state !== State.stale) return;
    this.copyTo(offset);
    this.out.indexed(op.globalGet, this.input.appended.fuel);
    this.out.indexed(op.localSet, this.counter);
    this.state = State.clean;
  }

  /** Somebody else counts from here on: the global must be right. */
  private sync(offset: number): void {
    if (!this.plan.isLocal || this.state !== State.dirty) return;
    this.copyTo(offset);
    this.writeBack();
    this.state = State.clean;
  }

  private writeBack(): void {
    this.out.indexed(op.localGet, this.counter);
    this.out.indexed(op.globalSet, this.input.appended.fuel);
  }

  private afterCall(): void {
    this.state = State.stale;
  }

  // Control.

  private loop(offset: number, next: number, loop: number): void {
    const { facts, plan } = this.input;
    const isSplit = plan.isSplit[loop] === 1;
    this.needCounter(offset);
    this.copyTo(isSplit ? offset : next);
    this.state = State.dirty;
    const fuel = facts.regionFuel.at(facts.loopRegion.at(loop));
    if (this.hasOldStack && (facts.loopFlags.at(loop) & LoopFlag.isHandler) !== 0) this.resetStack();
    if (!isSplit) {
      const checks = (facts.loopFlags.at(loop) & LoopFlag.hasBackEdge) !== 0;
      if (fuel > 0 || checks) this.charge(fuel, checks);
      return;
    }
    const counted = this.counted(offset, next, fuel);
    if (counted === undefined) this.splitLoop(offset, next, fuel);
    else this.runTurns(counted, offset, next, fuel);
  }

  /** 4.6: the host is called in the outer loop, so that V8 unrolls the inner one. */
  private splitLoop(offset: number, next: number, fuel: number): void {
    this.out.copy(this.bytes, offset, next);
    this.out.indexed(op.localGet, this.counter);
    this.refillLocal();
    this.out.copy(this.bytes, offset, next);
    this.out.indexed(op.localGet, this.counter);
    this.out.constant(0);
    this.out.byte(op.i32LtS);
    this.hint();
    this.out.indexed(op.brIf, 1);
    if (fuel > 0) this.charge(fuel, false);
    this.cursor = next;
  }

  private counted(offset: number, next: number, fuel: number): CountedLoop | undefined {
    const isEmpty = next === offset + 2 && this.bytes[offset + 1] === op.empty;
    if (!isEmpty || fuel === 0 || this.temporaries < 0) return undefined;
    const loop = countedLoop(this.bytes, next);
    // As many turns as one slice pays for must not take the counter all the way around.
    return loop !== undefined && (2 ** 31 / fuel + 1) * 2 ** loop.shift < 2 ** 32 ? loop : undefined;
  }

  /**
   * Section 12.1: of the turns that are left, those that the slice pays for are charged at once and run as they
   * were, up to a nearer bound; then the counter is looked at. The same turn is the last as when each is counted.
   */
  private runTurns(loop: CountedLoop, offset: number, next: number, fuel: number): void {
    const { out } = this;
    const turns = { loop, fuel, counter: this.counter, turns: this.temporaries, bound: this.temporaries + 1 };
    out.copy(this.bytes, offset, next);
    out.indexed(op.localGet, this.counter);
    this.refillLocal();
    writeTakeTurns(out, turns);
    this.innerLoop(loop, turns.bound);
    writeTurnsLeft(out, loop);
    out.indexed(op.brIf, 0);
    out.byte(op.end);
    this.done = loop.end;
  }

  /** The loop as it was, but with the bound in a local of ours. */
  private innerLoop({ boundAt, end }: CountedLoop, bound: number): void {
    this.copyTo(boundAt.start);
    this.out.indexed(op.localGet, bound);
    if (boundAt.start === boundAt.end) this.out.byte(op.i32Ne);
    this.cursor = boundAt.end;
    this.copyTo(end);
  }

  private join(offset: number, fallsThrough: boolean, isBodyEnd: boolean): void {
    if (!isBodyEnd) {
      if (fallsThrough) this.needCounter(offset);
      this.state = State.dirty;
      return;
    }
    if (this.hasWrapper) {
      if (fallsThrough) this.needCounter(offset);
      this.copyTo(offset);
      this.out.byte(op.end);
      if (this.plan.isLocal) this.writeBack();
      this.giveStackBack(offset);
    } else if (fallsThrough) {
      this.sync(offset);
      this.giveStackBack(offset);
    }
  }

  private return(offset: number, label: number): void {
    const isRight = !this.plan.isLocal || this.state !== State.dirty;
    if (isRight && !this.hasOldStack) {
      // The global is right already: nothing to do on the way out.
    } else if (this.hasWrapper) {
      this.needCounter(offset);
      this.copyTo(offset);
      this.out.indexed(op.br, label);
      this.cursor = offset + 1;
    } else {
      this.sync(offset);
      this.giveStackBack(offset);
    }
    this.state = State.dirty;
  }

  /** A branch that leaves a loop which has become two: its label, or those above `inside`, grow by one. */
  private relabel(offset: number, inside: number): void {
    this.copyTo(offset);
    const { out, bytes } = this;
    const opcode = bytes[offset] as number;
    let at = offset + 1;
    out.byte(opcode);
    if (opcode === op.gcPrefix) {
      // br_on_cast: the opcode's second part, then the flags.
      const flags = skipNumber(bytes, at) + 1;
      out.copy(bytes, at, flags);
      at = flags;
    }
    if (opcode !== op.brTable) {
      out.u32(readIndex(bytes, at) + 1);
      this.cursor = skipNumber(bytes, at);
      return;
    }
    const count = readIndex(bytes, at);
    out.u32(count);
    at = skipNumber(bytes, at);
    for (let index = 0; index <= count; index++) {
      const label = readIndex(bytes, at);
      out.u32(label > inside ? label + 1 : label);
      at = skipNumber(bytes, at);
    }
    this.cursor = at;
  }

  // Stack slots.

  /** The old number stays in a local: to write it back is cheaper than to add, and a handler needs it. */
  private takeStack(): void {
    const { stack } = this.input.appended;
    const { stackSlots } = this.plan;
    this.out.indexed(op.globalGet, stack);
    if (stackSlots === 0) {
      this.out.indexed(op.localSet, this.oldStack);
      return;
    }
    this.out.indexed(op.localTee, this.oldStack);
    this.subtract(stackSlots);
    this.out.indexed(op.globalSet, stack);
    if (this.plan.checksEntry) {
      this.checksStack = true;
      return;
    }
    this.out.indexed(op.localGet, this.oldStack);
    this.out.constant(stackSlots);
    this.out.byte(op.i32LtS);
    this.hint();
    this.out.byte(op.if);
    this.out.byte(op.empty);
    this.out.byte(op.unreachable);
    this.out.byte(op.end);
  }

  private giveStackBack(offset: number): void {
    if (!this.hasOldStack) return;
    this.copyTo(offset);
    this.out.indexed(op.localGet, this.oldStack);
    this.out.indexed(op.globalSet, this.input.appended.stack);
  }

  /** In a handler: whatever was thrown through did not give its slots back. */
  private resetStack(): void {
    this.out.indexed(op.localGet, this.oldStack);
    if (this.plan.stackSlots > 0) this.subtract(this.plan.stackSlots);
    this.out.indexed(op.globalSet, this.input.appended.stack);
  }

  // Bytes.

  private copyTo(offset: number): void {
    if (this.nanAt < this.nanEnd) this.copyToNans(offset);
    if (offset <= this.cursor) return;
    this.copyPiece(this.cursor, offset);
    this.cursor = offset;
  }

  private copyToNans(offset: number): void {
    for (; this.nanAt < this.nanEnd && this.nans.at(this.nanAt) <= offset; this.nanAt += nanPlaceSize) {
      const place = this.nans.at(this.nanAt);
      if (place > this.cursor) this.copyPiece(this.cursor, place);
      this.cursor = Math.max(this.cursor, place);
      for (const byte of this.canonical[this.nans.at(this.nanAt + 1)] ?? []) this.out.byte(byte);
    }
  }

  /** Copies bytes of the body; the indices of globals that have moved are written anew. */
  private copyPiece(start: number, end: number): void {
    const { facts, appended } = this.input;
    let from = start;
    for (; this.movedAt < this.movedEnd; this.movedAt++) {
      const at = facts.movedGlobals.at(this.movedAt);
      if (at >= end) break;
      this.copyUnchanged(from, at);
      this.out.u32(readIndex(this.bytes, at) + appended.globalsMovedBy);
      from = skipNumber(this.bytes, at);
    }
    this.copyUnchanged(from, end);
  }

  private copyUnchanged(start: number, end: number): void {
    const { pieces } = this.input;
    if (pieces !== undefined) {
      pieces.push(this.out.length);
      pieces.push(start);
      pieces.push(end - start);
    }
    this.out.copy(this.bytes, start, end);
  }

  /** The size before a body takes fewer bytes than were left for it. */
  private movePieces(first: number, by: number): void {
    const { pieces } = this.input;
    if (pieces === undefined) return;
    for (let at = first; at < pieces.length; at += 3) pieces.add(at, by);
  }

  /** The branch that is written next is hardly ever taken. */
  private hint(): void {
    this.hints.push(this.out.length - this.bodyStart);
  }

  private beginHints(func: number): void {
    this.hintsStart = this.hints.length;
    this.hints.push(func);
    this.hints.push(0);
  }

  private endHints(): void {
    const { hints, hintsStart } = this;
    const count = hints.length - hintsStart - 2;
    if (count > 0) {
      hints.set(hintsStart + 1, count);
      this.hinted++;
    } else hints.length = hintsStart;
  }
}

/**
 * The section `metadata.code.branch_hint` (branch hinting proposal): for each function the offsets of its
 * branches, each with one byte: 0, not taken.
 */
export function writeHints(writer: ByteWriter, { functions, list }: Hints): void {
  writer.u32(functions);
  for (let at = 0; at < list.length; ) {
    const count = list.at(at + 1);
    writer.u32(list.at(at)).u32(count);
    const end = at + 2 + count;
    for (at += 2; at < end; at++) writer.u32(list.at(at)).byte(1).byte(0);
  }
}
