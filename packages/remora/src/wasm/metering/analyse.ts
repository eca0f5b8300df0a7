/**
 * Reads each body once and notes regions, loops, calls and places (`facts.ts`). The rules for regions are those of
 * the metering specification, 4.4: code after a block is charged with the code before it when nothing inside
 * leaves the block outward, because then both run equally often.
 *
 * Array accesses here say `as number`: offsets are checked against the end once an operator, and a read beyond
 * the end gives a zero that ends every loop.
 */

import { ByteReader } from "../byte-reader.ts";
import { wasmErrors } from "../errors.ts";
import { skipLocals } from "../features.ts";
import { funcTypeAt, type IndexSpaces } from "../index-spaces.ts";
import type { DecodeLimits } from "../limits.ts";
import type { Body } from "../module.ts";
import { firstPrefix, operatorSpace, prefixPageSizes, prefixPages } from "../opcodes.ts";
import { unknownOpcode } from "../operators.ts";
import { type FuncType, isRefType, type StorageType } from "../sections/value-types.ts";
import { Event, Facts, LoopFlag } from "./facts.ts";
import { fuelOf, heightOf, Kind, kindOf, lastSimple, traitsOf } from "./operator-kinds.ts";
import {
  arrayFill,
  arrayNew,
  arrayNewDefault,
  memoryCopy,
  tableCopy,
  tableFill,
  tableGrow,
  tableInit,
} from "./skip.ts";

export interface AnalyseInput {
  readonly bytes: Uint8Array;
  readonly bodies: readonly Body[];
  readonly spaces: IndexSpaces;
  readonly limits: DecodeLimits;
  /** A call ends its region, so that exceptions leave exact totals (metering specification 4.3). */
  readonly isExceptionExact: boolean;
  /** The helper that replaces an operator, by operator and its immediates. */
  helper(operator: number, first: number, second: number): number;
  /** Told of every type of a local, for the profile. */
  seeLocalType(type: StorageType, offset: number): void;
}

/** A check at least every so many operators in source order (4.7). */
export const checkEvery = 2_000;
/** A constant length up to this is charged with its operator, which then stays as it is (4.9). */
const constantLengthMax = 4_096;

const noTarget = 0x7fffffff;

export function analyse(input: AnalyseInput): Facts {
  const codeBytes = input.bodies.reduce((sum, body) => sum + body.bytes.length, 0);
  const facts = new Facts(input.spaces.functions.length, operatorSpace, codeBytes);
  const analyser = new Analyser(input, facts);
  for (const [index, body] of input.bodies.entries()) {
    analyser.body(input.spaces.imported.functions + index, body.offset, body.offset + body.bytes.length);
  }
  return facts;
}

const FrameKind = { block: 0, loop: 1, if: 2, else: 3, try: 4, tryTable: 5, func: 6 } as const;

class Analyser {
  private readonly input: AnalyseInput;
  private readonly bytes: Uint8Array;
  private readonly facts: Facts;
  private readonly parameterCounts: Int32Array;
  private readonly resultCounts: Int32Array;
  private readonly fieldCounts: Int32Array;
  private readonly globalCount: number;
  private readonly tableCount: number;

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
  private top = 0;

  /** Region that operators are charged to; -1 in unreachable code. */
  private region = -1;
  /** Innermost loop, -1 outside of loops, and its frame. */
  private loop = -1;
  private loopFrame = -1;
  private height = 0;
  private heightMax = 0;
  private sinceCheck = 0;
  private fuel = 0;
  private hasLoop = false;
  private hasHandler = false;
  private hasIndirect = false;
  private hasDynamic = false;
  private usesVectors = false;
  private returns = 0;
  private exits = 0;
  private firstRegion = 0;
  /** Where the constant before stands and ends. */
  private constantEnd = -1;
  private constantAt = -1;

  constructor(input: AnalyseInput, facts: Facts) {
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

  body(func: number, start: number, end: number): void {
    const { facts, input } = this;
    const typeIndex = input.spaces.functions[func] ?? 0;
    const type = funcTypeAt(input.spaces, typeIndex, start);
    const reader = new ByteReader(this.bytes, start, end);
    const { events, regionFuel, sites, arms, loopRegion } = facts;
    const starts = [events.length, regionFuel.length, sites.length, arms.length, loopRegion.length] as const;
    this.reset(typeIndex);
    let slots = slotsOf(type);
    const localGroups = groupsOfLocals(this.bytes, start);
    const declared = skipLocals(reader, input.limits, (local, offset, count) => {
      slots += local === "v128" ? 2 * count : count;
      if (local === "v128") this.usesVectors = true;
      if (local === "v128" || isRefType(local)) input.seeLocalType(local, offset);
    });
    this.operators(reader.position, end);
    // A v128 on the operand stack takes two slots; which operands are v128 is not tracked.
    slots += this.heightMax * (this.usesVectors || type.parameters.includes("v128") ? 2 : 1) + frameSlots;
    facts.bodies.push({
      func,
      type: typeIndex,
      start,
      end,
      codeStart: reader.position,
      localGroups,
      locals: type.parameters.length + declared,
      slots,
      events: { start: starts[0], end: events.length },
      regions: { start: starts[1], end: regionFuel.length },
      sites: { start: starts[2], end: sites.length },
      arms: { start: starts[3], end: arms.length },
      loops: { start: starts[4], end: loopRegion.length },
      fuel: this.fuel,
      hasLoop: this.hasLoop,
      hasHandler: this.hasHandler,
      hasIndirect: this.hasIndirect,
      hasDynamic: this.hasDynamic,
      returns: this.returns,
      exits: this.exits,
    });
  }

  private reset(typeIndex: number): void {
    this.top = -1;
    this.loop = -1;
    this.loopFrame = -1;
    this.height = 0;
    this.heightMax = 0;
    this.sinceCheck = 0;
    this.fuel = 1;
    this.hasLoop = false;
    this.hasHandler = false;
    this.hasIndirect = false;
    this.hasDynamic = false;
    this.usesVectors = false;
    this.returns = 0;
    this.exits = 0;
    this.constantEnd = -1;
    this.firstRegion = this.facts.regionFuel.length;
    // One unit on entering a body (4.3). The entry has no event: the emitter charges it in the prologue.
    this.region = this.addRegion(1);
    this.open(FrameKind.func, 0, 0, this.resultCounts[typeIndex] as number);
  }

  /** The one pass over the operators of a body. */
  private operators(start: number, end: number): void {
    const { bytes, facts } = this;
    const { seen } = facts;
    let p = start;
    while (p < end) {
      p = this.simpleRun(p, end);
      if (p >= end) break;
      const at = p;
      let op = bytes[p++] as number;
      let kind = kindOf[op] as number;
      if (kind === Kind.prefix) {
        const page = op - firstPrefix;
        const number = this.u32(p);
        op = (prefixPages[page] as number) + number;
        kind = number < (prefixPageSizes[page] as number) ? (kindOf[op] as number) : Kind.unknown;
        if (kind === Kind.unknown) throw unknownOpcode(at, firstPrefix + page, number);
        p = this.skip(p);
        if (page === vectorPage) this.usesVectors = true;
      }
      seen[op] = 1;
      if (this.region >= 0) {
        const cost = fuelOf[op] as number;
        facts.regionFuel.add(this.region, cost);
        this.fuel += cost;
        this.height += heightOf[op] as number;
        if (this.height > this.heightMax) this.heightMax = this.height;
        if (++this.sinceCheck > checkEvery) {
          this.noteEvent(Event.checkpoint, at, 0, 0);
          this.sinceCheck = 0;
        }
      }
      if (kind <= lastSimple) {
        if (kind === Kind.unknown) throw unknownOpcode(at, op);
        p = this.skipSimple(p, kind);
        continue;
      }
      switch (kind) {
        case Kind.table:
          this.check(at, "table", this.u32(p), this.tableCount);
          p = this.skip(p);
          break;
        case Kind.typeIndex:
          this.check(at, "type", this.u32(p), this.parameterCounts.length);
          p = this.skip(p);
          break;
        case Kind.block:
        case Kind.loop:
        case Kind.if:
        case Kind.try:
          p = this.openBlock(kind, at, p);
          break;
        case Kind.tryTable:
          p = this.tryTable(at, p);
          break;
        case Kind.else:
          this.else(at, p);
          break;
        case Kind.end:
          this.end(at, p);
          if (this.top < 0) {
            if (p === end) return;
            const found = `${end - p} more bytes`;
            throw wasmErrors.malformed({
              offset: p,
              what: "a function body",
              found,
              allowed: "nothing behind its end",
            });
          }
          break;
        case Kind.br:
          this.branch(at, this.u32(p), true);
          p = this.skip(p);
          break;
        case Kind.branchOn: {
          const label = this.u32(p);
          p = this.skip(p);
          this.branch(at, label, false);
          this.openRegion(p);
          break;
        }
        case Kind.castLabel: {
          const label = this.u32(p + 1);
          p = this.skip(this.skip(this.skip(p + 1)));
          this.branch(at, label, false);
          this.openRegion(p);
          break;
        }
        case Kind.brTable:
          p = this.branchTable(at, p, end);
          break;
        case Kind.return:
          this.return(at);
          break;
        case Kind.unreachable:
          if (this.region >= 0) this.noteEvent(Event.dead, at, 0, 0);
          this.region = -1;
          break;
        case Kind.call: {
          const callee = this.u32(p);
          p = this.skip(p);
          this.call(at, p, callee);
          break;
        }
        case Kind.callIndirect: {
          const type = this.u32(p);
          this.check(at, "table", this.u32(this.skip(p)), this.tableCount);
          p = this.skip(this.skip(p));
          this.indirectCall(at, p, type);
          break;
        }
        case Kind.callRef: {
          const type = this.u32(p);
          p = this.skip(p);
          this.indirectCall(at, p, type);
          break;
        }
        case Kind.returnCall:
          this.tailCall(at, this.u32(p));
          p = this.skip(p);
          break;
        case Kind.returnCallIndirect:
          this.check(at, "type", this.u32(p), this.parameterCounts.length);
          this.check(at, "table", this.u32(this.skip(p)), this.tableCount);
          this.tailCall(at, -1);
          p = this.skip(this.skip(p));
          break;
        case Kind.returnCallRef:
          this.check(at, "type", this.u32(p), this.parameterCounts.length);
          this.tailCall(at, -1);
          p = this.skip(p);
          break;
        case Kind.throw:
        case Kind.rethrow:
          this.throw(at);
          p = this.skip(p);
          break;
        case Kind.throwRef:
          this.throw(at);
          break;
        case Kind.catch:
          this.catch(at, this.skip(p), this.u32(p));
          p = this.skip(p);
          break;
        case Kind.catchAll:
          this.catch(at, p, -1);
          break;
        case Kind.delegate:
          this.delegate(at, this.u32(p), this.skip(p));
          p = this.skip(p);
          break;
        case Kind.bulk:
          p = this.bulk(at, p, op);
          break;
        case Kind.length:
          p = this.lengthCharged(at, p, op);
          break;
        case Kind.grow:
          p = this.grow(at, p, op);
          break;
        case Kind.refFunc: {
          const index = this.u32(p);
          this.check(at, "function", index, facts.isReferenced.length);
          facts.isReferenced[index] = 1;
          p = this.skip(p);
          break;
        }
        case Kind.structNew:
          this.push(1 - this.countAt(this.fieldCounts, this.u32(p)));
          p = this.skip(p);
          break;
        case Kind.arrayNewFixed: {
          const count = this.u32(this.skip(p));
          if (this.region >= 0) this.push(1 - Math.min(count, this.height));
          p = this.skip(this.skip(p));
          break;
        }
        default:
          throw unknownOpcode(at, op);
      }
    }
    throw wasmErrors["unexpected-end"]({ offset: end, what: "a function body" });
  }

  /**
   * Reads operators up to the first that is not simple, and returns its offset. Counts in locals, which is what
   * makes the rewriter fast: nine operators of ten are read here.
   */
  private simpleRun(start: number, end: number): number {
    const { bytes } = this;
    const { seen } = this.facts;
    const traits = traitsOf;
    let p = start;
    let fuel = 0;
    let height = this.height;
    let heightMax = this.heightMax;
    let left = checkEvery - this.sinceCheck;
    const leftBefore = left;
    let numberAt = -1;
    let numberEnd = -1;
    while (p < end && left > 0) {
      const op = bytes[p] as number;
      const trait = traits[op] as number;
      const kind = trait & 0xff;
      if (kind > lastSimple || kind === Kind.unknown) break;
      p++;
      left--;
      seen[op] = 1;
      fuel += (trait >> 8) & 1;
      height += trait >> 16;
      if (height > heightMax) heightMax = height;
      if (kind === Kind.plain) continue;
      if (kind === Kind.number) {
        numberAt = p;
        if ((bytes[p++] as number) >= 0x80) p = this.skip(p);
        numberEnd = p;
      } else if (kind === Kind.memarg) {
        // Alignment and offset of one byte each, the first memory: nearly always.
        if ((bytes[p] as number) < 0x40 && (bytes[p + 1] as number) < 0x80) p += 2;
        else p = this.skipMemArg(p);
      } else p = this.skipSimple(p, kind);
    }
    this.constantAt = numberAt;
    this.constantEnd = numberEnd;
    if (this.region < 0) return p;
    this.facts.regionFuel.add(this.region, fuel);
    this.fuel += fuel;
    this.height = height;
    this.heightMax = heightMax;
    this.sinceCheck += leftBefore - left;
    return p;
  }

  /** The offset behind the immediates of an operator of the simple kinds. */
  private skipSimple(p: number, kind: number): number {
    switch (kind) {
      case Kind.number:
        return this.skip(p);
      case Kind.global:
        this.check(p, "global", this.u32(p), this.globalCount);
        return this.skip(p);
      case Kind.twoIndices:
        return this.skip(this.skip(p));
      case Kind.memarg:
        return this.skipMemArg(p);
      case Kind.memargLane:
        return this.skipMemArg(p) + 1;
      case Kind.bytes1:
        return p + 1;
      case Kind.bytes4:
        return p + 4;
      case Kind.bytes8:
        return p + 8;
      case Kind.bytes16:
        return p + 16;
      case Kind.select:
        return this.skipType(this.skip(p));
      default:
        return p;
    }
  }

  // Numbers.

  private skip(p: number): number {
    const { bytes } = this;
    let at = p;
    while ((bytes[at++] as number) >= 0x80);
    return at;
  }

  private u32(p: number): number {
    const { bytes } = this;
    let byte = bytes[p] as number;
    if (byte < 0x80) return byte;
    let result = byte & 0x7f;
    let at = p + 1;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = bytes[at++] as number;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return result >>> 0;
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

  private skipMemArg(p: number): number {
    const flags = this.bytes[p] as number;
    // Bit 6 of the alignment: a memory index follows. In two bytes it would still be in the first.
    return (flags & 0x40) === 0 ? this.skip(this.skip(p)) : this.skip(this.skip(this.skip(p)));
  }

  private skipType(p: number): number {
    const code = this.bytes[p] as number;
    return code === 0x63 || code === 0x64 ? this.skip(p + 1) : this.skip(p);
  }

  /** An index beyond the end must not come to mean something that is appended. */
  private check(offset: number, space: string, index: number, count: number): void {
    if (index >= count) throw wasmErrors["unknown-index"]({ offset, space, index, count });
  }

  private countAt(counts: Int32Array, index: number): number {
    return index < counts.length ? (counts[index] as number) : 0;
  }

  private push(values: number): void {
    if (this.region < 0) return;
    this.height += values;
    if (this.height > this.heightMax) this.heightMax = this.height;
  }

  // Events and regions.

  private noteEvent(kind: number, offset: number, a: number, b: number): void {
    this.facts.events.pushFour(kind, offset, a, b);
  }

  private addRegion(fuel: number): number {
    const region = this.facts.regionFuel.push(fuel);
    this.facts.regionHome.push(this.loop < 0 ? this.firstRegion : this.facts.loopRegion.at(this.loop));
    return region;
  }

  /** From here on operators are charged to a region of their own, in reachable code. */
  private openRegion(offset: number): void {
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

  private openBlock(kind: number, at: number, p: number): number {
    const code = this.bytes[p] as number;
    let parameters = 0;
    let results = code === 0x40 ? 0 : 1;
    let next = p + 1;
    if (code < 0x40 || code >= 0x80) {
      const type = this.u32(p);
      this.check(at, "type", type, this.parameterCounts.length);
      parameters = this.countAt(this.parameterCounts, type);
      results = this.countAt(this.resultCounts, type);
      next = this.skip(p);
    } else if (code !== 0x40) next = this.skipType(p);
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

  private tryTable(at: number, p: number): number {
    this.hasHandler = true;
    this.facts.usesExceptions = true;
    this.markLoops();
    let next = this.openBlock(Kind.block, at, p);
    this.kinds[this.top] = FrameKind.tryTable;
    const count = this.u32(next);
    next = this.skip(next);
    for (let index = 0; index < count; index++) {
      if (next >= this.bytes.length)
        throw wasmErrors["unexpected-end"]({ offset: next, what: "a catch clause" });
      const code = this.bytes[next++] as number;
      if (code < 2) next = this.skip(next);
      // Labels of catch clauses count from outside of the try_table.
      const target = this.top - 1 - this.u32(next);
      next = this.skip(next);
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

  private else(at: number, next: number): void {
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

  private end(at: number, next: number): void {
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

  private catch(at: number, next: number, tag: number): void {
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

  private delegate(at: number, label: number, next: number): void {
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

  private branch(at: number, label: number, isAlways: boolean): void {
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

  private branchTable(at: number, p: number, end: number): number {
    const count = this.u32(p);
    const { branchTableLabels: max } = this.input.limits;
    if (count > max) throw wasmErrors.limit({ offset: at, what: "labels of br_table", found: count, max });
    let next = this.skip(p);
    let left = -1;
    for (let index = 0; index <= count; index++) {
      if (next >= end) throw wasmErrors["unexpected-end"]({ offset: next, what: "a label" });
      const frame = this.frameOf(at, this.u32(next));
      next = this.skip(next);
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

  private return(at: number): void {
    if (this.region < 0) return;
    this.returns++;
    this.noteTarget(0);
    this.noteEvent(Event.return, at, this.top, this.loop);
    this.region = -1;
  }

  private throw(at: number): void {
    this.facts.usesExceptions = true;
    if (this.region < 0) return;
    this.noteTarget(0);
    this.noteEvent(Event.throw, at, 0, 0);
    this.region = -1;
  }

  // Calls.

  private call(at: number, next: number, callee: number): void {
    const { functions } = this.input.spaces;
    this.check(at, "function", callee, functions.length);
    if (this.region < 0) return;
    this.site(callee);
    this.noteEvent(Event.call, at, callee, next);
    this.arity(functions[callee] ?? 0, 0);
    this.afterCall(next);
  }

  private indirectCall(at: number, next: number, type: number): void {
    this.check(at, "type", type, this.parameterCounts.length);
    if (this.region < 0) return;
    this.hasIndirect = true;
    this.markLoops();
    this.noteEvent(Event.indirectCall, at, 0, next);
    this.arity(type, 1);
    this.afterCall(next);
  }

  private arity(type: number, more: number): void {
    this.push(this.countAt(this.resultCounts, type) - this.countAt(this.parameterCounts, type) - more);
  }

  private afterCall(next: number): void {
    if (!this.input.isExceptionExact) return;
    this.noteTarget(0);
    this.openRegion(next);
  }

  private tailCall(at: number, callee: number): void {
    if (callee >= 0) this.check(at, "function", callee, this.input.spaces.functions.length);
    if (this.region < 0) return;
    if (callee >= 0) this.site(callee);
    else this.hasIndirect = true;
    this.returns++;
    this.markLoops();
    this.noteTarget(0);
    this.noteEvent(Event.tailCall, at, callee, 0);
    this.region = -1;
  }

  private site(callee: number): void {
    const { sites } = this.facts;
    sites.push(callee);
    sites.push(this.region);
    sites.push(this.loop);
  }

  // Lengths.

  private constantLength(at: number): number {
    const opcode = this.bytes[this.constantAt - 1];
    if (this.constantEnd !== at || (opcode !== i32Const && opcode !== i64Const)) return -1;
    const value = this.smallConstant(this.constantAt);
    return value <= constantLengthMax ? value : -1;
  }

  private bulk(at: number, p: number, op: number): number {
    const first = this.u32(p);
    let next = this.skip(p);
    let second = 0;
    if (op === memoryCopy || op === tableCopy) {
      second = this.u32(next);
      next = this.skip(next);
    }
    if (op === tableCopy || op === tableFill) {
      this.check(at, "table", first, this.tableCount);
      this.check(at, "table", second, this.tableCount);
    }
    if (this.region < 0) return next;
    const length = this.constantLength(at);
    if (length >= 0) this.chargeConstant(length);
    else this.replaced(at, next, this.input.helper(op, first, second));
    return next;
  }

  private grow(at: number, p: number, op: number): number {
    const next = this.skip(p);
    if (op === tableGrow) this.check(at, "table", this.u32(p), this.tableCount);
    if (this.region >= 0) this.replaced(at, next, this.input.helper(op, this.u32(p), 0));
    return next;
  }

  private replaced(at: number, next: number, helper: number): void {
    this.hasDynamic = true;
    this.markLoops();
    this.noteEvent(Event.replaced, at, helper, next);
  }

  private lengthCharged(at: number, p: number, op: number): number {
    let next = this.skip(p);
    if (op === tableInit) this.check(at, "table", this.u32(next), this.tableCount);
    if (op !== arrayNew && op !== arrayNewDefault && op !== arrayFill) next = this.skip(next);
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

const vectorPage = 2;
const i32Const = 0x41;
const i64Const = 0x42;

/** What a frame takes besides locals and operands (4.11). */
const frameSlots = 8;

function slotsOf(type: FuncType): number {
  return type.parameters.reduce((slots, parameter) => slots + (parameter === "v128" ? 2 : 1), 0);
}

function groupsOfLocals(bytes: Uint8Array, start: number): number {
  return new ByteReader(bytes, start).u32();
}
