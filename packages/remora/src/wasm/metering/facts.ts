/**
 * What the analyser finds out about the bodies of a module, in flat lists; the emitter needs nothing else besides
 * the bytes. A *region* is a set of operators that run equally often and are charged together, at the place of
 * the first. An *event* is a place in a body where the emitter may have to insert or change something.
 */

import { IntList } from "./int-list.ts";

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
 * Facts of one body: one object a body, since modules have tens of thousands. What starts and ends in pairs are ranges
 * of the lists in `Facts`.
 */
export interface BodyFacts {
  /** Index in the function space. */
  readonly func: number;
  readonly type: number;
  /** Of the first byte (locals) and behind the last, in the module. */
  readonly start: number;
  readonly end: number;
  /** Of the first operator. */
  readonly codeStart: number;
  readonly localGroups: number;
  /** Parameters included. */
  readonly locals: number;
  /** Stack slots of 8 bytes for its frame (metering specification 4.11). */
  readonly slots: number;
  readonly eventsStart: number;
  readonly eventsEnd: number;
  readonly regionsStart: number;
  readonly regionsEnd: number;
  readonly sitesStart: number;
  readonly sitesEnd: number;
  readonly armsStart: number;
  readonly armsEnd: number;
  readonly loopsStart: number;
  readonly loopsEnd: number;
  readonly movedGlobalsStart: number;
  readonly movedGlobalsEnd: number;
  /** Units of all operators in source order: what a body without loops costs at most. */
  readonly fuel: number;
  readonly hasLoop: boolean;
  readonly hasHandler: boolean;
  /** Calls through tables or references, tail calls among them. */
  readonly hasIndirect: boolean;
  /** The same without tail calls. */
  readonly hasIndirectCall: boolean;
  /** The tail calls alone. */
  readonly hasIndirectTail: boolean;
  /** Operators whose cost depends on a length. */
  readonly hasDynamic: boolean;
  readonly returns: number;
  /** Branches to the label of the function itself. */
  readonly exits: number;
}

export class Facts {
  readonly events: IntList;
  readonly regionFuel: IntList;
  /** Region of the innermost loop around each region, or the entry region. */
  readonly regionHome: IntList;
  /** Call sites: function called, region, innermost loop or -1, 1 for a tail call. Four numbers each. */
  readonly sites: IntList;
  /** Both arms of each `if`: region before, of the first arm, of the second. Three numbers each. */
  readonly arms = new IntList(1 << 10);
  readonly loopRegion = new IntList(1 << 10);
  /** Bits of `LoopFlag`. */
  readonly loopFlags = new IntList(1 << 10);
  /** Offsets of the indices of globals that move, where the counters are imported before them. */
  readonly movedGlobals = new IntList(1 << 10);
  readonly bodies: BodyFacts[] = [];
  /** By function: its reference is taken, so anybody may call it. */
  readonly isReferenced: Uint8Array;
  /** By operator index: 1 when it occurs. */
  readonly seen: Uint8Array;
  usesExceptions = false;
  /** In the units of `DecodeLimits.compileWork`. */
  compileWork = 0;

  constructor(functionCount: number, operatorSpace: number, codeBytes: number) {
    // Measured on npm modules: some 0.13 events and 0.06 regions a byte of code.
    this.events = new IntList((codeBytes >> 1) + (codeBytes >> 3) + 1_024);
    this.regionFuel = new IntList((codeBytes >> 3) + 256);
    this.regionHome = new IntList((codeBytes >> 3) + 256);
    this.sites = new IntList((codeBytes >> 3) + 256);
    this.isReferenced = new Uint8Array(functionCount);
    this.seen = new Uint8Array(operatorSpace);
  }
}

export const siteSize = 4;
export const armSize = 3;

export const LoopFlag = {
  hasInnerLoop: 1,
  /** Something in it writes the counter: a call, a helper. */
  hasCall: 2,
  hasBackEdge: 4,
  /** A `try_table` catches to its label. */
  isHandler: 8,
  takesParameters: 16,
} as const;
