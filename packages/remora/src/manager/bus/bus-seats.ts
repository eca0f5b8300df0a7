/**
 * Who of the managed plugins listens on the bus. A seat is the plugin's and not its version's: events reach whichever
 * version serves, wait while none does, and end when the plugin is stopped.
 */

import { isRemoraError, type RemoraError } from "../../base/index.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import { type BusSubscriber, busSubscriberInterface, type PluginBus } from "./plugin-bus.ts";

export class BusSeats {
  readonly #seats = new Map<string, PluginBus>();
  readonly #onError: (plugin: string, error: RemoraError) => void;

  /** @param onError Told of a plugin that cannot say what it wants to hear. */
  constructor(onError: (plugin: string, error: RemoraError) => void) {
    this.#onError = onError;
  }

  /** Another version of the plugin serves, or none does. */
  async follow(plugin: ManagedPlugin): Promise<void> {
    const { name, serving } = plugin;
    if (serving === undefined) return this.#leave(plugin);
    try {
      const patterns = await serving.busPatterns();
      // Replaced while it was asked: its successor is asked by itself.
      if (plugin.serving !== serving) return;
      const subscriber: BusSubscriber = {
        patterns: () => patterns,
        onEvent: async (event) => void (await plugin.call([busSubscriberInterface, "onEvent"], [event])),
      };
      serving.bus.succeed(this.#seats.get(name), subscriber);
      serving.bus.resume();
      this.#seats.set(name, serving.bus);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      this.#onError(name, error);
    }
  }

  #leave({ name, state }: ManagedPlugin): void {
    const seat = this.#seats.get(name);
    if (state === "broken" || state === "backing-off") seat?.pause();
    else {
      seat?.close();
      this.#seats.delete(name);
    }
  }
}
