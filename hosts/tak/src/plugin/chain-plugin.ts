/**
 * A plugin's place in the chain. The place is the file's, and stays; the plugin is the manager's, and may be removed and
 * installed again meanwhile, under the same name.
 */

import type { ManagedPlugin, Manager } from "remora/manager";

export class ChainPlugin {
  /** Of its stage. */
  readonly id: string;
  readonly name: string;
  readonly #manager: Manager;
  #plugin: ManagedPlugin;

  constructor(id: string, plugin: ManagedPlugin, manager: Manager) {
    this.id = id;
    this.name = plugin.name;
    this.#plugin = plugin;
    this.#manager = manager;
  }

  /** The one that is installed, or that was until it was removed, which no version serves. */
  get plugin(): ManagedPlugin {
    // Asked with each message: one that serves is the one that is installed, and nothing is looked up.
    if (this.#plugin.serving === undefined && this.isThere) this.#plugin = this.#manager.get(this.name);
    return this.#plugin;
  }

  /** False when it was removed, and every message fails at its stage. */
  get isThere(): boolean {
    return this.#manager.has(this.name);
  }
}
