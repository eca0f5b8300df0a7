/**
 * Looks after threads and processes that should have answered. A guest's own meter ends it at its deadline; this is for
 * what no meter sees, on the other side of the wall: code of V8's or ours that does not come back.
 */

import type { Link } from "./link.ts";

/**
 * After the host asked a guest to stop, or its deadline passed, before what it runs in is killed. A guest's own meter
 * takes a millisecond or two; but on a busy machine its thread may not run for some tens of them, and others share it.
 */
export const graceMs = 100;

/** The reason of an end that the host brought about since the guest was late. */
export const overdue = "it did not stop at its deadline";

const lookMs = 10;
/** So many looks at nothing before it rests. */
const idleLooksMax = 50;

export class Watchdog {
  readonly #links = new Set<Link>();
  #timer: NodeJS.Timeout | undefined;
  #idleLooks = 0;

  watch(link: Link): void {
    this.#links.add(link);
  }

  /** Something was sent. */
  wake(): void {
    this.#idleLooks = 0;
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#links.clear();
  }

  #look(): void {
    const nowMs = performance.now();
    let isBusy = false;
    for (const link of this.#links) {
      if (link.isOver) this.#links.delete(link);
      else if (link.overdueMs(nowMs) > graceMs) link.kill(overdue);
      isBusy ||= link.load > 0;
    }
    this.#idleLooks = isBusy ? 0 : this.#idleLooks + 1;
    if (this.#idleLooks < idleLooksMax) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
