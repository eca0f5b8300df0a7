/**
 * One subscription: which values of which contexts, and how often. Values that wait are kept by path, the last one
 * only, so that what a slow listener is owed is bounded by what there is and not by what happened.
 */

import type { Clock } from "../clock.ts";
import type { PathValue, StampedUpdate } from "../delta/delta.ts";
import { compilePattern, type Matches } from "./pattern.ts";
import type { PathRequest } from "./request.ts";

/** Tells the listener one value of a context. */
export type Tell = (context: string, update: StampedUpdate) => void;

interface Known {
  readonly context: string;
  update: StampedUpdate;
  /** When it was told last; undefined for never. */
  toldMs: number | undefined;
  isOwed: boolean;
}

/** Paths that one subscription keeps values of. */
const knownMax = 5_000;

export class Subscription {
  readonly context: string;
  readonly request: PathRequest;
  readonly #matchesContext: Matches;
  readonly #matchesPath: Matches;
  readonly #tell: Tell;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  /** Without a timer and without memory: the value goes straight through. */
  readonly #isDirect: boolean;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  /** @param context A pattern in which `vessels.self` was replaced already. */
  constructor(context: string, request: PathRequest, deps: { readonly tell: Tell; readonly clock: Clock }) {
    this.context = context;
    this.request = request;
    this.#matchesContext = compilePattern(context);
    this.#matchesPath = compilePattern(request.path);
    this.#tell = deps.tell;
    this.#clock = deps.clock;
    this.#isDirect = request.policy === "instant" && request.minPeriodMs === 0;
    if (!this.#isDirect && request.policy !== "instant") this.#schedulePeriod();
  }

  wants(context: string): boolean {
    return this.#matchesContext(context);
  }

  /** Takes the values of an update that it is about. The context is one that it wants. */
  offer(context: string, update: StampedUpdate): void {
    if (update.values !== undefined) this.#offerEach(context, update, "values", update.values);
    if (update.meta !== undefined) this.#offerEach(context, update, "meta", update.meta);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#known.clear();
  }

  #offerEach(
    context: string,
    { $source, timestamp }: StampedUpdate,
    kind: "values" | "meta",
    items: readonly PathValue[],
  ): void {
    for (const item of items) {
      if (!this.#matchesPath(item.path)) continue;
      const single = { $source, timestamp, [kind]: [item] };
      // What a path means is told when it changes; only values can be too many.
      if (this.#isDirect || kind === "meta") this.#tell(context, single);
      else this.#take(context, item.path, single);
    }
  }

  #take(context: string, path: string, update: StampedUpdate): void {
    const key = `${context} ${path}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      if (this.#known.size >= knownMax) return;
      known = { context, update, toldMs: undefined, isOwed: true };
      this.#known.set(key, known);
    }
    known.update = update;
    known.isOwed = true;
    if (this.request.policy === "fixed") return;
    const nowMs = this.#clock.nowMs();
    if (known.toldMs === undefined || nowMs - known.toldMs >= this.request.minPeriodMs)
      this.#tellKnown(known, nowMs);
    else if (this.request.policy === "instant")
      this.#scheduleOwed(known.toldMs + this.request.minPeriodMs - nowMs);
  }

  /** For `instant` with a smallest period: one timer, for whatever is owed when it ends. */
  #scheduleOwed(ms: number): void {
    this.#cancel ??= this.#clock.after(ms, () => {
      this.#cancel = undefined;
      const nowMs = this.#clock.nowMs();
      let nextMs = Number.POSITIVE_INFINITY;
      for (const known of this.#known.values()) {
        if (!known.isOwed) continue;
        const dueMs = (known.toldMs ?? nowMs) + this.request.minPeriodMs - nowMs;
        if (dueMs <= 0) this.#tellKnown(known, nowMs);
        else nextMs = Math.min(nextMs, dueMs);
      }
      if (nextMs !== Number.POSITIVE_INFINITY && !this.#isClosed) this.#scheduleOwed(nextMs);
    });
  }

  /** For `fixed` and `ideal`: everything once a period, for `ideal` what was not told within it. */
  #schedulePeriod(): void {
    this.#cancel = this.#clock.after(this.request.periodMs, () => {
      const nowMs = this.#clock.nowMs();
      const { policy, periodMs } = this.request;
      for (const known of this.#known.values()) {
        if (policy === "fixed" || known.isOwed || nowMs - (known.toldMs ?? 0) >= periodMs)
          this.#tellKnown(known, nowMs);
      }
      if (!this.#isClosed) this.#schedulePeriod();
    });
  }

  #tellKnown(known: Known, nowMs: number): void {
    known.toldMs = nowMs;
    known.isOwed = false;
    this.#tell(known.context, known.update);
  }
}
