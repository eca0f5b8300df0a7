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
import { BodyTrait, type Facts, siteSize } from "./facts.ts";

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

export function stackSlots(facts: Facts, calls: CallOrder): StackSlots {
  const { bodies } = facts;
  const counts = new Uint8Array(bodies.count);
  findCounting(facts, calls, counts);
  const taken = new Int32Array(bodies.count);
  /** Slots of the deepest chain of frames that do not count and end in a call of this function. */
  const above = new Float64Array(bodies.count);
  const uncounted = stackUp(facts, calls, counts, above);
  // Only now: heads come before some of their callers in the order.
  for (let index = 0; index < bodies.count; index++) {
    if (counts[index] === 0) continue;
    taken[index] = Math.min((above[index] as number) + (bodies.slots[index] as number), slotsMax);
  }
  return { taken, uncounted: Math.min(uncounted, slotsMax) };
}

/** Fills `above`; returns the deepest chain of all. */
function stackUp(facts: Facts, { order }: CallOrder, counts: Uint8Array, above: Float64Array): number {
  const { bodies } = facts;
  const sites = facts.sites.data;
  let uncounted = 0;
  for (let at = bodies.count - 1; at >= 0; at--) {
    const index = order[at] as number; // `order` has each body once
    if (counts[index] === 1) continue;
    const chain = (above[index] as number) + (bodies.slots[index] as number);
    if (chain > uncounted) uncounted = chain;
    const sitesEnd = bodies.sites[index + 1] as number;
    for (let site = bodies.sites[index] as number; site < sitesEnd; site += siteSize) {
      const callee = (sites[site] as number) - bodies.firstFunction;
      if (callee >= 0 && (above[callee] as number) < chain) above[callee] = chain;
    }
  }
  return uncounted;
}

/** Fills `counts`, by body: 1 for those that count. */
function findCounting(facts: Facts, { isHead, order }: CallOrder, counts: Uint8Array): void {
  const { bodies } = facts;
  const sites = facts.sites.data;
  // Heads are called by functions that come before them in the order: any tail call of theirs leaks.
  const leaks = new Uint8Array(bodies.count);
  for (let index = 0; index < bodies.count; index++) {
    if (isHead[index] === 1 && ((bodies.traits[index] as number) & BodyTrait.hasTail) !== 0) leaks[index] = 1;
  }
  // Callees before callers.
  for (let at = 0; at < bodies.count; at++) {
    const index = order[at] as number; // `order` has each body once
    const traits = bodies.traits[index] as number;
    let callsOut = (traits & BodyTrait.hasIndirectCall) !== 0;
    let leavesOut = (traits & BodyTrait.hasIndirectTail) !== 0;
    const sitesEnd = bodies.sites[index + 1] as number;
    for (let site = bodies.sites[index] as number; site < sitesEnd; site += siteSize) {
      const callee = (sites[site] as number) - bodies.firstFunction;
      // Only imports and functions that leak lead out.
      if (callee >= 0 && leaks[callee] === 0) continue;
      if (sites[site + 3] === 1) leavesOut = true;
      else callsOut = true;
    }
    const isCounting = callsOut || isHead[index] === 1;
    if (isCounting) counts[index] = 1;
    if (leavesOut || (isCounting && (traits & BodyTrait.hasTail) !== 0)) leaks[index] = 1;
  }
}
