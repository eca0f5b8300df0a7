/**
 * Reads each body once, operator by operator, and has what matters noted in `facts.ts`. Most operators are only
 * counted; those that change what runs next go to `control-flow.ts`, calls to `calls.ts`, lengths to `lengths.ts`.
 *
 * Array accesses here say `as number`: offsets are checked against the end once an operator, and a read beyond
 * the end gives a zero that ends every loop.
 */

import type { Steps } from "../../base/index.ts";
import { ByteReader } from "../byte-reader.ts";
import { wasmErrors } from "../errors.ts";
import { type LocalsReader, skipLocals } from "../features.ts";
import { funcTypeAt } from "../index-spaces.ts";
import type { Body } from "../module.ts";
import { firstPrefix, operatorSpace, prefixPageSizes, prefixPages } from "../opcodes.ts";
import { unknownOpcode } from "../operators.ts";
import { isRefType, type StorageType } from "../sections/value-types.ts";
import { keepSpecimen } from "../specimens.ts";
import { Calls } from "./calls.ts";
import { ControlFlow, checkEvery, type FlowInput } from "./control-flow.ts";
import { Bodies, Event, Facts, stepBytes } from "./facts.ts";
import { Lengths } from "./lengths.ts";
import { fuelOf, heightOf, Kind, kindOf, lastSimple, traitsOf } from "./operator-kinds.ts";
import { RareOperators } from "./rare-operators.ts";
import { readIndex, skipMemArg, skipNumber, skipType } from "./skip.ts";
import { frameSlots } from "./stack-slots.ts";

export interface AnalyseInput extends FlowInput {
  readonly bodies: readonly Body[];
  /** Told of every type of a local, for the profile. */
  seeLocalType(type: StorageType, offset: number): void;
}

export function* analyse(input: AnalyseInput): Steps<Facts> {
  const { bodies, spaces } = input;
  const codeBytes = bodies.reduce((sum, body) => sum + body.size, 0);
  const facts = new Facts(new Bodies(bodies.length, spaces.imported.functions), operatorSpace, codeBytes);
  const analyser = new Walker(input, facts);
  keepSpecimen(analyser, codeBytes);
  for (let next = 0; next < bodies.length; yield) next = analyser.step(bodies, next);
  return facts;
}

class Walker implements LocalsReader {
  private readonly input: AnalyseInput;
  private readonly bytes: Uint8Array;
  private readonly facts: Facts;
  private readonly flow: ControlFlow;
  private readonly calls: Calls;
  private readonly lengths: Lengths;
  private readonly rare: RareOperators;
  private readonly globalCount: number;
  /** Of the locals that the body at hand declares. */
  private localSlots = 0;

  constructor(input: AnalyseInput, facts: Facts) {
    this.input = input;
    this.bytes = input.bytes;
    this.facts = facts;
    this.flow = new ControlFlow(input, facts);
    this.calls = new Calls(input, facts, this.flow);
    this.lengths = new Lengths(input, facts, this.flow);
    this.rare = new RareOperators(input, facts, this.flow, this.calls, this.lengths);
    this.globalCount = input.spaces.globals.length;
  }

  /** Reads bodies from this one on, a step of them, and returns which is next. */
  step(bodies: readonly Body[], from: number): number {
    let index = from;
    for (let left = stepBytes; index < bodies.length && left > 0; index++) {
      const { offset, size } = bodies[index] as Body;
      this.body(index, offset, offset + size);
      left -= size;
    }
    return index;
  }

  private body(index: number, start: number, end: number): void {
    const { input, flow, calls, lengths } = this;
    const { bodies } = this.facts;
    const type = input.spaces.functions[bodies.firstFunction + index] ?? 0;
    funcTypeAt(input.spaces, type, start);
    const reader = new ByteReader(this.bytes, start, end);
    flow.reset(type);
    calls.reset();
    lengths.reset();
    this.localSlots = 0;
    bodies.type[index] = type;
    bodies.start[index] = start;
    bodies.end[index] = end;
    bodies.localGroups[index] = readIndex(this.bytes, start);
    const declared = skipLocals(reader, input.limits, this);
    bodies.codeStart[index] = reader.position;
    this.operators(reader.position, end);
    const parameters = flow.counts.parameters[type] as number;
    this.weigh(parameters + declared, start, end);
    const parameterSlots = flow.counts.parameterSlots[type] as number;
    // A v128 on the operand stack takes two slots; which operands are v128 is not tracked.
    const slotsEach = flow.usesVectors || parameterSlots > parameters ? 2 : 1;
    bodies.slots[index] = parameterSlots + this.localSlots + slotsEach * flow.heightMax + frameSlots;
    bodies.locals[index] = parameters + declared;
    bodies.fuel[index] = flow.fuel;
    bodies.returns[index] = flow.returns;
    bodies.exits[index] = flow.exits;
    bodies.traits[index] = flow.traits | calls.traits | lengths.traits;
    this.endLists(index + 1);
  }

  /** As `LocalsReader`. */
  see(local: StorageType, offset: number, count: number): void {
    this.localSlots += local === "v128" ? 2 * count : count;
    if (local === "v128") this.flow.usesVectors = true;
    if (local === "v128" || isRefType(local)) this.input.seeLocalType(local, offset);
  }

  /** What the lists have from here on belongs to the body with this index. */
  private endLists(index: number): void {
    const { bodies, events, regionFuel, sites, arms, loopRegion, movedGlobals } = this.facts;
    bodies.events[index] = events.length;
    bodies.regions[index] = regionFuel.length;
    bodies.sites[index] = sites.length;
    bodies.arms[index] = arms.length;
    bodies.loops[index] = loopRegion.length;
    bodies.movedGlobals[index] = movedGlobals.length;
  }

  /**
   * What V8's compilers do for a body: at each place where control parts or meets they go through all locals and
   * operands. A function of 50 KB can take them gigabytes, and V8 ends the process when it runs out of memory.
   */
  private weigh(locals: number, start: number, end: number): void {
    const { facts, flow } = this;
    const { bodyWork, compileWork } = this.input.limits;
    const work = end - start + (locals + flow.heightMax) * flow.controls + Math.round(flow.moves);
    facts.compileWork += work;
    if (work > bodyWork) throw tooMuchWork("a function", start, work, bodyWork);
    if (facts.compileWork > compileWork) throw tooMuchWork("a module", start, facts.compileWork, compileWork);
  }

  /** The one pass over the operators of a body. The `switch` has what is most frequent, most frequent first. */
  private operators(start: number, end: number): void {
    const { bytes, flow } = this;
    let p = start;
    while (p < end) {
      p = this.simpleRun(p, end);
      if (p >= end) break;
      const at = p;
      let op = bytes[p++] as number;
      let kind = kindOf[op] as number;
      if (kind === Kind.prefix) {
        op = this.prefixed(at, p);
        kind = kindOf[op] as number;
        p = skipNumber(bytes, p);
      }
      this.count(op, at);
      switch (kind) {
        case Kind.end:
          flow.end(at, p);
          if (flow.top >= 0) break;
          if (p !== end) throw trailing(p, end);
          return;
        case Kind.call: {
          const callee = readIndex(bytes, p);
          p = skipNumber(bytes, p);
          this.calls.direct(at, p, callee);
          break;
        }
        case Kind.branchOn: {
          const label = readIndex(bytes, p);
          p = skipNumber(bytes, p);
          flow.branchOn(at, label, p);
          break;
        }
        case Kind.if:
        case Kind.block:
        case Kind.loop:
          p = flow.openBlock(kind, at, p);
          break;
        case Kind.br:
          flow.branch(at, readIndex(bytes, p), true);
          p = skipNumber(bytes, p);
          break;
        default:
          p = kind <= lastSimple ? this.simple(op, kind, at, p) : this.rare.read(op, kind, at, p, end);
      }
    }
    throw wasmErrors["unexpected-end"]({ offset: end, what: "a function body" });
  }

  /** Index of the operator whose number stands at `p`, behind the prefix at `at`. */
  private prefixed(at: number, p: number): number {
    const page = (this.bytes[at] as number) - firstPrefix;
    const number = readIndex(this.bytes, p);
    const op = (prefixPages[page] as number) + number;
    if (number >= (prefixPageSizes[page] as number) || kindOf[op] === Kind.unknown) {
      throw unknownOpcode(at, firstPrefix + page, number);
    }
    if (page === vectorPage) this.flow.usesVectors = true;
    return op;
  }

  private count(op: number, at: number): void {
    const { facts, flow } = this;
    facts.seen[op] = 1;
    if (flow.region < 0) return;
    const cost = fuelOf[op] as number;
    facts.regionFuel.add(flow.region, cost);
    flow.fuel += cost;
    flow.push(heightOf[op] as number);
    if (++flow.sinceCheck <= checkEvery) return;
    flow.noteEvent(Event.checkpoint, at, 0, 0);
    flow.sinceCheck = 0;
  }

  private simple(op: number, kind: number, at: number, p: number): number {
    if (kind === Kind.unknown) throw unknownOpcode(at, op);
    return this.skipSimple(p, kind);
  }

  /**
   * Reads operators up to the first that is not simple, and returns its offset. Counts in locals, which is what
   * makes the rewriter fast: four operators of five are read here.
   */
  private simpleRun(start: number, end: number): number {
    const { bytes, flow } = this;
    const { seen } = this.facts;
    let p = start;
    let last = start;
    let fuel = 0;
    let height = flow.height;
    let heightMax = flow.heightMax;
    let left = checkEvery - flow.sinceCheck;
    const leftBefore = left;
    while (p < end && left > 0) {
      const op = bytes[p] as number;
      const trait = traitsOf[op] as number;
      const kind = trait & 0xff;
      if (kind > lastSimple || kind === Kind.unknown) break;
      last = p;
      left--;
      seen[op] = 1;
      fuel += (trait >> 8) & 1;
      height += trait >> 16;
      if (height > heightMax) heightMax = height;
      p++;
      if (kind === Kind.plain) continue;
      if (kind === Kind.number) {
        if ((bytes[p++] as number) >= 0x80) p = skipNumber(bytes, p);
      } else if (kind === Kind.memarg) {
        // Alignment and offset of one byte each, the first memory: nearly always.
        if ((bytes[p] as number) < 0x40 && (bytes[p + 1] as number) < 0x80) p += 2;
        else p = skipMemArg(bytes, p);
      } else p = this.skipSimple(p, kind);
    }
    if (left < leftBefore) this.lengths.noteOperator(last, p);
    if (flow.region < 0) return p;
    this.facts.regionFuel.add(flow.region, fuel);
    flow.fuel += fuel;
    flow.height = height;
    flow.heightMax = heightMax;
    flow.sinceCheck += leftBefore - left;
    return p;
  }

  /** The offset behind the immediates of an operator of the simple kinds. */
  private skipSimple(p: number, kind: number): number {
    const { bytes, flow } = this;
    switch (kind) {
      case Kind.number:
        return skipNumber(bytes, p);
      case Kind.global: {
        const index = readIndex(bytes, p);
        flow.check(p, "global", index, this.globalCount);
        if (index >= this.input.firstMovedGlobal) this.facts.movedGlobals.push(p);
        return skipNumber(bytes, p);
      }
      case Kind.twoIndices:
        return skipNumber(bytes, skipNumber(bytes, p));
      case Kind.memarg:
        return skipMemArg(bytes, p);
      case Kind.memargLane:
        return skipMemArg(bytes, p) + 1;
      case Kind.bytes1:
        return p + 1;
      case Kind.bytes4:
        return p + 4;
      case Kind.bytes8:
        return p + 8;
      case Kind.bytes16:
        return p + 16;
      case Kind.select:
        return skipType(bytes, skipNumber(bytes, p));
      default:
        return p;
    }
  }
}

function tooMuchWork(what: string, offset: number, found: number, max: number) {
  return wasmErrors.limit({ offset, what: `units of work to compile ${what}`, found, max });
}

function trailing(offset: number, end: number) {
  return wasmErrors.malformed({
    offset,
    what: "a function body",
    found: `${end - offset} more bytes`,
    allowed: "nothing behind its end",
  });
}

// The page of SIMD among the prefixes.
const vectorPage = 2;
