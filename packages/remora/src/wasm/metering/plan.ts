/**
 * Decides what each body gets, from the facts of all: who checks on entry, whose constant cost its callers pay,
 * where the counter lives, which loops are split. Metering specification 4.4 to 4.7 and 4.11.
 */

import { type CallOrder, orderCalls } from "./call-graph.ts";
import type { MeterMode } from "./contract.ts";
import { checkEvery } from "./control-flow.ts";
import {
  armSize,
  type Bodies,
  BodyTrait,
  Event,
  eventSize,
  type Facts,
  LoopFlag,
  siteSize,
} from "./facts.ts";
import { stackSlots } from "./stack-slots.ts";

/** Mostly one array a decision, by body; see `Bodies`. */
export interface Plan {
  /** By function: calling it leaves the counter as it is. A body that is, is copied: its callers pay its constant cost. */
  readonly isUncounted: Uint8Array;
  readonly checksEntry: Uint8Array;
  /** Its callers, all of them known, charge what its entry costs together with the call. */
  readonly isEntryPaid: Uint8Array;
  /** The counter is kept in a local and written to the global around calls; else it stays in the global. */
  readonly isLocal: Uint8Array;
  /** Stack slots that it takes on entry and gives back, or 0. */
  readonly stackSlots: Int32Array;
  /**
   * By loop: how many labels are between its body and what is around it when it is put into other blocks, so that the slow
   * path is outside of it; 0 for a loop that stays as it is. See `loop-code.ts`.
   */
  readonly labelsAdded: Uint8Array;
  /** What a checkpoint charges: nothing where every operator is charged in its region. */
  readonly checkpointFuel: number;
  /** Whether any body counts stack slots. */
  readonly hasStack: boolean;
  /** Stack slots of the longest chain of frames that do not count themselves. */
  readonly stackSlotsUncounted: number;
}

export interface PlanInput {
  readonly facts: Facts;
  /** By function: somebody outside may call it. */
  readonly isExported: Uint8Array;
  readonly mode: MeterMode;
  readonly stack: boolean;
}

/** What may run unchecked at the entry of functions, callees included (4.7). */
const uncheckedFuelMax = 2_000;
/** What a callee that does not count itself may cost: its calls, twenty of them between two checks, are not looked at. */
const calleeFuelMax = 200;
/** What a header or an entry is charged at most without exact fuel; checkpoints charge what they stand for. */
const gatheredFuelMax = 100;
/** Blocks that `loop-code.ts` puts around a loop that it splits. */
export const split = { labels: 3, labelsWithParameters: 1 } as const;

export function makePlan(input: PlanInput): Plan {
  const { facts } = input;
  const { count } = facts.bodies;
  const calls = orderCalls(facts);
  const slots = stackSlots(facts, calls);
  const planner = new Planner(input);
  planner.decideAll(calls);
  planner.placeAll();
  const { isUncounted, checksEntry, isEntryPaid, isLocal, labelsAdded } = planner;
  return {
    isUncounted,
    checksEntry,
    isEntryPaid,
    isLocal,
    stackSlots: input.stack ? slots.taken : new Int32Array(count),
    labelsAdded,
    checkpointFuel: input.mode === "deadline" ? checkEvery : 0,
    hasStack: input.stack && slots.taken.some((taken) => taken > 0),
    stackSlotsUncounted: slots.uncounted,
  };
}

class Planner {
  readonly isUncounted: Uint8Array;
  readonly checksEntry: Uint8Array;
  readonly isEntryPaid: Uint8Array;
  readonly isLocal: Uint8Array;
  /** Units that an unchecked function and its unchecked callees run at most; 0 when it checks. */
  private readonly uncheckedFuel: Float64Array;
  readonly labelsAdded: Uint8Array;
  private readonly input: PlanInput;
  /** Every operator is charged where it runs. */
  private readonly isExact: boolean;
  private readonly facts: Facts;
  private readonly bodies: Bodies;
  private readonly sites: Int32Array;
  private readonly regionFuel: Int32Array;

  constructor(input: PlanInput) {
    const { facts } = input;
    const { count, firstFunction } = facts.bodies;
    this.input = input;
    this.isExact = input.mode === "fuel";
    this.facts = facts;
    this.bodies = facts.bodies;
    // The lists themselves: much of planning runs before V8 has inlined `at`.
    this.sites = facts.sites.data;
    this.regionFuel = facts.regionFuel.data;
    this.isUncounted = new Uint8Array(firstFunction + count);
    this.checksEntry = new Uint8Array(count);
    this.isEntryPaid = new Uint8Array(count);
    this.isLocal = new Uint8Array(count);
    this.uncheckedFuel = new Float64Array(count);
    this.labelsAdded = new Uint8Array(facts.loopFlags.length);
  }

  /** Callees before callers, so that what a call costs is known. */
  decideAll({ order, isHead }: CallOrder): void {
    for (let at = 0; at < this.bodies.count; at++) {
      const index = order[at] as number; // `order` has each index once
      this.decide(index, isHead[index] === 1);
    }
  }

  /** Where the counter of each body is, and which of its loops are split: everything else is decided. */
  placeAll(): void {
    for (let index = 0; index < this.bodies.count; index++) {
      this.splitLoops(index);
      if (this.isLocalCheaper(index)) this.isLocal[index] = 1;
    }
  }

  /** Who pays for a body, and whether it checks: all that it calls was decided before, heads excepted. */
  private decide(index: number, isHead: boolean): void {
    const { bodies, facts, input } = this;
    const func = bodies.firstFunction + index;
    const fuel = (bodies.fuel[index] as number) + this.chargeCallees(index);
    if (this.isExact) {
      shareArms(facts, index);
      payTurnsAhead(facts, index);
    } else gatherAtHeaders(facts, index);
    const entryFuel = this.regionFuel[bodies.regions[index] as number] as number;
    const isOpen = input.isExported[func] === 1 || facts.isReferenced[func] === 1;
    if (!isHead && this.canCallersPay(index, isOpen, fuel)) {
      this.isUncounted[func] = 1;
      this.uncheckedFuel[index] = this.isExact ? entryFuel : fuel;
      return;
    }
    const isForced = this.isExact ? isOpen : this.callsOut(index);
    const checks = isForced || isHead || fuel > uncheckedFuelMax;
    this.checksEntry[index] = checks ? 1 : 0;
    // Estimates are cut off in each region, so that callers would pay nothing for the callees of a callee.
    const canBePaid = this.isExact || !checks;
    this.isEntryPaid[index] = entryFuel <= calleeFuelMax && !isOpen && !isHead && canBePaid ? 1 : 0;
    this.uncheckedFuel[index] = checks ? 0 : fuel;
  }

  /**
   * The caller's region charges what the entries of functions cost that leave it to their callers. Returns what callees
   * run unchecked.
   */
  private chargeCallees(index: number): number {
    const { bodies, sites, regionFuel } = this;
    const end = bodies.sites[index + 1] as number;
    let unchecked = 0;
    for (let at = bodies.sites[index] as number; at < end; at += siteSize) {
      const func = sites[at] as number;
      const callee = func - bodies.firstFunction;
      if (callee < 0) continue;
      unchecked += this.uncheckedFuel[callee] as number;
      if (this.isUncounted[func] === 0 && this.isEntryPaid[callee] === 0) continue;
      const region = sites[at + 1] as number;
      const entryFuel = regionFuel[bodies.regions[callee] as number] as number;
      regionFuel[region] = (regionFuel[region] as number) + entryFuel;
    }
    return unchecked;
  }

  /** Somebody whom it calls may come back to it in a circle that no body shows. */
  private callsOut(index: number): boolean {
    const { bodies, sites } = this;
    if (((bodies.traits[index] as number) & indirect) !== 0) return true;
    const sitesEnd = bodies.sites[index + 1] as number;
    for (let at = bodies.sites[index] as number; at < sitesEnd; at += siteSize) {
      if ((sites[at] as number) < bodies.firstFunction) return true;
    }
    return false;
  }

  /** `fuel` is what it runs at most, with all that it calls. */
  private canCallersPay(index: number, isOpen: boolean, fuel: number): boolean {
    const { bodies, sites, regionFuel } = this;
    if (((bodies.traits[index] as number) & (indirect | variable)) !== 0) return false;
    // Estimates say nothing about how long it takes.
    if (this.isExact ? isOpen : fuel > uncheckedFuelMax) return false;
    const sitesEnd = bodies.sites[index + 1] as number;
    for (let at = bodies.sites[index] as number; at < sitesEnd; at += siteSize) {
      if (this.isUncounted[sites[at] as number] === 0) return false;
    }
    if (this.hasCheckpoint(index)) return false;
    const first = bodies.regions[index] as number;
    const regionsEnd = bodies.regions[index + 1] as number;
    for (let region = first + 1; region < regionsEnd; region++) if (regionFuel[region] !== 0) return false;
    return (regionFuel[first] as number) <= calleeFuelMax;
  }

  private hasCheckpoint(index: number): boolean {
    const { bodies } = this;
    const { data: events } = this.facts.events;
    const end = bodies.events[index + 1] as number;
    for (let at = bodies.events[index] as number; at < end; at += eventSize) {
      if (events[at] === Event.checkpoint) return true;
    }
    return false;
  }

  private splitLoops(index: number): void {
    const { bodies, sites } = this;
    const { data: loopFlags } = this.facts.loopFlags;
    const traits = bodies.traits[index] as number;
    if ((traits & BodyTrait.hasHandler) !== 0 || (traits & BodyTrait.hasLoop) === 0) return;
    const sitesEnd = bodies.sites[index + 1] as number;
    for (let at = bodies.sites[index] as number; at < sitesEnd; at += siteSize) {
      const loop = sites[at + 2] as number;
      if (loop < 0 || this.isUncounted[sites[at] as number] === 1) continue;
      loopFlags[loop] = (loopFlags[loop] as number) | LoopFlag.hasCall;
    }
    const loopsEnd = bodies.loops[index + 1] as number;
    for (let loop = bodies.loops[index] as number; loop < loopsEnd; loop++) {
      const flags = loopFlags[loop] as number;
      if ((flags & (LoopFlag.hasCall | LoopFlag.hasInnerLoop)) !== 0 || (flags & LoopFlag.hasBackEdge) === 0)
        continue;
      this.labelsAdded[loop] =
        (flags & LoopFlag.takesParameters) === 0 ? split.labels : split.labelsWithParameters;
    }
  }

  /** 4.5: with handlers a local would be stale; without loops whichever form is fewer bytes. */
  private isLocalCheaper(index: number): boolean {
    const { bodies, regionFuel } = this;
    const { data: events } = this.facts.events;
    const traits = bodies.traits[index] as number;
    if ((traits & BodyTrait.hasHandler) !== 0) return false;
    if ((traits & BodyTrait.hasLoop) !== 0) return true;
    let charges = 1;
    let calls = 0;
    const end = bodies.events[index + 1] as number;
    for (let at = bodies.events[index] as number; at < end; at += eventSize) {
      const kind = events[at] as number;
      const first = events[at + 2] as number;
      if (kind === Event.charge) charges += (regionFuel[first] as number) > 0 ? 1 : 0;
      else if (kind === Event.checkpoint) charges++;
      else if (kind === Event.call) calls += this.isUncounted[first] === 1 ? 0 : 1;
      else if (kind >= Event.indirectCall && kind <= Event.length && kind !== Event.dead) calls++;
    }
    return 7 * (charges - 1) > 8 * calls + 6;
  }
}

const indirect = BodyTrait.hasIndirectCall | BodyTrait.hasIndirectTail;
/**
 * What makes the cost of a body depend on more than that it is called; and what leaves its callers in the middle, whose
 * counters must then be where the handler looks for them.
 */
const variable = BodyTrait.hasLoop | BodyTrait.hasDynamic | BodyTrait.hasHandler | BodyTrait.hasThrow;

/** 4.4: of both arms of an `if` one is run, so the cheaper one's units are charged before it. */
function shareArms({ bodies, arms, regionFuel }: Facts, index: number): void {
  const armsEnd = bodies.arms[index + 1] as number;
  for (let at = bodies.arms[index] as number; at < armsEnd; at += armSize) {
    const before = arms.at(at);
    const first = arms.at(at + 1);
    const second = arms.at(at + 2);
    const shared = Math.min(regionFuel.at(first), regionFuel.at(second));
    regionFuel.add(before, shared);
    regionFuel.add(first, -shared);
    regionFuel.add(second, -shared);
  }
}

/**
 * 4.4: what a loop's header costs is charged together with what comes before it: the code in front of the loop and
 * whatever always goes back to it. Then a turn charges once less. Inner loops first: their headers are paid for in outer ones.
 */
function payTurnsAhead(
  { bodies, regionFuel, loopFlags, loopRegion, loopEntry, loopTurn, turns }: Facts,
  index: number,
): void {
  const first = bodies.loops[index] as number;
  for (let loop = (bodies.loops[index + 1] as number) - 1; loop >= first; loop--) {
    if ((loopFlags.at(loop) & (LoopFlag.hasBackEdge | LoopFlag.hasOtherEdge)) !== LoopFlag.hasBackEdge)
      continue;
    const header = loopRegion.at(loop);
    const fuel = regionFuel.at(header);
    regionFuel.set(header, 0);
    regionFuel.add(loopEntry.at(loop), fuel);
    for (let turn = loopTurn.at(loop); turn >= 0; turn = turns.at(turn + 1))
      regionFuel.add(turns.at(turn), fuel);
  }
}

/**
 * Without exact fuel all of a loop's operators are charged at its header, those of no loop at the entry; but not
 * more than a plausible turn runs: an interpreter's loop has thousands, of which one turn runs a few.
 */
function gatherAtHeaders({ bodies, regionFuel, regionHome }: Facts, index: number): void {
  const first = bodies.regions[index] as number;
  const regionsEnd = bodies.regions[index + 1] as number;
  for (let region = first; region < regionsEnd; region++) {
    const home = regionHome.at(region);
    if (home === region) continue;
    regionFuel.add(home, regionFuel.at(region));
    regionFuel.set(region, 0);
  }
  for (let region = first; region < regionsEnd; region++) {
    if (regionFuel.at(region) > gatheredFuelMax) regionFuel.set(region, gatheredFuelMax);
  }
}
