/**
 * The bus as one plugin sees it: what it may import (`remora:plugin/bus`, `remora:plugin/shared-state`), and what it
 * hears when it exports `remora:plugin/bus-subscriber`. Each topic and key passes the plugin's own gate.
 */

import type { GatedInterface } from "../../bundle/index.ts";
import { ComponentError, slowHostInterface } from "../../component/index.ts";
import type { HostImports } from "../../engine/index.ts";
import type { Gate } from "../../sandbox/index.ts";
import type { SharedState } from "../shared-state/shared-state.ts";
import type { BusEvent, EventBus, Subscription, WhenFull } from "./event-bus.ts";

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
  readonly depth?: { hops: number };
}

/** The guest's side of `bus-subscriber`. */
export interface BusSubscriber {
  patterns(): readonly string[];
  onEvent(event: Pick<BusEvent, "topic" | "publisher" | "payload">): void | Promise<void>;
}

export class PluginBus {
  readonly imports: HostImports;
  readonly #options: PluginBusOptions;
  #subscriptions: Subscription[] = [];
  /** Of the event that the plugin is dealing with, and so of what it publishes meanwhile. */
  readonly #depth: { hops: number };

  constructor(options: PluginBusOptions) {
    this.#options = options;
    this.#depth = options.depth ?? { hops: 0 };
    this.imports = {
      [busInterface]: slowHostInterface({
        publish: (topic: string, payload: Uint8Array) => this.#publish(topic, payload),
      }),
      [sharedStateInterface]: slowHostInterface(stateFunctions(options)),
    };
  }

  /**
   * Subscribes the plugin to what it asks for; what it was not granted is refused and audited, and the rest stands.
   *
   * @returns The patterns that were refused.
   */
  subscribe(subscriber: BusSubscriber, whenFull: WhenFull = "drop-oldest"): readonly string[] {
    const { bus, gate } = this.#options;
    const refused: string[] = [];
    for (const pattern of subscriber.patterns().slice(0, bus.limits.subscriptionsMax)) {
      const deliver = (event: BusEvent) => this.#deliver(subscriber, event);
      gate.act(
        "bus.subscribe",
        pattern,
        () =>
          this.#subscriptions.push(bus.subscribe({ subscriber: gate.plugin, pattern, whenFull, deliver })),
        () => refused.push(pattern),
      );
    }
    return refused;
  }

  /**
   * Subscribes in place of the version before. Where both hear the same, the queues go on with what is in them; else
   * what waits for the old one is gone with it.
   *
   * @returns The patterns that were refused.
   */
  succeed(before: PluginBus | undefined, subscriber: BusSubscriber): readonly string[] {
    const refused = this.subscribe(subscriber);
    if (before === undefined) return refused;
    const patternsOf = (bus: PluginBus) => bus.#subscriptions.map(({ pattern }) => pattern).join("\n");
    if (patternsOf(before) === patternsOf(this)) {
      this.close();
      this.#subscriptions = before.#subscriptions.splice(0);
    } else before.close();
    return refused;
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
    const before = this.#depth.hops;
    this.#depth.hops = Math.max(before, hops + 1);
    try {
      await subscriber.onEvent({ topic, publisher, payload });
    } finally {
      this.#depth.hops = before;
    }
  }
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
