/**
 * Decides what each body gets, from the facts of all: who checks on entry, whose constant cost its callers pay,
 * where the counter lives, which loops are split. Metering specification 4.4 to 4.7 and 4.11.
 */

import { orderCalls } from "./call-graph.ts";
import type { MeterMode } from "./contract.ts";
import { checkEvery } from "./control-flow.ts";
import { armSize, type BodyFacts, Event, eventSize, type Facts, LoopFlag, siteSize } from "./facts.ts";
import { stackSlots } from "./stack-slots.ts";

export interface BodyPlan {
  /** Copied as it is: its callers pay its constant cost, and nothing in it touches the counter. */
  readonly isUncounted: boolean;
  readonly checksEntry: boolean;
  /** Its callers, all of them known, charge what its entry costs together with the call. */
  readonly isEntryPaid: boolean;
  /** The counter is kept in a local and written to the global around calls; else it stays in the global. */
  readonly isLocal: boolean;
  /** Stack slots that it takes on entry and gives back, or 0. */
  readonly stackSlots: number;
}

export interface Plan {
  readonly bodies: readonly BodyPlan[];
  /**
   * By loop: how many labels are between its body and what is around it when it is put into other blocks, so that the slow
   * path is outside of it; 0 for a loop that stays as it is. See `loop-code.ts`.
   */
  readonly labelsAdded: Uint8Array;
  /** By function: calling it leaves the counter as it is. */
  readonly isUncounted: Uint8Array;
  /** By body: units that a call of it runs at most before something checks. */
  readonly uncheckedFuel: Float64Array;
  /** What a checkpoint charges: nothing where every operator is charged in its region. */
  readonly checkpointFuel: number;
  /** Stack slots of the longest chain of frames that do not count themselves. */
  readonly stackSlotsUncounted: number;
}

export interface PlanInput {
  readonly facts: Facts;
  readonly importedFunctions: number;
  /** By function: somebody outside may call it. */
  readonly isExported: Uint8Array;
  readonly mode: MeterMode;
  readonly stack: boolean;
}

/** What may run unchecked at the entry of functions, callees included (4.7). */
const uncheckedFuelMax = 2_000;
/** What a callee that does not count itself may cost; a checkpoint's 2,000 operators could all be such calls. */
const calleeFuelMax = 200;
/** What a header or an entry is charged at most without exact fuel; checkpoints charge what they stand for. */
const gatheredFuelMax = 100;
/** Blocks that `loop-code.ts` puts around a loop that it splits. */
export const split = { labels: 3, labelsWithParameters: 1 } as const;

export function makePlan(input: PlanInput): Plan {
  const { facts, importedFunctions } = input;
  const { bodies } = facts;
  // The lists themselves: much of planning runs before V8 has inlined `at`.
  const sites = facts.sites.data;
  const regionFuel = facts.regionFuel.data;
  const calls = orderCalls(facts, importedFunctions);
  const slots = stackSlots(facts, calls, importedFunctions);
  const isUncounted = new Uint8Array(importedFunctions + bodies.length);
  // Units that an unchecked function and its unchecked callees run at most; Infinity when it checks.
  const uncheckedFuel = new Float64Array(bodies.length);
  const checksEntry = new Uint8Array(bodies.length);
  const isEntryPaid = new Uint8Array(bodies.length);

  // Callees before callers, so that what a call costs is known.
  for (const index of calls.order) {
    const body = bodies[index] as BodyFacts; // `order` has each index once
    const isHead = calls.isHead[index] === 1;
    chargeCallees(body);
    if (input.mode === "deadline") gatherAtHeaders(facts, body);
    else shareArms(facts, body);
    if (canCallersPay(body, isHead)) {
      isUncounted[body.func] = 1;
      uncheckedFuel[index] = facts.regionFuel.at(body.regionsStart);
      continue;
    }
    const isReachableFromOutside = input.isExported[body.func] === 1 || facts.isReferenced[body.func] === 1;
    const isEntryCheap = facts.regionFuel.at(body.regionsStart) <= calleeFuelMax;
    isEntryPaid[index] = isEntryCheap && !isReachableFromOutside && !isHead ? 1 : 0;
    const fuel = body.fuel + calleesUnchecked(body);
    const isForced = input.mode === "fuel" ? isReachableFromOutside : body.hasIndirect;
    checksEntry[index] = isForced || isHead || fuel > uncheckedFuelMax ? 1 : 0;
    uncheckedFuel[index] = checksEntry[index] === 1 ? 0 : fuel;
  }

  const labelsAdded = new Uint8Array(facts.loopFlags.length);
  const plans = bodies.map((body, index): BodyPlan => {
    splitLoops(body);
    return {
      isUncounted: isUncounted[body.func] === 1,
      checksEntry: checksEntry[index] === 1,
      isEntryPaid: isEntryPaid[index] === 1,
      isLocal: isLocalCheaper(body),
      stackSlots: input.stack ? (slots.taken[index] ?? 0) : 0,
    };
  });
  return {
    bodies: plans,
    labelsAdded,
    isUncounted,
    uncheckedFuel,
    checkpointFuel: input.mode === "deadline" ? checkEvery : 0,
    stackSlotsUncounted: slots.uncounted,
  };

  /** The caller's region charges what the entries of functions cost that leave it to their callers. */
  function chargeCallees(body: BodyFacts): void {
    for (let at = body.sitesStart; at < body.sitesEnd; at += siteSize) {
      const callee = (sites[at] as number) - importedFunctions;
      if (callee < 0 || (isUncounted[callee + importedFunctions] === 0 && isEntryPaid[callee] === 0))
        continue;
      const { regionsStart } = bodies[callee] as BodyFacts; // a defined function
      facts.regionFuel.add(sites[at + 1] as number, regionFuel[regionsStart] as number);
    }
  }

  function canCallersPay(body: BodyFacts, isHead: boolean): boolean {
    if (isHead || body.hasIndirect || body.hasLoop || body.hasDynamic || body.hasHandler) return false;
    const isOpen = input.isExported[body.func] === 1 || facts.isReferenced[body.func] === 1;
    if (isOpen && input.mode === "fuel") return false;
    for (let at = body.sitesStart; at < body.sitesEnd; at += siteSize) {
      if (isUncounted[sites[at] as number] === 0) return false;
    }
    for (let region = body.regionsStart + 1; region < body.regionsEnd; region++) {
      if (regionFuel[region] !== 0) return false;
    }
    return (regionFuel[body.regionsStart] as number) <= calleeFuelMax;
  }

  function calleesUnchecked(body: BodyFacts): number {
    let fuel = 0;
    for (let at = body.sitesStart; at < body.sitesEnd; at += siteSize) {
      const callee = (sites[at] as number) - importedFunctions;
      if (callee >= 0) fuel += uncheckedFuel[callee] as number;
    }
    return fuel;
  }

  function splitLoops(body: BodyFacts): void {
    if (body.hasHandler) return;
    for (let at = body.sitesStart; at < body.sitesEnd; at += siteSize) {
      const loop = sites[at + 2] as number;
      if (loop >= 0 && isUncounted[sites[at] as number] === 0) flagCall(loop);
    }
    for (let loop = body.loopsStart; loop < body.loopsEnd; loop++) {
      const flags = facts.loopFlags.at(loop);
      if ((flags & (LoopFlag.hasCall | LoopFlag.hasInnerLoop)) !== 0 || (flags & LoopFlag.hasBackEdge) === 0)
        continue;
      labelsAdded[loop] =
        (flags & LoopFlag.takesParameters) === 0 ? split.labels : split.labelsWithParameters;
    }
  }

  function flagCall(loop: number): void {
    facts.loopFlags.set(loop, facts.loopFlags.at(loop) | LoopFlag.hasCall);
  }

  /** 4.5: with handlers a local would be stale; without loops whichever form is fewer bytes. */
  function isLocalCheaper(body: BodyFacts): boolean {
    if (body.hasHandler) return false;
    if (body.hasLoop) return true;
    const events = facts.events.data;
    let charges = 1;
    let calls = 0;
    for (let at = body.eventsStart; at < body.eventsEnd; at += eventSize) {
      const kind = events[at] as number;
      const first = events[at + 2] as number;
      if (kind === Event.charge) charges += (regionFuel[first] as number) > 0 ? 1 : 0;
      else if (kind === Event.checkpoint) charges++;
      else if (kind === Event.call) calls += isUncounted[first] === 1 ? 0 : 1;
      else if (kind >= Event.indirectCall && kind <= Event.length && kind !== Event.dead) calls++;
    }
    return 7 * (charges - 1) > 8 * calls + 6;
  }
}

/** 4.4: of both arms of an `if` one is run, so the cheaper one's units are charged before it. */
function shareArms(facts: Facts, body: BodyFacts): void {
  const { arms, regionFuel } = facts;
  for (let at = body.armsStart; at < body.armsEnd; at += armSize) {
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
 * Without exact fuel all of a loop's operators are charged at its header, those of no loop at the entry; but not
 * more than a plausible turn runs: an interpreter's loop has thousands, of which one turn runs a few.
 */
function gatherAtHeaders(facts: Facts, body: BodyFacts): void {
  const { regionFuel, regionHome } = facts;
  for (let region = body.regionsStart; region < body.regionsEnd; region++) {
    const home = regionHome.at(region);
    if (home === region) continue;
    regionFuel.add(home, regionFuel.at(region));
    regionFuel.set(region, 0);
  }
  for (let region = body.regionsStart; region < body.regionsEnd; region++) {
    if (regionFuel.at(region) > gatheredFuelMax) regionFuel.set(region, gatheredFuelMax);
  }
}
