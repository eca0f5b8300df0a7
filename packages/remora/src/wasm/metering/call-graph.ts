/**
 * Who calls whom directly: a set of functions such that every cycle of calls goes through one of them, and an order
 * with callees before callers. Both come from one depth-first walk: its back edges are what closes cycles.
 */

import { type Facts, siteSize } from "./facts.ts";

export interface CallOrder {
  /** By body: 1 for the functions that head a cycle. Without them there is none. */
  readonly isHead: Uint8Array;
  /** Every body once; whatever it calls comes first, heads excepted. */
  readonly order: Int32Array;
}

const State = { unseen: 0, onPath: 1, done: 2 } as const;

/** Tail calls count as calls. The walk has a stack of its own, since the guest controls the depth. */
export function orderCalls(facts: Facts): CallOrder {
  const { count } = facts.bodies;
  const calls = { isHead: new Uint8Array(count), order: new Int32Array(count) };
  walk(facts, calls);
  return calls;
}

function walk({ bodies, sites: { data: sites } }: Facts, { isHead, order }: CallOrder): void {
  const { count, firstFunction } = bodies;
  const states = new Uint8Array(count);
  const nextSite = bodies.sites.slice();
  const path = new Int32Array(count);
  let ordered = 0;
  for (let root = 0; root < count; root++) {
    if (states[root] !== State.unseen) continue;
    states[root] = State.onPath;
    path[0] = root;
    let depth = 0;
    while (depth >= 0) {
      const node = path[depth] as number; // filled up to `depth`
      const site = nextSite[node] as number; // `node` is a body by its index
      if (site === bodies.sites[node + 1]) {
        states[node] = State.done;
        order[ordered++] = node;
        depth--;
        continue;
      }
      nextSite[node] = site + siteSize;
      const callee = (sites[site] as number) - firstFunction;
      if (callee < 0) continue;
      if (states[callee] === State.unseen) {
        states[callee] = State.onPath;
        path[++depth] = callee;
      } else if (states[callee] === State.onPath) isHead[callee] = 1;
    }
  }
}
