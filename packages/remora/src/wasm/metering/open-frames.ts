/**
 * The frames of a body that are open, and the region that operators are charged to: the rules of the metering
 * specification, 4.4. Code behind a block is charged with the code before it when nothing inside leaves the block outward,
 * because then both run equally often.
 *
 * Array accesses here say `as number`: frames are indexed up to `top`, whose bound is checked when it grows.
 */

import { wasmErrors } from "../errors.ts";
import type { FlowInput } from "./control-flow.ts";
import { BodyTrait, Event, type Facts, LoopFlag } from "./facts.ts";
import { Frame, FrameKind, frameShift, noTarget } from "./frames.ts";
import type { IntList } from "./int-list.ts";
import { Kind } from "./operator-kinds.ts";
import { readIndex, skipNumber, skipType } from "./skip.ts";
import { countAt, type TypeCounts, typeCounts } from "./type-counts.ts";

export class OpenFrames {
  readonly counts: TypeCounts;
  protected readonly input: FlowInput;
  protected readonly bytes: Uint8Array;
  protected readonly facts: Facts;
  private readonly events: IntList;
  private readonly regionFuel: IntList;

  /** The control stack, see `frames.ts`; frame 0 is the function. */
  readonly frames: Int32Array;
  top = 0;
  /** Where the frame at `top` starts. */
  base = 0;

  /** Region that operators are charged to; -1 in unreachable code. */
  region = -1;
  /** Innermost loop, -1 outside of loops, and its frame. */
  loop = -1;
  protected loopFrame = -1;
  height = 0;
  heightMax = 0;
  /** Operators since the last check, on the longest of all ways to this place. */
  sinceCheck = 0;
  fuel = 0;
  /** Bits of `BodyTrait`. */
  traits = 0;
  usesVectors = false;
  returns = 0;
  exits = 0;
  /** Places where control parts or meets, loops twice; and what calls and blocks cost that move many values. */
  controls = 0;
  moves = 0;
  private firstRegion = 0;

  constructor(input: FlowInput, facts: Facts) {
    this.input = input;
    this.bytes = input.bytes;
    this.facts = facts;
    this.events = facts.events;
    this.regionFuel = facts.regionFuel;
    this.counts = typeCounts(input.spaces);
    this.frames = new Int32Array((input.limits.nesting + 2) << frameShift);
  }

  reset(typeIndex: number): void {
    this.top = -1;
    this.loop = -1;
    this.loopFrame = -1;
    this.height = 0;
    this.heightMax = 0;
    this.sinceCheck = 0;
    this.fuel = 1;
    this.traits = 0;
    this.usesVectors = false;
    this.returns = 0;
    this.exits = 0;
    this.controls = 0;
    this.moves = 0;
    this.firstRegion = this.regionFuel.length;
    // One unit on entering a body (4.3). The entry has no event: the emitter charges it in the prologue.
    this.region = this.addRegion(1);
    this.open(FrameKind.func, 0, 0, this.counts.results[typeIndex] as number);
  }

  /** An index beyond the end must not come to mean something that is appended. */
  check(offset: number, space: string, index: number, count: number): void {
    if (index >= count) throw wasmErrors["unknown-index"]({ offset, space, index, count });
  }

  push(values: number): void {
    if (this.region >= 0) this.raise(this.height + values);
  }

  /** The operand stack has this height now. */
  raise(height: number): void {
    this.height = height;
    if (height > this.heightMax) this.heightMax = height;
  }

  // Events and regions.

  noteEvent(kind: number, offset: number, a: number, b: number): void {
    this.events.pushFour(kind, offset, a, b);
  }

  private addRegion(fuel: number): number {
    const region = this.regionFuel.push(fuel);
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
    const { frames } = this;
    const base = this.top << frameShift;
    this.base = base;
    frames[base + Frame.kind] = kind;
    frames[base + Frame.entryRegion] = this.region;
    frames[base + Frame.target] = noTarget;
    frames[base + Frame.isTargeted] = 0;
    frames[base + Frame.isHandler] = 0;
    frames[base + Frame.armRegion] = -1;
    frames[base + Frame.forkRegion] = -1;
    frames[base + Frame.loop] = -1;
    frames[base + Frame.height] = this.height - parameters;
    frames[base + Frame.parameters] = parameters;
    frames[base + Frame.results] = results;
    frames[base + Frame.sinceBefore] = this.sinceCheck;
    frames[base + Frame.sinceAtEnd] = 0;
    frames[base + Frame.sinceThrown] = 0;
  }

  openBlock(kind: number, at: number, p: number): number {
    const code = this.bytes[p] as number;
    let parameters = 0;
    let results = code === 0x40 ? 0 : 1;
    let next = p + 1;
    if (code < 0x40 || code >= 0x80) {
      const type = readIndex(this.bytes, p);
      this.check(at, "type", type, this.counts.parameters.length);
      parameters = countAt(this.counts.parameters, type);
      results = countAt(this.counts.results, type);
      next = skipNumber(this.bytes, p);
    } else if (code !== 0x40) next = skipType(this.bytes, p);
    this.controls += kind === Kind.loop ? 2 : 1;
    this.moves += parameters + results;
    if (kind === Kind.block) this.open(FrameKind.block, at, parameters, results);
    else if (kind === Kind.if) {
      // The table leaves the height of `if` to us: it takes the condition.
      if (this.region >= 0) {
        this.height -= 1;
        this.noteEvent(Event.arm, at, 0, 0);
      }
      this.open(FrameKind.if, at, parameters, results);
      this.openRegion(next);
      this.noteFork(this.base, this.frames[this.base + Frame.entryRegion] as number);
    } else this.openLoop(at, next, parameters, results);
    return next;
  }

  private openLoop(at: number, next: number, parameters: number, results: number): void {
    this.open(FrameKind.loop, at, parameters, results);
    const { facts, frames, base } = this;
    frames[base + Frame.outerLoop] = this.loop;
    frames[base + Frame.outerLoopFrame] = this.loopFrame;
    if (this.region < 0) return;
    this.traits |= BodyTrait.hasLoop;
    if (this.loop >= 0) this.flagLoop(this.loop, LoopFlag.hasInnerLoop);
    const loop = facts.loopRegion.push(0);
    facts.loopFlags.push(parameters > 0 ? LoopFlag.takesParameters : 0);
    facts.loopEvent.push(facts.events.length);
    facts.loopEntry.push(this.region);
    facts.loopTurn.push(-1);
    frames[base + Frame.loop] = loop;
    this.loop = loop;
    this.loopFrame = this.top;
    this.sinceCheck = 0;
    const region = this.regionFuel.push(0);
    facts.regionHome.push(region);
    facts.loopRegion.set(loop, region);
    this.region = region;
    this.noteEvent(Event.loop, at, next, loop);
  }

  flagLoop(loop: number, flag: number): void {
    this.facts.loopFlags.set(loop, this.facts.loopFlags.at(loop) | flag);
  }

  /** The innermost loop has something in it that keeps it from being split. */
  markLoops(): void {
    if (this.loop >= 0) this.flagLoop(this.loop, LoopFlag.hasCall);
  }

  else(at: number, next: number): void {
    const { frames, base } = this;
    if (frames[base + Frame.kind] !== FrameKind.if) {
      throw wasmErrors.malformed({ offset: at, what: "else", found: "no if before it", allowed: "if" });
    }
    const entry = frames[base + Frame.entryRegion] as number;
    if (entry >= 0) this.noteEvent(Event.arm, at, this.region >= 0 ? 1 : 0, 0);
    this.goToEnd();
    this.sinceCheck = frames[base + Frame.sinceBefore] as number;
    frames[base + Frame.kind] = FrameKind.else;
    frames[base + Frame.forkRegion] = -1;
    this.height = (frames[base + Frame.height] as number) + (frames[base + Frame.parameters] as number);
    this.region = entry;
    if (entry < 0) return;
    this.openRegion(next);
    frames[base + Frame.elseRegion] = this.region;
  }

  end(at: number, next: number): void {
    const { top, frames, base } = this;
    const kind = frames[base + Frame.kind] as number;
    const entry = frames[base + Frame.entryRegion] as number;
    const fallsThrough = this.region >= 0;
    const isReachable =
      fallsThrough ||
      (kind !== FrameKind.loop && frames[base + Frame.isTargeted] === 1) ||
      (kind === FrameKind.if && entry >= 0);
    const targets = frames[base + Frame.target] as number;
    // Whatever catches to its end is inside.
    if (frames[base + Frame.isHandler] === 1) this.meetThrown();
    if (kind !== FrameKind.loop) this.meetAtEnd(kind === FrameKind.if, fallsThrough);
    this.raise((frames[base + Frame.height] as number) + (frames[base + Frame.results] as number));
    if (entry >= 0) this.noteEnd(kind, at, fallsThrough);
    const outer = base - (1 << frameShift);
    this.top = top - 1;
    this.base = outer;
    if (top === 0) {
      if (frames[Frame.isTargeted] === 1) this.region = entry;
      return;
    }
    if (targets < (frames[outer + Frame.target] as number)) frames[outer + Frame.target] = targets;
    const thrown = frames[base + Frame.sinceThrown] as number;
    if (thrown > (frames[outer + Frame.sinceThrown] as number)) frames[outer + Frame.sinceThrown] = thrown;
    this.region = isReachable ? entry : -1;
    if (this.region < 0) return;
    if (targets < top) {
      this.openRegion(next);
      const fork = frames[base + Frame.forkRegion] as number;
      // What is behind the frame is then the other arm.
      if (!fallsThrough && fork >= 0)
        this.facts.noteArms(fork, frames[base + Frame.armRegion] as number, this.region);
    }
    if (frames[base + Frame.isHandler] === 1 && kind !== FrameKind.loop) {
      this.noteEvent(Event.handler, next, 0, 0);
    }
  }

  /** What is here, if it is reached, goes on at the end of the innermost frame, whose next part begins. */
  goToEnd(): void {
    if (this.region < 0) return;
    this.frames[this.base + Frame.isTargeted] = 1;
    this.meet(this.base);
  }

  /** At the end of the region `before` one way goes to the end of a frame, and the one that begins here does not. */
  protected noteFork(base: number, before: number): void {
    this.frames[base + Frame.forkRegion] = before;
    this.frames[base + Frame.armRegion] = this.region;
  }

  /** One of the ways to the end of this frame is here. */
  protected meet(base: number): void {
    const at = base + Frame.sinceAtEnd;
    if (this.sinceCheck > (this.frames[at] as number)) this.frames[at] = this.sinceCheck;
  }

  /** What is here may throw: to a handler of one of the open frames. */
  mayThrow(): void {
    const at = this.base + Frame.sinceThrown;
    if (this.sinceCheck > (this.frames[at] as number)) this.frames[at] = this.sinceCheck;
  }

  private meetThrown(): void {
    const { frames, base } = this;
    const thrown = frames[base + Frame.sinceThrown] as number;
    if (thrown > (frames[base + Frame.sinceAtEnd] as number)) frames[base + Frame.sinceAtEnd] = thrown;
  }

  private meetAtEnd(hasWayAround: boolean, fallsThrough: boolean): void {
    const { frames, base } = this;
    if (fallsThrough) this.meet(base);
    this.sinceCheck = frames[base + Frame.sinceAtEnd] as number;
    const before = frames[base + Frame.sinceBefore] as number;
    if (hasWayAround && before > this.sinceCheck) this.sinceCheck = before;
  }

  private noteEnd(kind: number, at: number, fallsThrough: boolean): void {
    const { top, frames, base } = this;
    const falls = fallsThrough ? 1 : 0;
    if (kind === FrameKind.loop) {
      const loop = frames[base + Frame.loop] as number;
      this.noteEvent(Event.loopEnd, at, loop, falls);
      if (frames[base + Frame.isTargeted] === 1) this.flagLoop(loop, LoopFlag.hasBackEdge);
      this.loop = frames[base + Frame.outerLoop] as number;
      this.loopFrame = frames[base + Frame.outerLoopFrame] as number;
      return;
    }
    if (kind === FrameKind.else) {
      this.facts.noteArms(
        frames[base + Frame.entryRegion] as number,
        frames[base + Frame.armRegion] as number,
        frames[base + Frame.elseRegion] as number,
      );
    }
    const isMet = kind === FrameKind.if || kind === FrameKind.else || frames[base + Frame.isTargeted] === 1;
    if (isMet || top === 0) this.noteEvent(Event.join, at, falls, top === 0 ? 1 : 0);
  }
}
