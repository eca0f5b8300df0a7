/**
 * The life of a plugin as one table: each state, and where each event leads from it. Whatever is not in the table
 * does not happen; asking for it is our own mistake.
 *
 * ```text
 *   installed → preparing → running → draining → stopped
 *                   ↑          ↓
 *               backing-off ← broken
 * ```
 */

import { invariant } from "../../base/index.ts";

export const states = [
  "installed",
  "preparing",
  "running",
  "draining",
  "broken",
  "backing-off",
  "stopped",
] as const;
export type State = (typeof states)[number];

export const lifeEvents = [
  /** A version is to run: at the start, when it is enabled, or in place of one that failed. */
  "start",
  /** It was made, and is healthy. */
  "ready",
  /** It could not be made, or is not healthy. */
  "failed",
  /** Another version took over, or the same one anew: calls go on. */
  "swapped",
  /** The breaker opened: the guest failed too often. */
  "broke",
  /** The supervisor waits before it tries again. */
  "wait",
  /** The wait is over. */
  "retry",
  /** It is disabled, removed, or the manager closes. */
  "stop",
  /** The last call came back. */
  "drained",
] as const;
export type LifeEvent = (typeof lifeEvents)[number];

export const lifeTable: Readonly<Record<State, Partial<Readonly<Record<LifeEvent, State>>>>> = {
  installed: { start: "preparing", stop: "stopped" },
  preparing: { ready: "running", failed: "broken", swapped: "running", stop: "stopped" },
  running: { swapped: "running", broke: "broken", stop: "draining" },
  draining: { drained: "stopped" },
  broken: { wait: "backing-off", start: "preparing", swapped: "running", stop: "stopped" },
  "backing-off": { retry: "preparing", start: "preparing", swapped: "running", stop: "stopped" },
  stopped: { start: "preparing" },
};

/** A plugin's place in its life. */
export class Life {
  #state: State = "installed";
  readonly #onChange: (from: State, event: LifeEvent, to: State) => void;

  constructor(onChange: (from: State, event: LifeEvent, to: State) => void) {
    this.#onChange = onChange;
  }

  get state(): State {
    return this.#state;
  }

  /** Whether the event can happen now. */
  takes(event: LifeEvent): boolean {
    return lifeTable[this.#state][event] !== undefined;
  }

  /** Moves on. That the event can happen is the caller's to know. */
  on(event: LifeEvent): void {
    const from = this.#state;
    const to = lifeTable[from][event];
    invariant(to !== undefined, `a plugin that is ${from} takes "${event}"`);
    this.#state = to;
    this.#onChange(from, event, to);
  }
}
