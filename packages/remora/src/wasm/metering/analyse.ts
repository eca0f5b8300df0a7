/**
 * Reads each body once, operator by operator, and has what matters noted in `facts.ts`. Nine operators of ten are
 * only counted; those that change what runs next go to `control-flow.ts`.
 *
 * Array accesses here say `as number`: offsets are checked against the end once an operator, and a read beyond
 * the end gives a zero that ends every loop.
 */

import { ByteReader } from "../byte-reader.ts";
import { wasmErrors } from "../errors.ts";
import { skipLocals } from "../features.ts";
import { funcTypeAt } from "../index-spaces.ts";
import type { Body } from "../module.ts";
import { firstPrefix, operatorSpace, prefixPageSizes, prefixPages } from "../opcodes.ts";
import { unknownOpcode } from "../operators.ts";
import { isRefType, type StorageType } from "../sections/value-types.ts";
import { ControlFlow, checkEvery, type FlowInput } from "./control-flow.ts";
import { Event, Facts } from "./facts.ts";
import { fuelOf, heightOf, Kind, kindOf, lastSimple, traitsOf } from "./operator-kinds.ts";
import { readIndex, skipMemArg, skipNumber, skipType } from "./skip.ts";
import { frameSlots, slotsOf } from "./stack-slots.ts";

export interface AnalyseInput extends FlowInput {
  readonly bodies: readonly Body[];
  /** Told of every type of a local, for the profile. */
  seeLocalType(type: StorageType, offset: number): void;
}

export function analyse(input: AnalyseInput): Facts {
  const codeBytes = input.bodies.reduce((sum, body) => sum + body.size, 0);
  const facts = new Facts(input.spaces.functions.length, operatorSpace, codeBytes);
  const analyser = new Walker(input, facts);
  const { bodies, spaces } = input;
  for (let index = 0; index < bodies.length; index++) {
    const { offset, size } = bodies[index] as Body;
    analyser.body(spaces.imported.functions + index, offset, offset + size);
  }
  return facts;
}

class Walker {
  private readonly input: AnalyseInput;
  private readonly bytes: Uint8Array;
  private readonly facts: Facts;
  private readonly flow: ControlFlow;
  /** Of the locals that the body at hand declares. */
  private localSlots = 0;
  private readonly seeLocals = (local: StorageType, offset: number, count: number): void => {
    this.localSlots += local === "v128" ? 2 * count : count;
    if (local === "v128") this.flow.usesVectors = true;
    if (local === "v128" || isRefType(local)) this.input.seeLocalType(local, offset);
  };

  constructor(input: AnalyseInput, facts: Facts) {
    this.input = input;
    this.bytes = input.bytes;
    this.facts = facts;
    this.flow = new ControlFlow(input, facts);
  }

  body(func: number, start: number, end: number): void {
    const { facts, input, flow } = this;
    const typeIndex = input.spaces.functions[func] ?? 0;
    const type = funcTypeAt(input.spaces, typeIndex, start);
    const reader = new ByteReader(this.bytes, start, end);
    const { events, regionFuel, sites, arms, loopRegion, movedGlobals } = facts;
    const eventsStart = events.length;
    const regionsStart = regionFuel.length;
    const sitesStart = sites.length;
    const armsStart = arms.length;
    const loopsStart = loopRegion.length;
    const movedGlobalsStart = movedGlobals.length;
    flow.reset(typeIndex);
    this.localSlots = 0;
    const localGroups = readIndex(this.bytes, start);
    const declared = skipLocals(reader, input.limits, this.seeLocals);
    this.operators(reader.position, end);
    const parameterSlots = slotsOf(type.parameters);
    // A v128 on the operand stack takes two slots; which operands are v128 is not tracked.
    const slotsEach = flow.usesVectors || parameterSlots > type.parameters.length ? 2 : 1;
    this.weigh(type.parameters.length + declared, start, end);
    facts.bodies.push({
      func,
      type: typeIndex,
      start,
      end,
      codeStart: reader.position,
      localGroups,
      locals: type.parameters.length + declared,
      slots: parameterSlots + this.localSlots + slotsEach * flow.heightMax + frameSlots,
      eventsStart,
      eventsEnd: events.length,
      regionsStart,
      regionsEnd: regionFuel.length,
      sitesStart,
      sitesEnd: sites.length,
      armsStart,
      armsEnd: arms.length,
      loopsStart,
      loopsEnd: loopRegion.length,
      movedGlobalsStart,
      movedGlobalsEnd: movedGlobals.length,
      fuel: flow.fuel,
      hasLoop: flow.hasLoop,
      hasHandler: flow.hasHandler,
      hasIndirect: flow.hasIndirectCall || flow.hasIndirectTail,
      hasIndirectCall: flow.hasIndirectCall,
      hasIndirectTail: flow.hasIndirectTail,
      hasDynamic: flow.hasDynamic,
      returns: flow.returns,
      exits: flow.exits,
    });
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
    const refuse = (what: string, found: number, max: number) => {
      if (found > max) throw wasmErrors.limit({ offset: start, what, found, max });
    };
    refuse("units of work to compile a function", work, bodyWork);
    refuse("units of work to compile a module", facts.compileWork, compileWork);
  }

  /** The one pass over the operators of a body. */
  private operators(start: number, end: number): void {
    const { bytes, facts, flow } = this;
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
        const number = readIndex(bytes, p);
        op = (prefixPages[page] as number) + number;
        kind = number < (prefixPageSizes[page] as number) ? (kindOf[op] as number) : Kind.unknown;
        if (kind === Kind.unknown) throw unknownOpcode(at, firstPrefix + page, number);
        p = skipNumber(bytes, p);
        if (page === vectorPage) flow.usesVectors = true;
      }
      seen[op] = 1;
      if (flow.region >= 0) {
        const cost = fuelOf[op] as number;
        facts.regionFuel.add(flow.region, cost);
        flow.fuel += cost;
        flow.height += heightOf[op] as number;
        if (flow.height > flow.heightMax) flow.heightMax = flow.height;
        if (++flow.sinceCheck > checkEvery) {
          flow.noteEvent(Event.checkpoint, at, 0, 0);
          flow.sinceCheck = 0;
        }
      }
      if (kind <= lastSimple) {
        if (kind === Kind.unknown) throw unknownOpcode(at, op);
        p = this.skipSimple(p, kind);
        continue;
      }
      switch (kind) {
        case Kind.table:
          flow.check(at, "table", readIndex(bytes, p), flow.tableCount);
          p = skipNumber(bytes, p);
          break;
        case Kind.typeIndex:
          flow.check(at, "type", readIndex(bytes, p), flow.parameterCounts.length);
          p = skipNumber(bytes, p);
          break;
        case Kind.block:
        case Kind.loop:
        case Kind.if:
        case Kind.try:
          p = flow.openBlock(kind, at, p);
          break;
        case Kind.tryTable:
          p = flow.tryTable(at, p);
          break;
        case Kind.else:
          flow.else(at, p);
          break;
        case Kind.end:
          flow.end(at, p);
          if (flow.top < 0) {
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
          flow.branch(at, readIndex(bytes, p), true);
          p = skipNumber(bytes, p);
          break;
        case Kind.branchOn: {
          const label = readIndex(bytes, p);
          p = skipNumber(bytes, p);
          flow.branch(at, label, false);
          flow.openRegion(p);
          break;
        }
        case Kind.castLabel: {
          const label = readIndex(bytes, p + 1);
          p = skipNumber(bytes, skipNumber(bytes, skipNumber(bytes, p + 1)));
          flow.branch(at, label, false);
          flow.openRegion(p);
          break;
        }
        case Kind.brTable:
          p = flow.branchTable(at, p, end);
          break;
        case Kind.return:
          flow.return(at);
          break;
        case Kind.unreachable:
          if (flow.region >= 0) flow.noteEvent(Event.dead, at, 0, 0);
          flow.region = -1;
          break;
        case Kind.call: {
          const callee = readIndex(bytes, p);
          p = skipNumber(bytes, p);
          flow.call(at, p, callee);
          break;
        }
        case Kind.callIndirect: {
          const type = readIndex(bytes, p);
          flow.check(at, "table", readIndex(bytes, skipNumber(bytes, p)), flow.tableCount);
          p = skipNumber(bytes, skipNumber(bytes, p));
          flow.indirectCall(at, p, type);
          break;
        }
        case Kind.callRef: {
          const type = readIndex(bytes, p);
          p = skipNumber(bytes, p);
          flow.indirectCall(at, p, type);
          break;
        }
        case Kind.returnCall:
          flow.tailCall(at, readIndex(bytes, p), -1);
          p = skipNumber(bytes, p);
          break;
        case Kind.returnCallIndirect:
          flow.check(at, "type", readIndex(bytes, p), flow.parameterCounts.length);
          flow.check(at, "table", readIndex(bytes, skipNumber(bytes, p)), flow.tableCount);
          flow.tailCall(at, -1, readIndex(bytes, p));
          p = skipNumber(bytes, skipNumber(bytes, p));
          break;
        case Kind.returnCallRef:
          flow.check(at, "type", readIndex(bytes, p), flow.parameterCounts.length);
          flow.tailCall(at, -1, readIndex(bytes, p));
          p = skipNumber(bytes, p);
          break;
        case Kind.throw:
        case Kind.rethrow:
          flow.throw(at);
          p = skipNumber(bytes, p);
          break;
        case Kind.throwRef:
          flow.throw(at);
          break;
        case Kind.catch:
          flow.catch(at, skipNumber(bytes, p), readIndex(bytes, p));
          p = skipNumber(bytes, p);
          break;
        case Kind.catchAll:
          flow.catch(at, p, -1);
          break;
        case Kind.delegate:
          flow.delegate(at, readIndex(bytes, p), skipNumber(bytes, p));
          p = skipNumber(bytes, p);
          break;
        case Kind.bulk:
          p = flow.bulk(at, p, op);
          break;
        case Kind.length:
          p = flow.lengthCharged(at, p, op);
          break;
        case Kind.grow:
          p = flow.grow(at, p, op);
          break;
        case Kind.refFunc: {
          const index = readIndex(bytes, p);
          flow.check(at, "function", index, facts.isReferenced.length);
          facts.isReferenced[index] = 1;
          p = skipNumber(bytes, p);
          break;
        }
        case Kind.structNew:
          flow.push(1 - flow.countAt(flow.fieldCounts, readIndex(bytes, p)));
          p = skipNumber(bytes, p);
          break;
        case Kind.arrayNewFixed: {
          const count = readIndex(bytes, skipNumber(bytes, p));
          if (flow.region >= 0) flow.push(1 - Math.min(count, flow.height));
          p = skipNumber(bytes, skipNumber(bytes, p));
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
    const { bytes, flow } = this;
    const { seen } = this.facts;
    const traits = traitsOf;
    let p = start;
    let fuel = 0;
    let height = flow.height;
    let heightMax = flow.heightMax;
    let left = checkEvery - flow.sinceCheck;
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
        if ((bytes[p++] as number) >= 0x80) p = skipNumber(bytes, p);
        numberEnd = p;
      } else if (kind === Kind.memarg) {
        // Alignment and offset of one byte each, the first memory: nearly always.
        if ((bytes[p] as number) < 0x40 && (bytes[p + 1] as number) < 0x80) p += 2;
        else p = skipMemArg(bytes, p);
      } else p = this.skipSimple(p, kind);
    }
    flow.constantAt = numberAt;
    flow.constantEnd = numberEnd;
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
        flow.check(p, "global", index, flow.globalCount);
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

// The page of SIMD among the prefixes.
const vectorPage = 2;
