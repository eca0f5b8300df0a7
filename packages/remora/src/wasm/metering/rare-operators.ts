/**
 * What the analyser does with operators that stand in few places. They are apart from the frequent ones because V8
 * compiles those anew whenever it meets something in their function for the first time.
 */

import { unknownOpcode } from "../operators.ts";
import type { Calls } from "./calls.ts";
import type { ControlFlow, FlowInput } from "./control-flow.ts";
import { Event, type Facts } from "./facts.ts";
import { Handlers } from "./handlers.ts";
import type { Lengths } from "./lengths.ts";
import { Kind } from "./operator-kinds.ts";
import { readIndex, skipNumber } from "./skip.ts";
import { countAt } from "./type-counts.ts";

export class RareOperators {
  private readonly bytes: Uint8Array;
  private readonly facts: Facts;
  private readonly flow: ControlFlow;
  private readonly calls: Calls;
  private readonly lengths: Lengths;
  private readonly handlers: Handlers;
  private readonly tableCount: number;

  constructor(input: FlowInput, facts: Facts, flow: ControlFlow, calls: Calls, lengths: Lengths) {
    this.bytes = input.bytes;
    this.facts = facts;
    this.flow = flow;
    this.calls = calls;
    this.lengths = lengths;
    this.handlers = new Handlers(input, facts, flow);
    this.tableCount = input.spaces.tables.length;
  }

  /** Returns the offset behind the immediates, which start at `p`. */
  read(op: number, kind: number, at: number, p: number, end: number): number {
    const { bytes, flow, calls } = this;
    switch (kind) {
      case Kind.return:
        flow.return(at);
        return p;
      case Kind.unreachable:
        if (flow.region >= 0) flow.noteEvent(Event.dead, at, 0, 0);
        flow.region = -1;
        return p;
      case Kind.else:
        flow.else(at, p);
        return p;
      case Kind.brTable:
        return flow.branchTable(at, p, end);
      case Kind.callIndirect: {
        const table = skipNumber(bytes, p);
        flow.check(at, "table", readIndex(bytes, table), this.tableCount);
        const next = skipNumber(bytes, table);
        calls.indirect(at, next, readIndex(bytes, p));
        return next;
      }
      case Kind.callRef: {
        const next = skipNumber(bytes, p);
        calls.indirect(at, next, readIndex(bytes, p));
        return next;
      }
      case Kind.returnCall:
        calls.directTail(at, readIndex(bytes, p));
        return skipNumber(bytes, p);
      case Kind.returnCallIndirect: {
        const table = skipNumber(bytes, p);
        flow.check(at, "table", readIndex(bytes, table), this.tableCount);
        calls.indirectTail(at, readIndex(bytes, p));
        return skipNumber(bytes, table);
      }
      case Kind.returnCallRef:
        calls.indirectTail(at, readIndex(bytes, p));
        return skipNumber(bytes, p);
      case Kind.bulk:
        return this.lengths.bulk(at, p, op);
      case Kind.length:
        return this.lengths.array(at, p, op);
      case Kind.grow:
        return this.lengths.grow(at, p, op);
      case Kind.table:
        flow.check(at, "table", readIndex(bytes, p), this.tableCount);
        return skipNumber(bytes, p);
      case Kind.typeIndex:
        flow.check(at, "type", readIndex(bytes, p), flow.counts.parameters.length);
        return skipNumber(bytes, p);
      case Kind.castLabel: {
        const next = skipNumber(bytes, skipNumber(bytes, skipNumber(bytes, p + 1)));
        flow.branch(at, readIndex(bytes, p + 1), false);
        flow.openRegion(next);
        return next;
      }
      case Kind.refFunc: {
        const index = readIndex(bytes, p);
        flow.check(at, "function", index, this.facts.isReferenced.length);
        this.facts.isReferenced[index] = 1;
        return skipNumber(bytes, p);
      }
      case Kind.structNew:
        flow.push(1 - countAt(flow.counts.fields, readIndex(bytes, p)));
        return skipNumber(bytes, p);
      case Kind.arrayNewFixed: {
        const count = readIndex(bytes, skipNumber(bytes, p));
        flow.push(1 - Math.min(count, flow.height));
        return skipNumber(bytes, skipNumber(bytes, p));
      }
      default:
        return this.exception(op, kind, at, p);
    }
  }

  private exception(op: number, kind: number, at: number, p: number): number {
    const { bytes, flow, handlers } = this;
    switch (kind) {
      case Kind.try:
        return handlers.try(at, p);
      case Kind.tryTable:
        return handlers.tryTable(at, p);
      case Kind.throw:
      case Kind.rethrow:
        flow.throw(at);
        return skipNumber(bytes, p);
      case Kind.throwRef:
        flow.throw(at);
        return p;
      case Kind.catch: {
        const next = skipNumber(bytes, p);
        handlers.catch(at, next, readIndex(bytes, p));
        return next;
      }
      case Kind.catchAll:
        handlers.catch(at, p, -1);
        return p;
      case Kind.delegate: {
        const next = skipNumber(bytes, p);
        handlers.delegate(at, next, readIndex(bytes, p));
        return next;
      }
      default:
        throw unknownOpcode(at, op);
    }
  }
}
