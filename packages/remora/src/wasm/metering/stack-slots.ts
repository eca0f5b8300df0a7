/**
 * Stack slots that each function has to count (metering specification 4.11). Those that head a cycle of calls and
 * those that call through tables or references count; between two frames that count there are only finitely many
 * others, and the one that counts pays for the deepest chain of them above it.
 */

import type { CallOrder } from "./call-graph.ts";
import { type BodyFacts, type Facts, siteSize } from "./facts.ts";

export interface StackSlots {
  /** By body: what its frame takes off the slots, or 0 when it does not count. */
  readonly taken: Int32Array;
  /** The deepest chain of frames that do not count, below the last that does. */
  readonly uncounted: number;
}

// A frame of more would overflow V8's stack by itself; the sum stays an exact number.
const slotsMax = 0x3fffffff;

export function stackSlots(
  facts: Facts,
  { isHead, order }: CallOrder,
  importedFunctions: number,
): StackSlots {
  const { bodies, sites } = facts;
  const taken = new Int32Array(bodies.length);
  /** Slots of the deepest chain of frames that do not count and end in a call of this function. */
  const above = new Float64Array(bodies.length);
  let uncounted = 0;
  for (let at = order.length - 1; at >= 0; at--) {
    const index = order[at] as number; // `order` has each body once
    const body = bodies[index] as BodyFacts;
    const chain = (above[index] as number) + body.slots;
    if (isHead[index] === 1 || body.hasIndirect) taken[index] = Math.min(chain, slotsMax);
    else {
      uncounted = Math.max(uncounted, chain);
      passOn(body, chain);
    }
  }
  settleHeads();
  return { taken, uncounted: Math.min(uncounted, slotsMax) };

  function passOn(body: BodyFacts, chain: number): void {
    for (let site = body.sites.start; site < body.sites.end; site += siteSize) {
      const callee = sites.at(site) - importedFunctions;
      if (callee >= 0 && (above[callee] as number) < chain) above[callee] = chain;
    }
  }

  /** Heads come before some of their callers in the order: their chains are complete only now. */
  function settleHeads(): void {
    for (const [index, body] of bodies.entries()) {
      if (taken[index] !== 0) taken[index] = Math.min((above[index] as number) + body.slots, slotsMax);
    }
  }
}
