/**
 * The bus as one plugin sees it: what it may import (`remora:plugin/bus`, `remora:plugin/shared-state`), and what it
 * hears when it exports `remora:plugin/bus-subscriber`. Each topic and key passes the plugin's own gate.
 */

import type { RemoraError } from "../../base/index.ts";
import type { GatedInterface } from "../../bundle/index.ts";
import { ComponentError, slowHostInterface } from "../../component/index.ts";
import type { HostImports } from "../../engine/index.ts";
import type { Gate } from "../../sandbox/index.ts";
import { managerErrors } from "../errors.ts";
import type { SharedState } from "../shared-state/shared-state.ts";
import { AnswerDepth } from "./answer-depth.ts";
import type { BusEvent, EventBus, Subscription, WhenFull } from "./event-bus.ts";
import { isTopicPattern, starsMax } from "./topic.ts";

export const busInterface = "remora:plugin/bus@0.1.0";
export const busSubscriberInterface = "remora:plugin/bus-subscriber@0.1.0";
export const sharedStateInterface = "remora:plugin/shared-state@0.1.0";

/** For a host's `hostFunctions`: known before any plugin is there. */
export const busHostFunctions: readonly string[] = [busInterface, sharedStateInterface];

/** What a plugin needs to do anything with them: for `capabilityUses`. */
export const gatedInterfaces: readonly GatedInterface[] = [
  { name: busInterface, side: "imports", capabilities: ["bus.publish"] },
  { name: busSubscriberInterface, side: "exports", capabilities: ["bus.subscribe"] },
  { name: sharedStateInterface, side: "imports", capabilities: ["state.read", "state.write"] },
];

export interface PluginBusOptions {
  readonly bus: EventBus;
  readonly state: SharedState;
  /** The plugin's: who asks, and what it was granted. */
  readonly gate: Gate;
  /** Of all versions of the plugin, so that a circle of answers is seen through an update. Default: one of its own. */
  readonly depth?: AnswerDepth;
}

/** The guest's side of `bus-subscriber`. */
export interface BusSubscriber {
  patterns(): readonly string[];
  onEvent(event: Pick<BusEvent, "topic" | "publisher" | "payload">): void | Promise<void>;
}

/** What a plugin does not hear of what it asked for. */
export interface RefusedPattern {
  /** Where there are too many: the first of those. */
  readonly pattern: string;
  /** Undefined for one that it was not granted, which is no failure. */
  readonly error?: RemoraError;
}

export class PluginBus {
  readonly imports: HostImports;
  readonly #options: PluginBusOptions;
  #subscriptions: Subscription[] = [];
  /** Of the event that the plugin is dealing with, and so of what it publishes meanwhile. */
  readonly #depth: AnswerDepth;

  constructor(options: PluginBusOptions) {
    this.#options = options;
    this.#depth = options.depth ?? new AnswerDepth();
    this.imports = {
      [busInterface]: slowHostInterface({
        publish: (topic: string, payload: Uint8Array) => this.#publish(topic, payload),
      }),
      [sharedStateInterface]: slowHostInterface(stateFunctions(options)),
    };
    options.gate.onNarrowed(() => this.#closeTaken());
  }

  /**
   * Subscribes the plugin to what it asks for; what it was not granted, what is no pattern and what is too many is refused
   * and audited, and the rest stands.
   */
  subscribe(subscriber: BusSubscriber, whenFull: WhenFull = "drop-oldest"): readonly RefusedPattern[] {
    return this.#subscribe(subscriber, whenFull, []);
  }

  /** Gives up what it hears, for whoever follows: until then events wait in their queues, whatever becomes of its grants. */
  leave(): readonly Subscription[] {
    this.pause();
    return this.#subscriptions.splice(0);
  }

  /**
   * Takes over what the version before has left, as far as this one was granted it; events wait in their queues until
   * `settle`, or are gone with `close`.
   */
  succeed(left: readonly Subscription[]): void {
    this.#subscriptions.push(...left);
    this.#closeTaken();
    this.pause();
  }

  /**
   * From now on it hears what it asks for and nothing else. A queue that is there already goes on with what is in it, to
   * the subscriber that it was made for: the versions of a plugin have one.
   */
  settle(subscriber: BusSubscriber): readonly RefusedPattern[] {
    const asked = subscriber.patterns().slice(0, this.#options.bus.limits.subscriptionsMax);
    const kept: Subscription[] = [];
    // What goes makes room for what comes.
    for (const subscription of this.#subscriptions.splice(0)) {
      const isAsked = takeFrom(asked, (pattern) => pattern === subscription.pattern) !== undefined;
      if (isAsked) kept.push(subscription);
      else subscription.close();
    }
    try {
      const refused = this.#subscribe(subscriber, "drop-oldest", kept);
      this.resume();
      return refused;
    } finally {
      for (const subscription of kept) subscription.close();
    }
  }

  /** Events wait in their queues: while the plugin is replaced by another version. */
  pause(): void {
    for (const subscription of this.#subscriptions) subscription.pause();
  }

  resume(): void {
    for (const subscription of this.#subscriptions) subscription.resume();
  }

  /** Ends the subscriptions; what the plugin keeps in the shared state stays. */
  close(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
  }

  /** @param kept What it hears already of what it asks for: each goes on, and is not counted a second time. */
  #subscribe(subscriber: BusSubscriber, whenFull: WhenFull, kept: Subscription[]): readonly RefusedPattern[] {
    const { bus, gate } = this.#options;
    const { plugin } = gate;
    const { subscriptionsMax } = bus.limits;
    const refused: RefusedPattern[] = [];
    const deliver = (event: BusEvent) => this.#deliver(subscriber, event);
    // The guest chooses how many there are, and what is in them: whatever it is, nothing here throws.
    const patterns = subscriber.patterns();
    const tooMany = patterns.slice(subscriptionsMax);
    const hear = (pattern: string) => {
      const own = takeFrom(kept, (subscription) => subscription.pattern === pattern);
      if (own !== undefined) this.#subscriptions.push(own);
      else if (!bus.hasRoomFor(plugin)) tooMany.push(pattern);
      else this.#subscriptions.push(bus.subscribe({ subscriber: plugin, pattern, whenFull, deliver }));
    };
    for (const pattern of patterns.slice(0, subscriptionsMax)) {
      if (isTopicPattern(pattern)) {
        gate.act(
          "bus.subscribe",
          pattern,
          () => hear(pattern),
          () => void refused.push({ pattern }),
        );
      } else {
        gate.refuse("bus.subscribe", pattern, "it is no pattern of topics");
        refused.push({ pattern, error: managerErrors["bad-pattern"]({ plugin, pattern, starsMax }) });
      }
    }
    const [pattern, ...others] = tooMany;
    if (pattern !== undefined) {
      gate.refuse("bus.subscribe", pattern, "there are too many");
      const more = others.length;
      const error = managerErrors["too-many-patterns"]({ plugin, pattern, more, subscriptionsMax });
      refused.push({ pattern, error });
    }
    return refused;
  }

  /** What was taken is heard no more, not even what waits. */
  #closeTaken(): void {
    const { gate } = this.#options;
    for (const subscription of this.#subscriptions.splice(0)) {
      if (gate.gives("bus.subscribe", subscription.pattern)) this.#subscriptions.push(subscription);
      else subscription.close();
    }
  }

  #publish(topic: string, payload: Uint8Array): void {
    const { bus, gate } = this.#options;
    const outcome = gate.act(
      "bus.publish",
      topic,
      () => bus.publish(gate.plugin, topic, payload, this.#depth.hops).kind,
      () => "bad-topic" as const,
    );
    if (outcome === "bad-topic") throw new ComponentError("denied");
    if (outcome !== "published") throw new ComponentError(outcome);
  }

  async #deliver(subscriber: BusSubscriber, { topic, publisher, payload, hops }: BusEvent): Promise<void> {
    const leave = this.#depth.enter(hops + 1);
    try {
      await subscriber.onEvent({ topic, publisher, payload });
    } finally {
      leave();
    }
  }
}

/** The first that fits, which the list has no more. */
function takeFrom<Item>(list: Item[], fits: (item: Item) => boolean): Item | undefined {
  const at = list.findIndex(fits);
  return at === -1 ? undefined : list.splice(at, 1)[0];
}

function stateFunctions({ state, gate }: PluginBusOptions) {
  const denied = (): never => {
    throw new ComponentError("denied");
  };
  const owner = gate.plugin;
  return {
    get: (key: string) => gate.act("state.read", key, () => state.get(key), denied),
    set: (key: string, value: Uint8Array, version: bigint | undefined) => {
      const outcome = gate.act("state.write", key, () => state.set(owner, key, value, version), denied);
      if (outcome.kind !== "stored") throw new ComponentError(outcome.kind);
      return outcome.version;
    },
    delete: (key: string) => gate.act("state.write", key, () => state.delete(key), denied),
  };
}
