/**
 * Looks after threads and processes that should have answered. A guest's own meter ends it at its deadline; this is for
 * what no meter sees, on the other side of the wall: code of V8's or ours that does not come back.
 */

import type { Link } from "./link.ts";

/** What is looked at. */
export type Watched = Pick<Link, "isOver" | "load" | "overdueMs" | "kill">;

/**
 * After the host asked a guest to stop, or its deadline passed, before what it runs in is killed. A guest's own meter
 * takes a millisecond or two; but on a busy machine its thread may not run for some tens of them, and others share it.
 */
export const graceMs = 100;

/** The reason of an end that the host brought about since the guest was late. */
export const overdue = "it did not stop at its deadline";

const lookMs = 10;
/**
 * So many looks, one after another, have to find it late. Where all of this process stood still, or the host kept its loop
 * to itself, time has passed and the guest had none of it; or its answer is here and was not read yet.
 */
const lateLooksMin = 8;
/** So many looks at nothing before it rests. */
const idleLooksMax = 50;

export class Watchdog {
  /** How many looks found each late, one after another. */
  readonly #lateLooks = new Map<Watched, number>();
  #timer: NodeJS.Timeout | undefined;
  #idleLooks = 0;

  watch(link: Watched): void {
    this.#lateLooks.set(link, 0);
  }

  /** Something was sent. */
  wake(): void {
    this.#idleLooks = 0;
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#lateLooks.clear();
  }

  #look(): void {
    const nowMs = performance.now();
    let isBusy = false;
    for (const [link, looks] of this.#lateLooks) {
      const lateMs = link.overdueMs(nowMs);
      const lateLooks = lateMs > 0 ? looks + 1 : 0;
      if (link.isOver) this.#lateLooks.delete(link);
      else if (lateMs > graceMs && lateLooks >= lateLooksMin) link.kill(overdue);
      else this.#lateLooks.set(link, lateLooks);
      isBusy ||= link.load > 0;
    }
    this.#idleLooks = isBusy ? 0 : this.#idleLooks + 1;
    if (this.#idleLooks < idleLooksMax) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
