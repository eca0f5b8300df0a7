/**
 * Exceptions in a body, of both kinds: `try_table`, and the older `try` with `catch` and `delegate`. What leaves a frame
 * by an exception does not run behind it, and every handler gets a region of its own.
 */

import { wasmErrors } from "../errors.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { ControlFlow, FlowInput } from "./control-flow.ts";
import { BodyTrait, Event, type Facts, LoopFlag } from "./facts.ts";
import { Frame, FrameKind, frameShift } from "./frames.ts";
import { Kind } from "./operator-kinds.ts";
import { readIndex, skipNumber } from "./skip.ts";
import { countAt } from "./type-counts.ts";

export class Handlers {
  private readonly bytes: Uint8Array;
  private readonly spaces: IndexSpaces;
  private readonly facts: Facts;
  private readonly flow: ControlFlow;

  constructor(input: FlowInput, facts: Facts, flow: ControlFlow) {
    this.bytes = input.bytes;
    this.spaces = input.spaces;
    this.facts = facts;
    this.flow = flow;
  }

  /** All of these return the offset behind the immediates, which start at `p`. */
  try(at: number, p: number): number {
    return this.open(FrameKind.try, at, p);
  }

  tryTable(at: number, p: number): number {
    const { bytes, flow } = this;
    let next = this.open(FrameKind.tryTable, at, p);
    const count = readIndex(bytes, next);
    next = skipNumber(bytes, next);
    for (let index = 0; index < count; index++) {
      if (next >= bytes.length) throw wasmErrors["unexpected-end"]({ offset: next, what: "a catch clause" });
      const code = bytes[next++] as number; // checked just before
      if (code < 2) next = skipNumber(bytes, next);
      // Labels of catch clauses count from outside of the try_table.
      this.catchTo(flow.top - 1 - readIndex(bytes, next));
      next = skipNumber(bytes, next);
    }
    return next;
  }

  private open(kind: number, at: number, p: number): number {
    const { flow } = this;
    flow.traits |= BodyTrait.hasHandler;
    this.facts.usesExceptions = true;
    flow.markLoops();
    const next = flow.openBlock(Kind.block, at, p);
    flow.frames[flow.base + Frame.kind] = kind;
    return next;
  }

  private catchTo(target: number): void {
    const { flow } = this;
    if (target < 0 || flow.region < 0) return;
    const { frames } = flow;
    flow.target(target);
    const base = target << frameShift;
    frames[base + Frame.isHandler] = 1;
    if (frames[base + Frame.kind] !== FrameKind.loop) return;
    flow.flagLoop(frames[base + Frame.loop] as number, LoopFlag.isHandler);
  }

  /** `tag` is -1 for `catch_all`. */
  catch(at: number, next: number, tag: number): void {
    this.requireTry(at, "catch");
    const { flow } = this;
    const { frames, base } = flow;
    const entry = frames[base + Frame.entryRegion] as number;
    if (entry < 0) return;
    flow.noteTarget(flow.top - 1);
    flow.goToEnd();
    flow.noteEvent(Event.arm, at, flow.region >= 0 ? 1 : 0, 0);
    flow.region = entry;
    flow.sinceCheck = frames[base + Frame.sinceThrown] as number;
    flow.raise((frames[base + Frame.height] as number) + this.parametersOf(tag));
    flow.noteEvent(Event.handler, next, 0, 0);
    flow.openRegion(next);
  }

  private parametersOf(tag: number): number {
    const type = this.spaces.tags[tag];
    return type === undefined ? 0 : countAt(this.flow.counts.parameters, type);
  }

  delegate(at: number, next: number, label: number): void {
    this.requireTry(at, "delegate");
    const { flow } = this;
    // The exception goes on to the handler of an outer frame.
    if ((flow.frames[flow.base + Frame.entryRegion] as number) >= 0) {
      flow.noteTarget(Math.max(0, flow.top - 1 - label));
    }
    flow.end(at, next);
  }

  private requireTry(at: number, what: string): void {
    const { frames, base } = this.flow;
    if (frames[base + Frame.kind] === FrameKind.try) return;
    throw wasmErrors.malformed({ offset: at, what, found: "no try before it", allowed: "try" });
  }
}
