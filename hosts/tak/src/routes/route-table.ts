/**
 * Which destinations a message goes to. Routes are tried by priority, the higher first, and as written where
 * priorities are equal: either all of them, or only as far as the first that matches.
 */

import { isRemoraError } from "remora/base";
import type { CotMessage } from "../cot/message.ts";
import { compileFilter, type Predicate } from "../filters/compile.ts";
import type { FilterSpec } from "../filters/spec.ts";

export interface Route {
  readonly id: string;
  readonly description: string;
  readonly filter: FilterSpec;
  /** Ids of listeners and servers. */
  readonly destinations: readonly string[];
  /** The higher is tried first. */
  readonly priority: number;
  readonly enabled: boolean;
}

export interface Routing {
  readonly strategy: "all" | "first_match";
  /** Where a message goes that no route matches; without it, nowhere. */
  readonly defaultDestination: string | undefined;
  readonly routes: readonly Route[];
}

export interface RouteCounts {
  readonly id: string;
  readonly matched: number;
  /** The filter could not be evaluated, which counts as no match. */
  readonly failed: number;
}

interface CompiledRoute {
  readonly id: string;
  readonly matches: Predicate;
  readonly destinations: Uint32Array;
  matched: number;
  failed: number;
}

export class RouteTable {
  readonly #routes: readonly CompiledRoute[];
  readonly #isFirstMatch: boolean;
  readonly #names: readonly string[];
  readonly #default: number;
  /** The number of the last message that a destination was chosen for: marks without clearing. */
  readonly #chosenFor: Float64Array;
  readonly #chosen: string[] = [];
  #messages = 0;
  #unrouted = 0;

  /** @throws tak/filter-pattern and tak/filter-range as `compileFilter` */
  constructor(routing: Routing) {
    const names: string[] = [];
    const indexOf = (name: string) => {
      if (!names.includes(name)) names.push(name);
      return names.indexOf(name);
    };
    this.#routes = routing.routes
      .filter((route) => route.enabled)
      .toSorted((a, b) => b.priority - a.priority)
      .map(({ id, filter, destinations }) => ({
        id,
        matches: compileFilter(filter),
        destinations: Uint32Array.from(destinations, indexOf),
        matched: 0,
        failed: 0,
      }));
    this.#default = routing.defaultDestination === undefined ? -1 : indexOf(routing.defaultDestination);
    this.#isFirstMatch = routing.strategy === "first_match";
    this.#names = names;
    this.#chosenFor = new Float64Array(names.length);
  }

  /** Messages that no route matched and that have no default destination. */
  get unrouted(): number {
    return this.#unrouted;
  }

  counts(): RouteCounts[] {
    return this.#routes.map(({ id, matched, failed }) => ({ id, matched, failed }));
  }

  /** The message's destinations, each once. The array is used again by the next call. */
  route(message: CotMessage): readonly string[] {
    this.#chosen.length = 0;
    this.#messages++;
    for (const route of this.#routes) {
      if (!matches(route, message)) continue;
      route.matched++;
      for (const destination of route.destinations) this.#choose(destination);
      if (this.#isFirstMatch) break;
    }
    if (this.#chosen.length === 0) {
      if (this.#default >= 0) this.#choose(this.#default);
      else this.#unrouted++;
    }
    return this.#chosen;
  }

  #choose(destination: number): void {
    if (this.#chosenFor[destination] === this.#messages) return;
    this.#chosenFor[destination] = this.#messages;
    this.#chosen.push(this.#names[destination] ?? "");
  }
}

/** A filter that fails on one message must not keep it from the other routes. */
function matches(route: CompiledRoute, message: CotMessage): boolean {
  try {
    return route.matches(message);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    route.failed++;
    return false;
  }
}
