/** Calls of a body: whom it calls from which region and loop, for the plan, and where, for the emitter. */

import type { ControlFlow, FlowInput } from "./control-flow.ts";
import { BodyTrait, Event, type Facts } from "./facts.ts";
import { countAt } from "./type-counts.ts";

/** What a call counts for between two checks, in operators: its callee may run unchecked for 2,000 units (see `plan.ts`). */
const callOperators = 100;

export class Calls {
  /** Bits of `BodyTrait`. */
  traits = 0;
  private readonly input: FlowInput;
  private readonly facts: Facts;
  private readonly flow: ControlFlow;

  constructor(input: FlowInput, facts: Facts, flow: ControlFlow) {
    this.input = input;
    this.facts = facts;
    this.flow = flow;
  }

  reset(): void {
    this.traits = 0;
  }

  direct(at: number, next: number, callee: number): void {
    const { flow } = this;
    const type = this.typeOf(at, callee);
    this.noteMoves(type);
    if (flow.region < 0) return;
    this.site(callee, false);
    flow.noteEvent(Event.call, at, callee, next);
    this.arity(type, 0);
    flow.sinceCheck += callOperators;
    flow.mayThrow();
    this.after(next);
  }

  /** Through a table or a reference. */
  indirect(at: number, next: number, type: number): void {
    const { flow } = this;
    flow.check(at, "type", type, flow.counts.parameters.length);
    this.noteMoves(type);
    if (flow.region < 0) return;
    this.traits |= BodyTrait.hasIndirectCall;
    flow.markLoops();
    flow.noteEvent(Event.indirectCall, at, 0, next);
    this.arity(type, 1);
    flow.sinceCheck += callOperators;
    flow.mayThrow();
    this.after(next);
  }

  directTail(at: number, callee: number): void {
    this.noteMoves(this.typeOf(at, callee));
    if (this.flow.region < 0) return;
    this.site(callee, true);
    this.leave(at, callee);
  }

  indirectTail(at: number, type: number): void {
    const { flow } = this;
    flow.check(at, "type", type, flow.counts.parameters.length);
    this.noteMoves(type);
    if (flow.region < 0) return;
    this.traits |= BodyTrait.hasIndirectTail;
    this.leave(at, -1);
  }

  private leave(at: number, callee: number): void {
    const { flow } = this;
    this.traits |= BodyTrait.hasTail;
    flow.returns++;
    flow.markLoops();
    flow.leaveBody();
    flow.noteEvent(Event.tailCall, at, callee, 0);
    flow.region = -1;
  }

  private typeOf(at: number, callee: number): number {
    const { functions } = this.input.spaces;
    this.flow.check(at, "function", callee, functions.length);
    return functions[callee] ?? 0;
  }

  /** V8's baseline compiler takes time that grows with the square of what a call moves. */
  private noteMoves(type: number): void {
    const { parameters, results } = this.flow.counts;
    const moved = countAt(parameters, type) + countAt(results, type);
    this.flow.moves += moved + (moved * moved) / 64;
  }

  private arity(type: number, more: number): void {
    const { parameters, results } = this.flow.counts;
    this.flow.push(countAt(results, type) - countAt(parameters, type) - more);
  }

  private after(next: number): void {
    if (!this.input.isExceptionExact) return;
    this.flow.leaveBody();
    this.flow.openRegion(next);
  }

  private site(callee: number, isTail: boolean): void {
    this.facts.sites.pushFour(callee, this.flow.region, this.flow.loop, isTail ? 1 : 0);
  }
}
