/**
 * What a component subscribed to, on its way to it. Of a delta that arrives, the guest gets its part in the same turn;
 * what a period makes due waits for a turn of its own, and what does not fit is lost from its old end.
 */

import type { Clock } from "../clock.ts";
import type { StampedDelta, StampedUpdate } from "../delta/delta.ts";
import { updatesMax } from "../delta/delta.ts";
import { Published } from "../delta/published.ts";
import { Listener } from "../subscriptions/listener.ts";
import type { SubscribeRequest } from "../subscriptions/request.ts";
import type { GuestHost } from "./host.ts";
import { toWorldItems, type WorldPathValue } from "./world-value.ts";

/** An update as `remora:signalk/subscriber` has it. */
export interface WorldUpdate {
  readonly context: string;
  readonly source: string;
  readonly timestamp: string;
  readonly values: readonly WorldPathValue[];
  readonly meta: readonly WorldPathValue[];
}

interface Due {
  readonly context: string;
  readonly update: StampedUpdate;
}

export class Inbox {
  readonly #host: GuestHost;
  readonly #listener: Listener;
  #due: Due[] = [];
  #isArriving = false;
  #isAsked = false;

  constructor(host: GuestHost, clock: Clock) {
    this.#host = host;
    this.#listener = new Listener({
      selfContext: host.server.selfContext,
      clock,
      // The listener is never subscribed to all, so that it gives deltas alone.
      send: (sent) => this.#take(sent instanceof Published ? sent.delta : sent),
    });
    host.holdings.addLasting(() => {
      this.#listener.close();
      this.#due = [];
    });
  }

  /** @returns false when that would be too many */
  subscribe(request: SubscribeRequest): boolean {
    return this.#listener.subscribe(request);
  }

  unsubscribe(context: string, path: string): void {
    this.#listener.unsubscribe(context, [path]);
  }

  /** @returns the part of a delta that was subscribed to, and what was due before */
  arrived(json: string): readonly WorldUpdate[] {
    this.#isArriving = true;
    try {
      // The text is this host's own, of a delta that was checked.
      this.#listener.offer(new Published(JSON.parse(json) as StampedDelta, 1));
    } finally {
      this.#isArriving = false;
    }
    return this.takeDue();
  }

  takeDue(): readonly WorldUpdate[] {
    return joined(this.#due.splice(0));
  }

  #take({ context, updates }: StampedDelta): void {
    for (const update of updates) this.#due.push({ context, update });
    if (this.#due.length > updatesMax) this.#due.splice(0, this.#due.length - updatesMax);
    if (this.#isArriving || this.#isAsked) return;
    this.#isAsked = true;
    const askedFor = this.#host.ask((guest) => {
      this.#isAsked = false;
      return guest.takeUpdates?.(this.takeDue());
    });
    // A guest that fails shows it in its state; one that is busy gets them with the next.
    askedFor.catch(() => {
      this.#isAsked = false;
    });
  }
}

/** The values that one source told at one time are one update. */
function joined(due: readonly Due[]): WorldUpdate[] {
  const found: { of: Due; values: WorldPathValue[]; meta: WorldPathValue[] }[] = [];
  for (const each of due) {
    let last = found.at(-1);
    if (last === undefined || !isSame(last.of, each)) {
      last = { of: each, values: [], meta: [] };
      found.push(last);
    }
    last.values.push(...toWorldItems(each.update.values));
    last.meta.push(...toWorldItems(each.update.meta));
  }
  return found.map(({ of: { context, update }, values, meta }) => ({
    context,
    source: update.$source,
    timestamp: update.timestamp,
    values,
    meta,
  }));
}

function isSame(one: Due, other: Due): boolean {
  return (
    one.context === other.context &&
    one.update.$source === other.update.$source &&
    one.update.timestamp === other.update.timestamp
  );
}
