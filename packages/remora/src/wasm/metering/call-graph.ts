/**
 * Who calls whom directly: a set of functions such that every cycle of calls goes through one of them, and an order
 * with callees before callers. Both come from one depth-first walk: its back edges are what closes cycles.
 */

import { type BodyFacts, type Facts, siteSize } from "./facts.ts";

export interface CallOrder {
  /** By body: 1 for the functions that head a cycle. Without them there is none. */
  readonly isHead: Uint8Array;
  /** Every body once; whatever it calls comes first, heads excepted. */
  readonly order: Int32Array;
}

const State = { unseen: 0, onPath: 1, done: 2 } as const;

/** Tail calls count as calls. The walk has a stack of its own, since the guest controls the depth. */
export function orderCalls(facts: Facts, importedFunctions: number): CallOrder {
  const { bodies } = facts;
  const sites = facts.sites.data;
  const count = bodies.length;
  const isHead = new Uint8Array(count);
  const order = new Int32Array(count);
  const states = new Uint8Array(count);
  const nextSite = new Int32Array(count);
  const path = new Int32Array(count);
  let ordered = 0;
  for (let root = 0; root < count; root++) if (states[root] === State.unseen) visit(root);
  return { isHead, order };

  function visit(root: number): void {
    let depth = -1;
    depth = enter(root, depth);
    while (depth >= 0) {
      const node = path[depth] as number; // filled up to `depth`
      const callee = nextCallee(node);
      if (callee === undefined) {
        states[node] = State.done;
        order[ordered++] = node;
        depth--;
      } else if (states[callee] === State.unseen) depth = enter(callee, depth);
      else if (states[callee] === State.onPath) isHead[callee] = 1;
    }
  }

  function enter(node: number, depth: number): number {
    states[node] = State.onPath;
    nextSite[node] = (bodies[node] as BodyFacts).sitesStart; // a body by its index
    path[depth + 1] = node;
    return depth + 1;
  }

  /** The next defined function that this one calls. */
  function nextCallee(node: number): number | undefined {
    const end = (bodies[node] as BodyFacts).sitesEnd;
    for (;;) {
      const at = nextSite[node] as number; // as long as `bodies`
      if (at >= end) return undefined;
      nextSite[node] = at + siteSize;
      const callee = (sites[at] as number) - importedFunctions;
      if (callee >= 0) return callee;
    }
  }
}
