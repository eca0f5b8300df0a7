/**
 * Stack slots that each function has to count (metering specification 4.11). Between two frames that count there are
 * only finitely many others, all of one module, and the one that counts pays for the deepest chain of them above it.
 *
 * Those functions count that head a cycle of calls, that call through tables or references, and that call an import:
 * behind it another module may call this one again, or a host function its allocator. A tail call gives back what its
 * function has paid, for the frames above it as well, which are still there. So a function that may be left in this
 * way *leaks*, and whoever calls it counts.
 */

import type { ValueType } from "../sections/value-types.ts";
import type { CallOrder } from "./call-graph.ts";
import { type BodyFacts, type Facts, siteSize } from "./facts.ts";

export interface StackSlots {
  /** By body: what its frame takes off the slots, or 0 when it does not count. */
  readonly taken: Int32Array;
  /** The deepest chain of frames that do not count, below the last that does. */
  readonly uncounted: number;
}

/** What a frame takes besides locals and operands. */
export const frameSlots = 8;

export function slotsOf(types: readonly ValueType[]): number {
  return types.reduce((slots, type) => slots + (type === "v128" ? 2 : 1), 0);
}

// A frame of more would overflow V8's stack by itself; the sum stays an exact number.
const slotsMax = 0x3fffffff;

export function stackSlots(facts: Facts, calls: CallOrder, importedFunctions: number): StackSlots {
  const { bodies } = facts;
  const sites = facts.sites.data;
  const counts = findCounting(facts, calls, importedFunctions);
  const taken = new Int32Array(bodies.length);
  /** Slots of the deepest chain of frames that do not count and end in a call of this function. */
  const above = new Float64Array(bodies.length);
  let uncounted = 0;
  for (let at = calls.order.length - 1; at >= 0; at--) {
    const index = calls.order[at] as number; // `order` has each body once
    if (counts[index] === 1) continue;
    const body = bodies[index] as BodyFacts;
    const chain = (above[index] as number) + body.slots;
    uncounted = Math.max(uncounted, chain);
    passOn(body, chain);
  }
  // Only now: heads come before some of their callers in the order.
  for (let index = 0; index < bodies.length; index++) {
    const { slots } = bodies[index] as BodyFacts;
    if (counts[index] === 1) taken[index] = Math.min((above[index] as number) + slots, slotsMax);
  }
  return { taken, uncounted: Math.min(uncounted, slotsMax) };

  function passOn(body: BodyFacts, chain: number): void {
    for (let site = body.sitesStart; site < body.sitesEnd; site += siteSize) {
      const callee = (sites[site] as number) - importedFunctions;
      if (callee >= 0 && (above[callee] as number) < chain) above[callee] = chain;
    }
  }
}

/** By body: 1 for those that count. */
function findCounting(
  { bodies, sites: { data: sites } }: Facts,
  { isHead, order }: CallOrder,
  importedFunctions: number,
): Uint8Array {
  const counts = new Uint8Array(bodies.length);
  // Heads are called by functions that come before them in the order: any tail call of theirs leaks.
  const leaks = new Uint8Array(bodies.length);
  for (let index = 0; index < bodies.length; index++) {
    if (isHead[index] === 1 && hasTail(bodies[index] as BodyFacts)) leaks[index] = 1;
  }
  // Callees before callers.
  for (const index of order) {
    const body = bodies[index] as BodyFacts; // `order` has each body once
    const isCounting = isHead[index] === 1 || body.hasIndirectCall || leadsOut(body, 0);
    if (isCounting) counts[index] = 1;
    if (body.hasIndirectTail || leadsOut(body, 1) || (isCounting && hasTail(body))) leaks[index] = 1;
  }
  return counts;

  function hasTail({ hasIndirectTail, sitesStart, sitesEnd }: BodyFacts): boolean {
    for (let site = sitesStart; site < sitesEnd; site += siteSize) if (sites[site + 3] === 1) return true;
    return hasIndirectTail;
  }

  /** Whether it calls (or tail calls, with 1) an import or a function that leaks. */
  function leadsOut({ sitesStart, sitesEnd }: BodyFacts, isTail: number): boolean {
    for (let site = sitesStart; site < sitesEnd; site += siteSize) {
      if (sites[site + 3] !== isTail) continue;
      const callee = (sites[site] as number) - importedFunctions;
      if (callee < 0 || leaks[callee] === 1) return true;
    }
    return false;
  }
}
