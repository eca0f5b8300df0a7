/**
 * Who of the managed plugins listens on the bus. A seat is the plugin's and not its version's: events reach whichever
 * version serves, wait while none does, and end when the plugin is stopped.
 */

import { isRemoraError, type RemoraError } from "../../base/index.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import type { RunningVersion } from "../running-version.ts";
import type { Subscription } from "./event-bus.ts";
import { busSubscriberInterface, type PluginBus } from "./plugin-bus.ts";

export class BusSeats {
  /** Of the versions that serve. */
  readonly #seats = new Map<string, PluginBus>();
  /** What waits for plugins that are broken. */
  readonly #left = new Map<string, readonly Subscription[]>();
  /** What each version said when it was asked, which is once: one that takes over again hears what it heard. */
  readonly #patterns = new WeakMap<RunningVersion, Promise<readonly string[]>>();
  readonly #onError: (plugin: string, error: RemoraError) => void;

  /** @param onError Told of a plugin that cannot say what it wants to hear, and of what it cannot hear. */
  constructor(onError: (plugin: string, error: RemoraError) => void) {
    this.#onError = onError;
  }

  /** Another version of the plugin serves, or none does. */
  async follow(plugin: ManagedPlugin): Promise<void> {
    const { name, serving } = plugin;
    if (serving === undefined) return this.#leave(plugin);
    const { bus } = serving;
    bus.succeed(this.#take(name));
    this.#seats.set(name, bus);
    try {
      const patterns = await this.#patternsOf(serving);
      // Replaced while it was asked: its successor is asked by itself.
      if (plugin.serving !== serving) return;
      const refused = bus.settle({
        patterns: () => patterns,
        onEvent: async (event) => void (await plugin.call([busSubscriberInterface, "onEvent"], [event])),
      });
      for (const { error } of refused) if (error !== undefined) this.#onError(name, error);
    } catch (error) {
      if (plugin.serving !== serving && isRemoraError(error)) return;
      // It may have been made anew with less: what the one before it heard is not for one that says nothing.
      bus.close();
      if (!isRemoraError(error)) throw error;
      this.#onError(name, error);
    }
  }

  /** Something was taken from the plugin: while no version serves, nothing tells which of what waits it may still hear. */
  narrowed({ name, serving }: ManagedPlugin): void {
    if (serving === undefined) this.#end(name);
  }

  #patternsOf(version: RunningVersion): Promise<readonly string[]> {
    const patterns = this.#patterns.get(version) ?? version.busPatterns();
    this.#patterns.set(version, patterns);
    return patterns;
  }

  #leave({ name, state }: ManagedPlugin): void {
    if (state === "broken" || state === "backing-off") this.#left.set(name, this.#take(name));
    else this.#end(name);
  }

  #end(name: string): void {
    for (const subscription of this.#take(name)) subscription.close();
  }

  /** What the plugin hears, held back: whoever takes it has it alone. */
  #take(name: string): readonly Subscription[] {
    const taken = this.#left.get(name) ?? this.#seats.get(name)?.leave() ?? [];
    this.#left.delete(name);
    this.#seats.delete(name);
    return taken;
  }
}
