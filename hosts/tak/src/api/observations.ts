/** What is seen of plugins while they run and that their accounts do not have: since when, and the last failures. */

import type { Manager, ManagerEvent } from "remora/manager";

/** Limits of a call: the guest was stopped, and did not fail by itself. */
const timeouts: ReadonlySet<string> = new Set(["engine/out-of-fuel", "engine/deadline"]);

interface Seen {
  startedAtMs: number | undefined;
  timeouts: number;
  lastTrapAtMs: number;
  lastError: string | undefined;
}

export class Observations {
  readonly #manager: Manager;
  readonly #nowMs: () => number;
  readonly #seen = new Map<string, Seen>();
  readonly #stop: () => void;

  constructor(manager: Manager, nowMs: () => number) {
    this.#manager = manager;
    this.#nowMs = nowMs;
    for (const { name, state } of manager.list()) {
      if (state === "running") this.#of(name).startedAtMs = nowMs();
    }
    this.#stop = manager.listen((event) => this.#note(event));
  }

  /** Since when its version runs, milliseconds since 1970; undefined when none does. */
  startedAtMs(name: string): number | undefined {
    return this.#seen.get(name)?.startedAtMs;
  }

  timeouts(name: string): number {
    return this.#seen.get(name)?.timeouts ?? 0;
  }

  lastError(name: string): string | undefined {
    return this.#seen.get(name)?.lastError;
  }

  /** Whether a call failed within so many milliseconds. */
  hasFailedWithin(name: string, ms: number): boolean {
    return this.#nowMs() - (this.#seen.get(name)?.lastTrapAtMs ?? Number.NEGATIVE_INFINITY) <= ms;
  }

  close(): void {
    this.#stop();
  }

  #note(event: ManagerEvent): void {
    // Names are those of installed plugins; what is removed is forgotten.
    if (event.kind === "changed" && event.operation === "remove") {
      this.#seen.delete(event.plugin);
      return;
    }
    if (!this.#manager.has(event.plugin)) return;
    const seen = this.#of(event.plugin);
    switch (event.kind) {
      case "state":
        if (event.to === "running") seen.startedAtMs = event.atMs;
        else if (event.from === "running") seen.startedAtMs = undefined;
        break;
      case "trap":
        seen.lastTrapAtMs = event.atMs;
        seen.lastError = event.reason;
        if (timeouts.has(event.code)) seen.timeouts++;
        break;
      default:
    }
  }

  #of(name: string): Seen {
    let seen = this.#seen.get(name);
    if (seen === undefined) {
      seen = {
        startedAtMs: undefined,
        timeouts: 0,
        lastTrapAtMs: Number.NEGATIVE_INFINITY,
        lastError: undefined,
      };
      this.#seen.set(name, seen);
    }
    return seen;
  }
}
