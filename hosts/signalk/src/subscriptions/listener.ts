/**
 * Everything that one listener, a client or a plugin, has subscribed to. A value that several of its subscriptions
 * are about is told by each of them, as the specification has it.
 */

import type { Clock } from "../clock.ts";
import type { StampedDelta, StampedUpdate } from "../delta/delta.ts";
import type { Published } from "../delta/published.ts";
import type { SubscribeRequest } from "./request.ts";
import { Subscription } from "./subscription.ts";

export interface ListenerOptions {
  readonly selfContext: string;
  readonly clock: Clock;
  /** Gets what it subscribed to. */
  readonly send: (published: Published | StampedDelta) => void;
}

/** Of one listener. */
export const subscriptionsMax = 200;

export class Listener {
  readonly #options: ListenerOptions;
  #subscriptions: Subscription[] = [];
  #hasAll = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#subscriptions.length + (this.#hasAll ? 1 : 0);
  }

  /** All deltas as they are, unfiltered and at once. */
  subscribeAll(): void {
    this.#hasAll = true;
  }

  /** @returns false when that would be too many; then none of the request is taken. */
  subscribe(request: SubscribeRequest): boolean {
    if (this.count + request.paths.length > subscriptionsMax) return false;
    const { clock } = this.#options;
    const tell = (context: string, update: StampedUpdate) =>
      this.#options.send({ context, updates: [update] });
    const context = this.#contextOf(request.context);
    for (const path of request.paths) {
      this.#subscriptions.push(new Subscription(context, path, { tell, clock }));
    }
    return true;
  }

  /** `*` as context and path ends everything. */
  unsubscribe(context: string, paths: readonly string[]): void {
    const isAll = context === "*" && paths.includes("*");
    if (isAll) this.#hasAll = false;
    const wanted = this.#contextOf(context);
    this.#subscriptions = this.#subscriptions.filter((one) => {
      const ends =
        isAll || (one.context === wanted && (paths.includes("*") || paths.includes(one.request.path)));
      if (ends) one.close();
      return !ends;
    });
  }

  offer(published: Published): void {
    if (this.#hasAll) this.#options.send(published);
    const { delta } = published;
    for (const subscription of this.#subscriptions) {
      if (!subscription.wants(delta.context)) continue;
      for (const update of delta.updates) subscription.offer(delta.context, update);
    }
  }

  /** Gives the last values to the newest subscriptions alone; the others had them. */
  offerSince({ delta }: Published, newest: number): void {
    for (const subscription of this.#subscriptions.slice(-newest)) {
      if (!subscription.wants(delta.context)) continue;
      for (const update of delta.updates) subscription.offer(delta.context, update);
    }
  }

  close(): void {
    this.#hasAll = false;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions = [];
  }

  #contextOf(context: string): string {
    return context === "vessels.self" || context === "self" ? this.#options.selfContext : context;
  }
}
