/**
 * Writes bodies with the meter in them: the original bytes, copied from place to place, and between them the
 * shortest snippets that do the work (V8 inlines by wire bytes). Metering specification 4.5 to 4.9 and 4.11.
 */

import type { Steps } from "../../base/index.ts";
import { wasmErrors } from "../errors.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import { keepSpecimen } from "../specimens.ts";
import { BodyCopy } from "./body-copy.ts";
import { CodeBuffer } from "./code-buffer.ts";
import { CounterCode } from "./counter-code.ts";
import { op } from "./emitted.ts";
import { type Bodies, BodyTrait, Event, eventSize, type Facts, stepBytes } from "./facts.ts";
import { Hints } from "./hints.ts";
import type { IntList } from "./int-list.ts";
import { LoopCode } from "./loop-code.ts";
import { Float, findNanPlaces } from "./nan.ts";
import type { Plan } from "./plan.ts";
import { skipNumber } from "./skip.ts";
import { StackCode } from "./stack-code.ts";

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
  /** Every body with its size before it, in order: to be copied before `release`. */
  readonly bodies: Uint8Array;
  readonly hints: Hints;
  release(): void;
}

export function* emitBodies(input: EmitInput): Steps<Emitted> {
  const emitter = new Emitter(input);
  keepSpecimen(emitter, input.bytes.length);
  const { count } = input.facts.bodies;
  for (let next = 0; next < count; yield) next = emitter.step(next);
  const { out, hints } = emitter;
  return {
    bodies: out.finish(),
    hints,
    release: () => {
      out.release();
      hints.release();
    },
  };
}

/** V8 14, src/wasm/wasm-limits.h, kV8MaxWasmFunctionSize. */
const emittedBodyBytesMax = 7_654_321;

const localTypes: Readonly<Record<number, number>> = { [Float.f32]: op.f32, [Float.f64]: op.f64 };

class Emitter {
  readonly out: CodeBuffer;
  readonly hints: Hints;
  private readonly input: EmitInput;
  private readonly bytes: Uint8Array;
  private readonly bodies: Bodies;
  private readonly plan: Plan;
  private readonly appended: Appended;
  private readonly labelsAdded: Uint8Array;
  private readonly copy: BodyCopy;
  private readonly counter: CounterCode;
  private readonly stack: StackCode;
  private readonly loops: LoopCode;

  // Of the body at hand.
  private hasWrapper = false;
  private isUncounted = false;

  constructor(input: EmitInput) {
    const { bytes, facts, plan, appended } = input;
    this.input = input;
    this.bytes = bytes;
    this.bodies = facts.bodies;
    this.plan = plan;
    this.appended = appended;
    this.labelsAdded = plan.labelsAdded;
    // Bodies hardly ever double; the buffer grows when they do.
    const { count, start, end } = facts.bodies;
    const codeBytes = count === 0 ? 0 : (end[count - 1] as number) - (start[0] as number);
    this.out = new CodeBuffer(2 * codeBytes + 4_096);
    this.hints = new Hints(count);
    const { globalsMovedBy } = appended;
    this.copy = new BodyCopy({ bytes, facts, globalsMovedBy, pieces: input.pieces }, this.out);
    this.counter = new CounterCode(appended, this.out, this.copy, this.hints);
    this.stack = new StackCode(appended.stack, this.out, this.copy, this.counter);
    this.loops = new LoopCode(input, this.out, this.copy, this.counter, this.stack);
  }

  /** Writes bodies from this one on, a step of them, and returns which is next. */
  step(from: number): number {
    const { count, start, end } = this.bodies;
    let index = from;
    for (let left = stepBytes; index < count && left > 0; index++) {
      this.body(index);
      left -= (end[index] as number) - (start[index] as number);
    }
    return index;
  }

  private body(index: number): void {
    const { out, copy, bodies, plan } = this;
    const func = bodies.firstFunction + index;
    const bodyStart = bodies.start[index] as number; // a body by its index, here and below
    const bodyEnd = bodies.end[index] as number;
    this.isUncounted = plan.isUncounted[func] === 1;
    copy.begin(index);
    out.reserve();
    if (this.input.isStrict) findNanPlaces(this.bytes, bodies, index, this.input.spaces, copy.nans);
    if (this.isUncounted && copy.isVerbatim) {
      out.u32(bodyEnd - bodyStart);
      copy.whole(bodyStart, bodyEnd);
      return;
    }
    const start = out.beginSized();
    this.hints.begin(func);
    this.begin(index, start);
    if (!this.isUncounted) this.prologue(index);
    this.events(index);
    copy.to(bodyEnd);
    const found = out.length - start;
    if (found > emittedBodyBytesMax) {
      const what = "bytes of a function body, metered";
      throw wasmErrors.limit({ offset: bodyStart, what, found, max: emittedBodyBytesMax });
    }
    copy.movePieces(out.endSized(start));
    this.hints.end();
  }

  /** Which locals the body gets, and what they are for. */
  private begin(index: number, start: number): void {
    const { counter, stack, loops, bodies, plan } = this;
    const locals = bodies.locals[index] as number;
    const stackSlots = plan.stackSlots[index] as number;
    const isLocal = plan.isLocal[index] === 1;
    counter.begin(start, isLocal, locals);
    const hasCounted = loops.begin(index, isLocal, locals + 1);
    const own = (isLocal ? 1 : 0) + (hasCounted ? 2 : 0);
    const hasHandler = ((bodies.traits[index] as number) & BodyTrait.hasHandler) !== 0;
    stack.begin(stackSlots > 0 || (plan.hasStack && hasHandler), stackSlots, locals + own);
    const isLeftEarly = (bodies.exits[index] as number) > 0 || (bodies.returns[index] as number) > 1;
    this.hasWrapper = (isLocal || stack.isKept) && isLeftEarly;
    this.locals(index, own + (stack.isKept ? 1 : 0));
  }

  private locals(index: number, own: number): void {
    const { out, copy, bodies } = this;
    const floats = copy.isVerbatim ? none : copy.nanTypes();
    out.u32((bodies.localGroups[index] as number) + (own > 0 ? 1 : 0) + floats.length);
    const groups = skipNumber(this.bytes, bodies.start[index] as number);
    out.copy(this.bytes, groups, bodies.codeStart[index] as number);
    if (own > 0) {
      out.u32(own);
      out.byte(op.i32);
    }
    for (let at = 0; at < floats.length; at++) {
      const type = floats[at] as number;
      out.byte(1);
      out.byte(localTypes[type] ?? op.v128);
      copy.canonicalizeIn(type, (bodies.locals[index] as number) + own + at);
    }
  }

  private prologue(index: number): void {
    const { bodies, plan } = this;
    const checksEntry = plan.checksEntry[index] === 1;
    this.stack.take(checksEntry);
    const isPaid = plan.isEntryPaid[index] === 1;
    const fuel = isPaid ? 0 : this.input.facts.regionFuel.at(bodies.regions[index] as number);
    if (fuel > 0 || checksEntry) this.counter.charge(fuel, checksEntry);
    if (!this.hasWrapper) return;
    this.out.byte(op.block);
    this.out.raw(this.appended.resultBlock(bodies.type[index] as number));
  }

  /** The `switch` has what is most frequent, most frequent first. */
  private events(index: number): void {
    const { counter, loops, bodies, out } = this;
    const { events, regionFuel } = this.input.facts;
    const { data } = events;
    const end = bodies.events[index + 1] as number;
    for (let at = bodies.events[index] as number; at < end; at += eventSize) {
      const offset = data[at + 1] as number;
      if (offset < loops.done) continue;
      out.reserve();
      const a = data[at + 2] as number;
      const b = data[at + 3] as number;
      switch (data[at]) {
        case Event.charge: {
          const fuel = regionFuel.at(a);
          if (fuel === 0) break;
          this.copy.to(offset);
          counter.charge(fuel, false);
          break;
        }
        case Event.branch:
          counter.need(offset);
          if (a >= 0) this.relabel(offset, 0, a);
          if (b === 1) counter.afterMeeting();
          break;
        case Event.join:
          if (b === 1) this.bodyEnd(offset, a === 1);
          else {
            if (a === 1) counter.need(offset);
            counter.afterMeeting();
          }
          break;
        case Event.call:
          this.call(offset, a);
          break;
        case Event.arm:
          counter.need(offset);
          if (this.bytes[offset] !== op.if) counter.afterMeeting();
          break;
        case Event.loop:
          loops.header(offset, a, b);
          break;
        case Event.loopEnd:
          loops.end(offset, a);
          break;
        default:
          this.rare(data[at] as number, offset, a, b);
      }
    }
  }

  private rare(event: number, offset: number, a: number, b: number): void {
    const { counter, copy } = this;
    switch (event) {
      case Event.return:
        this.return(offset, a + (b >= 0 ? (this.labelsAdded[b] as number) : 0));
        return;
      case Event.dead:
        counter.afterMeeting();
        return;
      case Event.indirectCall:
        counter.sync(offset);
        counter.afterCall();
        return;
      case Event.branchTable:
        counter.need(offset);
        if (a >= 0) this.relabel(offset, b, a);
        counter.afterMeeting();
        return;
      case Event.deadBranch:
        this.relabel(offset, b, a);
        return;
      case Event.checkpoint:
        this.checkpoint(offset);
        return;
      case Event.replaced:
        this.callInstead(offset, this.appended.helper(a));
        copy.skipTo(b);
        return;
      case Event.length:
        this.callInstead(offset, this.appended.chargeLength);
        return;
      case Event.tailCall:
        counter.sync(offset);
        this.stack.giveBack(offset);
        counter.afterMeeting();
        return;
      case Event.throw:
        counter.sync(offset);
        counter.afterMeeting();
        return;
      case Event.handler:
        if (!this.stack.isKept) return;
        copy.to(offset);
        this.stack.reset();
        return;
    }
  }

  /** A branch that leaves `loop`, where labels up to `inside` do not. */
  private relabel(offset: number, inside: number, loop: number): void {
    const added = this.labelsAdded[loop] as number; // there is one for each loop
    if (added > 0) this.copy.relabel(offset, inside, added);
  }

  private call(offset: number, func: number): void {
    if (this.plan.isUncounted[func] === 1) return;
    this.counter.sync(offset);
    this.counter.afterCall();
  }

  private callInstead(offset: number, func: number): void {
    this.counter.sync(offset);
    this.copy.to(offset);
    this.out.indexed(op.call, func);
    this.counter.afterCall();
  }

  private checkpoint(offset: number): void {
    this.copy.to(offset);
    this.counter.charge(this.plan.checkpointFuel, true);
  }

  private bodyEnd(offset: number, fallsThrough: boolean): void {
    const { counter } = this;
    if (this.hasWrapper) {
      if (fallsThrough) counter.need(offset);
      this.copy.to(offset);
      this.out.byte(op.end);
      counter.writeBack();
      this.stack.giveBack(offset);
    } else if (fallsThrough) {
      counter.sync(offset);
      this.stack.giveBack(offset);
    }
  }

  private return(offset: number, label: number): void {
    const { counter, stack } = this;
    if (counter.isWritten && !stack.isKept) {
      // Nothing to do on the way out.
    } else if (this.hasWrapper) {
      counter.need(offset);
      this.copy.to(offset);
      this.out.indexed(op.br, label);
      this.copy.skipTo(offset + 1);
    } else {
      counter.sync(offset);
      stack.giveBack(offset);
    }
    counter.afterMeeting();
  }
}

const none: readonly number[] = [];
