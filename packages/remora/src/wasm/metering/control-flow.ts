/**
 * Regions and loops of a body: the rules of the metering specification, 4.4. Code behind a block is charged with the
 * code before it when nothing inside leaves the block outward, because then both run equally often.
 *
 * Array accesses here say `as number`: frames are indexed up to `top`, whose bound is checked when it grows.
 */

import { wasmErrors } from "../errors.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { DecodeLimits } from "../limits.ts";
import { Event, type Facts, LoopFlag } from "./facts.ts";
import { Kind } from "./operator-kinds.ts";
import {
  arrayFill,
  arrayNew,
  arrayNewDefault,
  memoryCopy,
  memoryInit,
  readIndex,
  skipNumber,
  skipType,
  tableCopy,
  tableFill,
  tableGrow,
  tableInit,
} from "./skip.ts";

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

/** A check at least every so many operators in source order (4.7). */
export const checkEvery = 2_000;
/** A constant length up to this is charged with its operator, which then stays as it is (4.9). */
const constantLengthMax = 4_096;

const noTarget = 0x7fffffff;

const FrameKind = { block: 0, loop: 1, if: 2, else: 3, try: 4, tryTable: 5, func: 6 } as const;

export class ControlFlow {
  private readonly input: FlowInput;
  private readonly bytes: Uint8Array;
  private readonly facts: Facts;
  readonly parameterCounts: Int32Array;
  private readonly resultCounts: Int32Array;
  readonly fieldCounts: Int32Array;
  readonly globalCount: number;
  readonly tableCount: number;

  // The control stack, one entry a frame in each array; entry 0 is the function.
  private readonly kinds: Uint8Array;
  private readonly entryRegions: Int32Array;
  /** Outermost frame that a branch inside targets. */
  private readonly targets: Int32Array;
  /** 1 when something branches to its label. */
  private readonly isTargeted: Uint8Array;
  /** 1 when a `try_table` catches to its label. */
  private readonly isHandler: Uint8Array;
  private readonly armRegions: Int32Array;
  private readonly loops: Int32Array;
  private readonly elseRegions: Int32Array;
  private readonly outerLoops: Int32Array;
  private readonly outerLoopFrames: Int32Array;
  private readonly opsBefore: Int32Array;
  private readonly heights: Int32Array;
  private readonly frameResults: Int32Array;
  private readonly frameParameters: Int32Array;
  top = 0;

  /** Region that operators are charged to; -1 in unreachable code. */
  region = -1;
  /** Innermost loop, -1 outside of loops, and its frame. */
  private loop = -1;
  private loopFrame = -1;
  height = 0;
  heightMax = 0;
  sinceCheck = 0;
  fuel = 0;
  hasLoop = false;
  hasHandler = false;
  hasIndirectCall = false;
  hasIndirectTail = false;
  hasDynamic = false;
  usesVectors = false;
  returns = 0;
  exits = 0;
  /** Places where control parts or meets, loops twice; and what calls and blocks cost that move many values. */
  controls = 0;
  moves = 0;
  private firstRegion = 0;
  /** Where the constant before stands and ends. */
  constantEnd = -1;
  constantAt = -1;

  constructor(input: FlowInput, facts: Facts) {
    this.input = input;
    this.bytes = input.bytes;
    this.facts = facts;
    const { types } = input.spaces;
    this.globalCount = input.spaces.globals.length;
    this.tableCount = input.spaces.tables.length;
    this.parameterCounts = new Int32Array(types.length);
    this.resultCounts = new Int32Array(types.length);
    this.fieldCounts = new Int32Array(types.length);
    for (const [index, { composite }] of types.entries()) {
      if (composite.kind === "func") {
        this.parameterCounts[index] = composite.parameters.length;
        this.resultCounts[index] = composite.results.length;
      } else if (composite.kind === "struct") this.fieldCounts[index] = composite.fields.length;
    }
    const depth = input.limits.nesting + 2;
    const ints = () => new Int32Array(depth);
    this.kinds = new Uint8Array(depth);
    this.isTargeted = new Uint8Array(depth);
    this.isHandler = new Uint8Array(depth);
    this.entryRegions = ints();
    this.targets = ints();
    this.armRegions = ints();
    this.loops = ints();
    this.elseRegions = ints();
    this.outerLoopFrames = ints();
    this.outerLoops = ints();
    this.opsBefore = ints();
    this.heights = ints();
    this.frameResults = ints();
    this.frameParameters = ints();
  }

  reset(typeIndex: number): void {
    this.top = -1;
    this.loop = -1;
    this.loopFrame = -1;
    this.height = 0;
    this.heightMax = 0;
    this.sinceCheck = 0;
    this.fuel = 1;
    this.hasLoop = false;
    this.hasHandler = false;
    this.hasIndirectCall = false;
    this.hasIndirectTail = false;
    this.hasDynamic = false;
    this.usesVectors = false;
    this.returns = 0;
    this.exits = 0;
    this.controls = 0;
    this.moves = 0;
    this.constantEnd = -1;
    this.firstRegion = this.facts.regionFuel.length;
    // One unit on entering a body (4.3). The entry has no event: the emitter charges it in the prologue.
    this.region = this.addRegion(1);
    this.open(FrameKind.func, 0, 0, this.resultCounts[typeIndex] as number);
  }

  /** A constant of one to three bytes that is not negative; otherwise -1. */
  private smallConstant(p: number): number {
    const { bytes } = this;
    const first = bytes[p] as number;
    if (first < 0x80) return first < 0x40 ? first : -1;
    const second = bytes[p + 1] as number;
    if (second < 0x80) return second < 0x40 ? (first & 0x7f) | (second << 7) : -1;
    const third = bytes[p + 2] as number;
    return third < 0x40 ? (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14) : -1;
  }

  /** An index beyond the end must not come to mean something that is appended. */
  check(offset: number, space: string, index: number, count: number): void {
    if (index >= count) throw wasmErrors["unknown-index"]({ offset, space, index, count });
  }

  countAt(counts: Int32Array, index: number): number {
    return index < counts.length ? (counts[index] as number) : 0;
  }

  push(values: number): void {
    if (this.region < 0) return;
    this.height += values;
    if (this.height > this.heightMax) this.heightMax = this.height;
  }

  // Events and regions.

  noteEvent(kind: number, offset: number, a: number, b: number): void {
    this.facts.events.pushFour(kind, offset, a, b);
  }

  private addRegion(fuel: number): number {
    const region = this.facts.regionFuel.push(fuel);
    this.facts.regionHome.push(this.loop < 0 ? this.firstRegion : this.facts.loopRegion.at(this.loop));
    return region;
  }

  /** From here on operators are charged to a region of their own, in reachable code. */
  openRegion(offset: number): void {
    if (this.region < 0) return;
    this.region = this.addRegion(0);
    this.noteEvent(Event.charge, offset, this.region, 0);
  }

  // Frames.

  private open(kind: number, at: number, parameters: number, results: number): void {
    if (++this.top > this.input.limits.nesting) {
      const max = this.input.limits.nesting;
      throw wasmErrors.limit({ offset: at, what: "nested blocks", found: this.top, max });
    }
    const { top } = this;
    this.kinds[top] = kind;
    this.entryRegions[top] = this.region;
    this.targets[top] = noTarget;
    this.isTargeted[top] = 0;
    this.isHandler[top] = 0;
    this.armRegions[top] = -1;
    this.loops[top] = -1;
    this.heights[top] = this.height - parameters;
    this.frameParameters[top] = parameters;
    this.frameResults[top] = results;
  }

  openBlock(kind: number, at: number, p: number): number {
    const code = this.bytes[p] as number;
    let parameters = 0;
    let results = code === 0x40 ? 0 : 1;
    let next = p + 1;
    if (code < 0x40 || code >= 0x80) {
      const type = readIndex(this.bytes, p);
      this.check(at, "type", type, this.parameterCounts.length);
      parameters = this.countAt(this.parameterCounts, type);
      results = this.countAt(this.resultCounts, type);
      next = skipNumber(this.bytes, p);
    } else if (code !== 0x40) next = skipType(this.bytes, p);
    this.controls += kind === Kind.loop ? 2 : 1;
    this.moves += parameters + results;
    if (kind === Kind.loop) this.openLoop(at, next, parameters, results);
    else if (kind === Kind.if) {
      // The table leaves the height of `if` to us: it takes the condition.
      if (this.region >= 0) {
        this.height -= 1;
        this.noteEvent(Event.arm, at, 0, 0);
      }
      this.open(FrameKind.if, at, parameters, results);
      this.openRegion(next);
      this.armRegions[this.top] = this.region;
    } else if (kind === Kind.try) {
      this.hasHandler = true;
      this.facts.usesExceptions = true;
      this.markLoops();
      this.open(FrameKind.try, at, parameters, results);
    } else this.open(FrameKind.block, at, parameters, results);
    return next;
  }

  private openLoop(at: number, next: number, parameters: number, results: number): void {
    this.open(FrameKind.loop, at, parameters, results);
    const { top } = this;
    this.outerLoops[top] = this.loop;
    this.outerLoopFrames[top] = this.loopFrame;
    this.opsBefore[top] = this.sinceCheck;
    if (this.region < 0) return;
    this.hasLoop = true;
    const { facts } = this;
    if (this.loop >= 0) this.flagLoop(this.loop, LoopFlag.hasInnerLoop);
    const loop = facts.loopRegion.push(0);
    facts.loopFlags.push(0);
    this.loops[top] = loop;
    this.loop = loop;
    this.loopFrame = top;
    this.sinceCheck = 0;
    const region = facts.regionFuel.push(0);
    facts.regionHome.push(region);
    facts.loopRegion.set(loop, region);
    this.region = region;
    this.noteEvent(Event.loop, at, next, loop);
  }

  private flagLoop(loop: number, flag: number): void {
    this.facts.loopFlags.set(loop, this.facts.loopFlags.at(loop) | flag);
  }

  /** The innermost loop has something in it that keeps it from being split. */
  private markLoops(): void {
    if (this.loop >= 0) this.flagLoop(this.loop, LoopFlag.hasCall);
  }

  tryTable(at: number, p: number): number {
    this.hasHandler = true;
    this.facts.usesExceptions = true;
    this.markLoops();
    let next = this.openBlock(Kind.block, at, p);
    this.kinds[this.top] = FrameKind.tryTable;
    const count = readIndex(this.bytes, next);
    next = skipNumber(this.bytes, next);
    for (let index = 0; index < count; index++) {
      if (next >= this.bytes.length)
        throw wasmErrors["unexpected-end"]({ offset: next, what: "a catch clause" });
      const code = this.bytes[next++] as number;
      if (code < 2) next = skipNumber(this.bytes, next);
      // Labels of catch clauses count from outside of the try_table.
      const target = this.top - 1 - readIndex(this.bytes, next);
      next = skipNumber(this.bytes, next);
      if (target < 0) continue;
      if (this.region < 0) continue;
      this.target(target);
      if (target === 0) this.exits++;
      this.isHandler[target] = 1;
      if (this.kinds[target] === FrameKind.loop)
        this.flagLoop(this.loops[target] as number, LoopFlag.isHandler);
    }
    return next;
  }

  else(at: number, next: number): void {
    const { top } = this;
    if (this.kinds[top] !== FrameKind.if) {
      throw wasmErrors.malformed({ offset: at, what: "else", found: "no if before it", allowed: "if" });
    }
    const entry = this.entryRegions[top] as number;
    if (entry >= 0) this.noteEvent(Event.arm, at, this.region >= 0 ? 1 : 0, 0);
    if (this.region >= 0) this.isTargeted[top] = 1;
    this.kinds[top] = FrameKind.else;
    this.height = (this.heights[top] as number) + (this.frameParameters[top] as number);
    this.region = entry;
    if (entry < 0) return;
    this.openRegion(next);
    this.elseRegions[top] = this.region;
  }

  end(at: number, next: number): void {
    const { top } = this;
    const kind = this.kinds[top] as number;
    const entry = this.entryRegions[top] as number;
    const fallsThrough = this.region >= 0;
    const isReachable =
      fallsThrough ||
      (kind !== FrameKind.loop && this.isTargeted[top] === 1) ||
      (kind === FrameKind.if && entry >= 0);
    const targets = this.targets[top] as number;
    this.height = (this.heights[top] as number) + (this.frameResults[top] as number);
    if (this.height > this.heightMax) this.heightMax = this.height;
    this.top = top - 1;
    if (entry >= 0) this.noteEnd(kind, at, fallsThrough);
    if (top === 0) {
      if (this.isTargeted[0] === 1) this.region = entry;
      return;
    }
    if (targets < (this.targets[top - 1] as number)) this.targets[top - 1] = targets;
    if (entry < 0) {
      this.region = -1;
      return;
    }
    if (!isReachable) this.region = -1;
    else if (targets >= top) this.region = entry;
    else {
      this.region = entry;
      this.openRegion(next);
    }
    if (this.isHandler[top] === 1 && kind !== FrameKind.loop && isReachable) {
      this.noteEvent(Event.handler, next, 0, 0);
    }
  }

  private noteEnd(kind: number, at: number, fallsThrough: boolean): void {
    const top = this.top + 1;
    const falls = fallsThrough ? 1 : 0;
    if (kind === FrameKind.loop) {
      const loop = this.loops[top] as number;
      this.noteEvent(Event.loopEnd, at, loop, falls);
      if (this.isTargeted[top] === 1) this.flagLoop(loop, LoopFlag.hasBackEdge);
      else this.sinceCheck += this.opsBefore[top] as number;
      this.loop = this.outerLoops[top] as number;
      this.loopFrame = this.outerLoopFrames[top] as number;
      return;
    }
    if (kind === FrameKind.else) {
      const { arms } = this.facts;
      arms.push(this.entryRegions[top] as number);
      arms.push(this.armRegions[top] as number);
      arms.push(this.elseRegions[top] as number);
    }
    if (kind === FrameKind.if || kind === FrameKind.else || this.isTargeted[top] === 1 || top === 0) {
      this.noteEvent(Event.join, at, falls, top === 0 ? 1 : 0);
    }
  }

  catch(at: number, next: number, tag: number): void {
    const { top } = this;
    if (this.kinds[top] !== FrameKind.try) {
      throw wasmErrors.malformed({ offset: at, what: "catch", found: "no try before it", allowed: "try" });
    }
    const entry = this.entryRegions[top] as number;
    if (entry < 0) return;
    // What leaves the try block by an exception does not run behind it.
    this.noteTarget(top - 1);
    if (this.region >= 0) {
      this.isTargeted[top] = 1;
      this.noteEvent(Event.arm, at, 1, 0);
    } else this.noteEvent(Event.arm, at, 0, 0);
    this.region = entry;
    const type = tag < 0 ? -1 : (this.input.spaces.tags[tag] ?? -1);
    this.height = (this.heights[top] as number) + (type < 0 ? 0 : this.countAt(this.parameterCounts, type));
    if (this.height > this.heightMax) this.heightMax = this.height;
    this.noteEvent(Event.handler, next, 0, 0);
    this.openRegion(next);
  }

  delegate(at: number, label: number, next: number): void {
    if (this.kinds[this.top] !== FrameKind.try) {
      throw wasmErrors.malformed({ offset: at, what: "delegate", found: "no try before it", allowed: "try" });
    }
    // An exception goes on to the handler of an outer frame.
    if ((this.entryRegions[this.top] as number) >= 0) this.noteTarget(Math.max(0, this.top - 1 - label));
    this.end(at, next);
  }

  // Branches.

  /** Something inside the open frames goes to this frame's label. */
  private target(frame: number): void {
    this.isTargeted[frame] = 1;
    this.noteTarget(frame);
  }

  private noteTarget(frame: number): void {
    if (frame < (this.targets[this.top] as number)) this.targets[this.top] = frame;
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
    this.target(frame);
    if (frame === 0) this.exits++;
    this.noteEvent(Event.branch, at, left, isAlways ? 1 : 0);
    if (isAlways) this.region = -1;
  }

  branchTable(at: number, p: number, end: number): number {
    const count = readIndex(this.bytes, p);
    const { branchTableLabels: max } = this.input.limits;
    if (count > max) throw wasmErrors.limit({ offset: at, what: "labels of br_table", found: count, max });
    this.controls++;
    let next = skipNumber(this.bytes, p);
    let left = -1;
    for (let index = 0; index <= count; index++) {
      if (next >= end) throw wasmErrors["unexpected-end"]({ offset: next, what: "a label" });
      const frame = this.frameOf(at, readIndex(this.bytes, next));
      next = skipNumber(this.bytes, next);
      if (left < 0) left = this.leftLoop(frame);
      if (this.region < 0) continue;
      this.target(frame);
      if (frame === 0) this.exits++;
    }
    if (this.region >= 0) this.noteEvent(Event.branchTable, at, left, this.top - this.loopFrame);
    else if (left >= 0) this.noteEvent(Event.deadBranch, at, left, this.top - this.loopFrame);
    // A table of labels takes time to read and to compile like operators do.
    this.sinceCheck += count >> 3;
    this.region = -1;
    return next;
  }

  return(at: number): void {
    if (this.region < 0) return;
    this.returns++;
    this.noteTarget(0);
    this.noteEvent(Event.return, at, this.top, this.loop);
    this.region = -1;
  }

  throw(at: number): void {
    this.facts.usesExceptions = true;
    if (this.region < 0) return;
    this.noteTarget(0);
    this.noteEvent(Event.throw, at, 0, 0);
    this.region = -1;
  }

  // Calls.

  call(at: number, next: number, callee: number): void {
    const { functions } = this.input.spaces;
    this.check(at, "function", callee, functions.length);
    this.noteMoves(functions[callee] ?? 0);
    if (this.region < 0) return;
    this.site(callee, false);
    this.noteEvent(Event.call, at, callee, next);
    this.arity(functions[callee] ?? 0, 0);
    this.afterCall(next);
  }

  indirectCall(at: number, next: number, type: number): void {
    this.check(at, "type", type, this.parameterCounts.length);
    this.noteMoves(type);
    if (this.region < 0) return;
    this.hasIndirectCall = true;
    this.markLoops();
    this.noteEvent(Event.indirectCall, at, 0, next);
    this.arity(type, 1);
    this.afterCall(next);
  }

  /** V8's baseline compiler takes time that grows with the square of what a call moves. */
  private noteMoves(type: number): void {
    const moved = this.countAt(this.parameterCounts, type) + this.countAt(this.resultCounts, type);
    this.moves += moved + (moved * moved) / 64;
  }

  private arity(type: number, more: number): void {
    this.push(this.countAt(this.resultCounts, type) - this.countAt(this.parameterCounts, type) - more);
  }

  private afterCall(next: number): void {
    if (!this.input.isExceptionExact) return;
    this.noteTarget(0);
    this.openRegion(next);
  }

  tailCall(at: number, callee: number, type: number): void {
    if (callee >= 0) this.check(at, "function", callee, this.input.spaces.functions.length);
    this.noteMoves(callee >= 0 ? (this.input.spaces.functions[callee] ?? 0) : type);
    if (this.region < 0) return;
    if (callee >= 0) this.site(callee, true);
    else this.hasIndirectTail = true;
    this.returns++;
    this.markLoops();
    this.noteTarget(0);
    this.noteEvent(Event.tailCall, at, callee, 0);
    this.region = -1;
  }

  private site(callee: number, isTail: boolean): void {
    this.facts.sites.pushFour(callee, this.region, this.loop, isTail ? 1 : 0);
  }

  // Lengths.

  private constantLength(at: number): number {
    const opcode = this.bytes[this.constantAt - 1];
    if (this.constantEnd !== at || (opcode !== i32Const && opcode !== i64Const)) return -1;
    const value = this.smallConstant(this.constantAt);
    return value <= constantLengthMax ? value : -1;
  }

  bulk(at: number, p: number, op: number): number {
    const first = readIndex(this.bytes, p);
    let next = skipNumber(this.bytes, p);
    let second = 0;
    if (op === memoryCopy || op === tableCopy || op === memoryInit || op === tableInit) {
      second = readIndex(this.bytes, next);
      next = skipNumber(this.bytes, next);
    }
    if (op === tableCopy || op === tableFill) {
      this.check(at, "table", first, this.tableCount);
      this.check(at, "table", second, this.tableCount);
    }
    if (op === tableInit) this.check(at, "table", second, this.tableCount);
    if (this.region < 0) return next;
    const length = this.constantLength(at);
    if (length >= 0) this.chargeConstant(length);
    else this.replaced(at, next, this.input.helper(op, first, second));
    return next;
  }

  grow(at: number, p: number, op: number): number {
    const next = skipNumber(this.bytes, p);
    if (op === tableGrow) this.check(at, "table", readIndex(this.bytes, p), this.tableCount);
    if (this.region >= 0) this.replaced(at, next, this.input.helper(op, readIndex(this.bytes, p), 0));
    return next;
  }

  private replaced(at: number, next: number, helper: number): void {
    this.hasDynamic = true;
    this.markLoops();
    this.noteEvent(Event.replaced, at, helper, next);
  }

  lengthCharged(at: number, p: number, op: number): number {
    let next = skipNumber(this.bytes, p);
    if (op !== arrayNew && op !== arrayNewDefault && op !== arrayFill) next = skipNumber(this.bytes, next);
    if (this.region < 0) return next;
    const length = this.constantLength(at);
    if (length >= 0) {
      this.chargeConstant(length);
      return next;
    }
    this.hasDynamic = true;
    this.markLoops();
    this.noteEvent(Event.length, at, 0, next);
    return next;
  }

  private chargeConstant(length: number): void {
    this.facts.regionFuel.add(this.region, length);
    this.fuel += length;
  }
}

const i32Const = 0x41;
const i64Const = 0x42;
