/** Who calls whom directly: which functions are on a cycle, and an order with callees before callers. */

import { type BodyFacts, type Facts, siteSize } from "./facts.ts";

export interface Cycles {
  /** By body: 1 when it can reach itself by direct calls, tail calls included. */
  readonly isOnCycle: Uint8Array;
  /** Every body once; whatever it calls comes first, except within a cycle. */
  readonly order: Int32Array;
}

/** Tarjan's strongly connected components, with a stack of its own: the guest controls the depth. */
export function findCycles(facts: Facts, importedFunctions: number): Cycles {
  const { bodies, sites } = facts;
  const count = bodies.length;
  const isOnCycle = new Uint8Array(count);
  const order = new Int32Array(count);
  let ordered = 0;
  const numbers = new Int32Array(count); // 0: not visited
  const lows = new Int32Array(count);
  const nextSite = new Int32Array(count);
  const isPending = new Uint8Array(count);
  const pending = new Int32Array(count);
  const path = new Int32Array(count);
  let visited = 0;
  let pendingCount = 0;

  for (let root = 0; root < count; root++) if (numbers[root] === 0) visit(root);
  return { isOnCycle, order };

  function visit(root: number): void {
    let depth = 0;
    enter(root);
    path[0] = root;
    while (depth >= 0) {
      const node = path[depth] as number; // below `depth` it is filled
      const callee = followNext(node);
      if (callee === undefined) {
        leave(node);
        depth--;
        if (depth >= 0) lower(path[depth] as number, lows[node] as number);
      } else if (numbers[callee] === 0) {
        enter(callee);
        path[++depth] = callee;
      } else if (isPending[callee] === 1) lower(node, numbers[callee] as number);
    }
  }

  function enter(node: number): void {
    numbers[node] = lows[node] = ++visited;
    nextSite[node] = (bodies[node] as BodyFacts).sites.start;
    isPending[node] = 1;
    pending[pendingCount++] = node;
  }

  function followNext(node: number): number | undefined {
    const { end } = (bodies[node] as BodyFacts).sites;
    for (;;) {
      const at = nextSite[node] as number;
      if (at >= end) return undefined;
      nextSite[node] = at + siteSize;
      const callee = sites.at(at) - importedFunctions;
      if (callee === node) isOnCycle[node] = 1;
      if (callee >= 0) return callee;
    }
  }

  function lower(node: number, low: number): void {
    if (low < (lows[node] as number)) lows[node] = low;
  }

  /** All nodes pending since this one form a component, when it is the first of one. */
  function leave(node: number): void {
    if (lows[node] !== numbers[node]) return;
    const isCycle = pending[pendingCount - 1] !== node;
    for (;;) {
      const member = pending[--pendingCount] as number;
      isPending[member] = 0;
      if (isCycle) isOnCycle[member] = 1;
      order[ordered++] = member;
      if (member === node) return;
    }
  }
}
