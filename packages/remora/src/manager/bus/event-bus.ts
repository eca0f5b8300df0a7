/**
 * The event bus: whoever publishes names a topic, whoever subscribes a pattern of topics. Each subscription has a
 * queue of its own, bounded in events and bytes, and says what happens when it is full; it gets its events one at a
 * time and in order. An event is handed over at most once: a subscriber that fails on it has had it.
 */

import { isTopic, isTopicPattern, patternCovers } from "./topic.ts";

export interface BusEvent {
  readonly topic: string;
  /** The plugin, or the host's own name. */
  readonly publisher: string;
  readonly payload: Uint8Array;
  /** How many events this one answers, one answering the other; 0 for one that answers none. */
  readonly hops: number;
}

/**
 * What a full queue does. `drop-oldest` keeps what is new, `drop-newest` what waits; `reject` loses nothing: the
 * publisher is refused, and nobody gets the event.
 */
export type WhenFull = "drop-oldest" | "drop-newest" | "reject";

export interface BusLimits {
  /** Bytes of one payload. */
  readonly payloadBytesMax: number;
  /** Events that wait in one subscription. */
  readonly queuedEventsMax: number;
  /** Bytes that wait in one subscription. */
  readonly queuedBytesMax: number;
  /** Subscriptions of one subscriber. */
  readonly subscriptionsMax: number;
  /** Answers to answers; one more and somebody talks in a circle. */
  readonly hopsMax: number;
}

export const defaultBusLimits: BusLimits = {
  payloadBytesMax: 256 * 1024,
  queuedEventsMax: 1_024,
  queuedBytesMax: 4 * 1024 * 1024,
  subscriptionsMax: 64,
  hopsMax: 16,
};

export interface SubscribeOptions {
  /** Who, in the counts: a plugin's name. */
  readonly subscriber: string;
  readonly pattern: string;
  /** Default: `drop-oldest`. */
  readonly whenFull?: WhenFull;
  /** The next event comes when what it returns has settled; a failure is counted. */
  readonly deliver: (event: BusEvent) => void | Promise<void>;
}

export interface SubscriptionCounts {
  readonly delivered: number;
  readonly dropped: number;
  /** Events on which `deliver` failed. */
  readonly failed: number;
  readonly queued: number;
}

export interface Subscription {
  readonly subscriber: string;
  readonly pattern: string;
  readonly counts: SubscriptionCounts;
  /** Holds events back, in the queue, until `resume`: while a subscriber is replaced. */
  pause(): void;
  resume(): void;
  close(): void;
}

export type PublishOutcome =
  | { readonly kind: "published"; readonly subscribers: number }
  | { readonly kind: "bad-topic" | "too-large" | "loop" | "full" };

export class EventBus {
  readonly limits: BusLimits;
  readonly #schedule: (drain: () => void) => void;
  readonly #subscriptions = new Set<Queue>();
  /** Who gets a topic; begun afresh when subscriptions change. Guests make up topics, so it is bounded. */
  readonly #byTopic = new Map<string, readonly Queue[]>();
  #published = 0;

  /** @param schedule Calls back later, before or after other work. Default: `setImmediate`. */
  constructor(options: { limits?: Partial<BusLimits>; schedule?: (drain: () => void) => void } = {}) {
    this.limits = { ...defaultBusLimits, ...options.limits };
    this.#schedule = options.schedule ?? ((drain) => void setImmediate(drain));
  }

  get published(): number {
    return this.#published;
  }

  /** All that there are, by subscriber and pattern. */
  get subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions];
  }

  /**
   * Puts an event into the queue of each subscription that its topic is for. The payload is copied once.
   *
   * @param hops One more than those of the event that this one answers.
   */
  publish(publisher: string, topic: string, payload: Uint8Array, hops = 0): PublishOutcome {
    if (!isTopic(topic)) return { kind: "bad-topic" };
    if (payload.length > this.limits.payloadBytesMax) return { kind: "too-large" };
    if (hops > this.limits.hopsMax) return { kind: "loop" };
    const queues = this.#queuesOf(topic);
    if (queues.some((queue) => queue.whenFull === "reject" && !queue.hasRoom(payload.length))) {
      return { kind: "full" };
    }
    this.#published++;
    const event: BusEvent = { topic, publisher, payload: payload.slice(), hops };
    for (const queue of queues) queue.push(event);
    return { kind: "published", subscribers: queues.length };
  }

  /**
   * Subscribes from now on.
   *
   * @throws RangeError the pattern is none, or the subscriber has too many
   */
  subscribe(options: SubscribeOptions): Subscription {
    const { subscriber, pattern } = options;
    if (!isTopicPattern(pattern))
      throw new RangeError(`Cannot subscribe to "${pattern}": it is no pattern of topics`);
    if (!this.hasRoomFor(subscriber)) {
      throw new RangeError(
        `Cannot subscribe ${subscriber} once more: allowed are ${this.limits.subscriptionsMax}`,
      );
    }
    const queue = new Queue(options, this.limits, this.#schedule, () => {
      this.#subscriptions.delete(queue);
      this.#byTopic.clear();
    });
    this.#subscriptions.add(queue);
    this.#byTopic.clear();
    return queue;
  }

  /** Whether it can have one subscription more. */
  hasRoomFor(subscriber: string): boolean {
    const own = [...this.#subscriptions].filter((each) => each.subscriber === subscriber);
    return own.length < this.limits.subscriptionsMax;
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
  }

  #queuesOf(topic: string): readonly Queue[] {
    let queues = this.#byTopic.get(topic);
    if (queues === undefined) {
      queues = [...this.#subscriptions].filter(({ pattern }) => patternCovers(pattern, topic));
      if (this.#byTopic.size >= topicsRememberedMax) this.#byTopic.clear();
      this.#byTopic.set(topic, queues);
    }
    return queues;
  }
}

const topicsRememberedMax = 1_024;

/** Events of one turn, after which others have theirs. */
const batchMax = 64;

class Queue implements Subscription {
  readonly subscriber: string;
  readonly pattern: string;
  readonly whenFull: WhenFull;
  readonly #deliver: SubscribeOptions["deliver"];
  readonly #limits: BusLimits;
  readonly #schedule: (drain: () => void) => void;
  readonly #onClose: () => void;
  #events: BusEvent[] = [];
  #bytes = 0;
  #delivered = 0;
  #dropped = 0;
  #failed = 0;
  #isDraining = false;
  #isPaused = false;
  #isClosed = false;

  constructor(
    options: SubscribeOptions,
    limits: BusLimits,
    schedule: (drain: () => void) => void,
    onClose: () => void,
  ) {
    this.subscriber = options.subscriber;
    this.pattern = options.pattern;
    this.whenFull = options.whenFull ?? "drop-oldest";
    this.#deliver = options.deliver;
    this.#limits = limits;
    this.#schedule = schedule;
    this.#onClose = onClose;
  }

  get counts(): SubscriptionCounts {
    const queued = this.#events.length;
    return { delivered: this.#delivered, dropped: this.#dropped, failed: this.#failed, queued };
  }

  hasRoom(bytes: number): boolean {
    const { queuedEventsMax, queuedBytesMax } = this.#limits;
    return this.#events.length < queuedEventsMax && this.#bytes + bytes <= queuedBytesMax;
  }

  push(event: BusEvent): void {
    const { length } = event.payload;
    if (this.whenFull === "drop-oldest") {
      while (!this.hasRoom(length) && this.#events.length > 0) {
        this.#take();
        this.#dropped++;
      }
    }
    if (!this.hasRoom(length)) {
      this.#dropped++;
      return;
    }
    this.#events.push(event);
    this.#bytes += length;
    this.#wake();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#events = [];
    this.#bytes = 0;
    this.#onClose();
  }

  #wake(): void {
    if (this.#isDraining || this.#isPaused || this.#isClosed || this.#events.length === 0) return;
    this.#isDraining = true;
    this.#schedule(() => void this.#drain());
  }

  /** One at a time and in order; never rejects, since a failure is the subscriber's and is counted. */
  async #drain(): Promise<void> {
    for (let count = 0; count < batchMax && !this.#isPaused; count++) {
      const event = this.#take();
      if (event === undefined) break;
      try {
        const pending = this.#deliver(event);
        // Most do not wait: then neither does the next.
        if (pending !== undefined) await pending;
        this.#delivered++;
      } catch {
        this.#failed++;
      }
    }
    this.#isDraining = false;
    this.#wake();
  }

  #take(): BusEvent | undefined {
    const event = this.#events.shift();
    this.#bytes -= event?.payload.length ?? 0;
    return event;
  }
}
