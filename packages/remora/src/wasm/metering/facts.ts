/**
 * What the analyser finds out about the bodies of a module, in flat lists; the emitter needs nothing else besides
 * the bytes. A *region* is a set of operators that run equally often and are charged together, at the place of
 * the first. An *event* is a place in a body where the emitter may have to insert or change something.
 */

import { IntList } from "./int-list.ts";

/** Bytes of bodies that are read, or written, in one step: a millisecond's work. No body is divided. */
export const stepBytes = 32 * 1_024;

/** Four numbers an event: kind, offset of the operator, and two that depend on the kind. */
export const eventSize = 4;

export const Event = {
  /** a: region charged here. */
  charge: 0,
  /** Too many operators since the last check: check here. */
  checkpoint: 1,
  /** a: offset behind the block type, b: loop. Charges the loop's header region. */
  loop: 2,
  /** `if` or `else`: the counter must be valid. */
  arm: 3,
  /**
   * The end of a block that something branches to, of an `if`, or of the body (b: 1). a: 1 if the code before it
   * falls through.
   */
  join: 4,
  /** The end of a loop. a: loop, b: 1 if it falls through. */
  loopEnd: 5,
  /** `br`, `br_if`, `br_on_…`. a: the innermost loop that it leaves, or -1; b: 1 when nothing falls through. */
  branch: 6,
  /** The same for `br_table`: a: the innermost loop, or -1; b: the largest label that stays in that loop. */
  branchTable: 7,
  /** a: number of blocks around it, b: innermost loop or -1. */
  return: 8,
  /** A direct call. a: function, b: offset behind it. */
  call: 9,
  /** A call through a table or a reference. b: offset behind it. */
  indirectCall: 10,
  /** A tail call. a: function or -1. */
  tailCall: 11,
  /** `throw`, `throw_ref`, `rethrow`. */
  throw: 12,
  /** Nothing falls through here: `unreachable`. */
  dead: 13,
  /** An operator to be replaced by a call. a: helper, b: offset behind it. */
  replaced: 14,
  /** An operator whose length, on top of the stack, is charged first. */
  length: 15,
  /** The beginning of a handler: behind `catch`, `catch_all`, or a label that a `try_table` catches to. */
  handler: 16,
  /** A branch in dead code that leaves a loop; only its label may change. a and b as for `branchTable`. */
  deadBranch: 17,
} as const;

/**
 * Facts of the bodies, one array a fact: as objects the tens of thousands of bodies of a module would be most of what the
 * garbage collector has to look at. A list has what belongs to a body from its entry on up to the entry of the next.
 */
export class Bodies {
  readonly count: number;
  /** Index in the function space of the first. */
  readonly firstFunction: number;
  readonly type: Int32Array;
  /** Of the first byte (locals) and behind the last, in the module. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Of the first operator. */
  readonly codeStart: Int32Array;
  readonly localGroups: Int32Array;
  /** Parameters included. */
  readonly locals: Int32Array;
  /** Stack slots of 8 bytes for its frame (metering specification 4.11). */
  readonly slots: Float64Array;
  /** Units of all operators in source order: what a body without loops costs at most. */
  readonly fuel: Float64Array;
  /** Bits of `BodyTrait`. */
  readonly traits: Uint8Array;
  readonly returns: Int32Array;
  /** Branches to the label of the function itself. */
  readonly exits: Int32Array;
  // Where its part of each list in `Facts` starts.
  readonly events: Int32Array;
  readonly regions: Int32Array;
  readonly sites: Int32Array;
  readonly arms: Int32Array;
  readonly loops: Int32Array;
  readonly movedGlobals: Int32Array;

  constructor(count: number, firstFunction: number) {
    this.count = count;
    this.firstFunction = firstFunction;
    this.type = new Int32Array(count);
    this.start = new Int32Array(count);
    this.end = new Int32Array(count);
    this.codeStart = new Int32Array(count);
    this.localGroups = new Int32Array(count);
    this.locals = new Int32Array(count);
    this.slots = new Float64Array(count);
    this.fuel = new Float64Array(count);
    this.traits = new Uint8Array(count);
    this.returns = new Int32Array(count);
    this.exits = new Int32Array(count);
    this.events = new Int32Array(count + 1);
    this.regions = new Int32Array(count + 1);
    this.sites = new Int32Array(count + 1);
    this.arms = new Int32Array(count + 1);
    this.loops = new Int32Array(count + 1);
    this.movedGlobals = new Int32Array(count + 1);
  }
}

export const BodyTrait = {
  hasLoop: 1,
  hasHandler: 2,
  /** Calls through tables or references. */
  hasIndirectCall: 4,
  /** Tail calls through tables or references. */
  hasIndirectTail: 8,
  /** Tail calls of any kind. */
  hasTail: 16,
  /** Operators whose cost depends on a length. */
  hasDynamic: 32,
  /** Whoever calls it may be left by what it throws. */
  hasThrow: 64,
} as const;

export class Facts {
  readonly events: IntList;
  readonly regionFuel: IntList;
  /** Region of the innermost loop around each region, or the entry region. */
  readonly regionHome: IntList;
  /** Call sites: function called, region, innermost loop or -1, 1 for a tail call. Four numbers each. */
  readonly sites: IntList;
  /** Where control parts in two, as at an `if`: region before, and both of which one runs. Three numbers each. */
  readonly arms: IntList;
  readonly loopRegion: IntList;
  /** Bits of `LoopFlag`. */
  readonly loopFlags: IntList;
  /** Where the event of each loop is in `events`. */
  readonly loopEvent: IntList;
  /** By loop: the region before it, and the last of its turns in `turns`, or -1. */
  readonly loopEntry: IntList;
  readonly loopTurn: IntList;
  /** What always goes back to the beginning of a loop: the region that ends so, and the loop's turn before this one, or -1. */
  readonly turns = new IntList(1 << 10);
  /** Offsets of the indices of globals that move, where the counters are imported before them. */
  readonly movedGlobals = new IntList(1 << 10);
  readonly bodies: Bodies;
  /** By function: its reference is taken, so anybody may call it. */
  readonly isReferenced: Uint8Array;
  /** By operator index: 1 when it occurs. */
  readonly seen: Uint8Array;
  usesExceptions = false;
  /** In the units of `DecodeLimits.compileWork`. */
  compileWork = 0;

  constructor(bodies: Bodies, operatorSpace: number, codeBytes: number) {
    this.bodies = bodies;
    // Measured on npm modules: some 0.13 events and 0.06 regions a byte of code.
    this.events = new IntList((codeBytes >> 1) + (codeBytes >> 3) + 1_024);
    this.regionFuel = new IntList((codeBytes >> 3) + 256);
    this.regionHome = new IntList((codeBytes >> 3) + 256);
    this.sites = new IntList((codeBytes >> 3) + 256);
    this.arms = new IntList((codeBytes >> 5) + 256);
    this.loopRegion = new IntList((codeBytes >> 5) + 256);
    this.loopFlags = new IntList((codeBytes >> 5) + 256);
    this.loopEvent = new IntList((codeBytes >> 5) + 256);
    this.loopEntry = new IntList((codeBytes >> 5) + 256);
    this.loopTurn = new IntList((codeBytes >> 5) + 256);
    this.isReferenced = new Uint8Array(bodies.firstFunction + bodies.count);
    this.seen = new Uint8Array(operatorSpace);
  }

  /** For a large module these lists are some times its size. They are empty, and not used any more. */
  release(): void {
    for (const part of Object.values(this)) if (part instanceof IntList) part.release();
  }

  /** Of two regions one is run, as often together as the one before them. */
  noteArms(before: number, one: number, other: number): void {
    this.arms.push(before);
    this.arms.push(one);
    this.arms.push(other);
  }

  /** A region that always goes back to the beginning of a loop. */
  noteTurn(loop: number, region: number): void {
    const turn = this.turns.push(region);
    this.turns.push(this.loopTurn.at(loop));
    this.loopTurn.set(loop, turn);
  }
}

export const siteSize = 4;
export const armSize = 3;

export const LoopFlag = {
  hasInnerLoop: 1,
  /** Something in it writes the counter: a call, a helper. */
  hasCall: 2,
  hasBackEdge: 4,
  /** Not all of them are in `turns`: something goes back on a condition, or by a handler. */
  hasOtherEdge: 32,
  /** A `try_table` catches to its label. */
  isHandler: 8,
  takesParameters: 16,
} as const;
