/** The server's own list of plugins, which its administration shows, with ours in it. */

import { pluginJson } from "../admin/plugin-routes.ts";
import type { ServedPlugin } from "../plugin/served-plugin.ts";
import type { ServerApp } from "./server-app.ts";

/** A plugin that the server lists. */
export interface ListedOptions {
  readonly plugin: ServedPlugin;
  /** Of its package. */
  readonly folder?: string;
  /** What the server calls when it stops all plugins by itself. */
  readonly stop: () => Promise<void>;
}

export class PluginList {
  readonly #app: ServerApp;
  readonly #ours = new Set<string>();

  constructor(app: ServerApp) {
    this.#app = app;
  }

  /** Whether the server has a plugin of that id, ours or not. */
  has(id: string): boolean {
    // An object of the server's, and the id a stranger's: "constructor" is none of its plugins.
    return Object.hasOwn(this.#app.pluginsMap, id);
  }

  /** Of ours. */
  ids(): readonly string[] {
    return [...this.#ours];
  }

  /** In place of the entry that the server's loader makes when it is switched off. */
  add({ plugin, folder, stop }: ListedOptions): void {
    const app = this.#app;
    this.remove(plugin.id);
    const entry = {
      ...pluginJson(plugin),
      ...(folder !== undefined && { packageLocation: folder }),
      // Read each time: what they say changes while the plugin runs.
      get name() {
        return plugin.name;
      },
      get version() {
        return plugin.manifest.version;
      },
      get description() {
        return plugin.manifest.description;
      },
      get keywords() {
        return plugin.manifest.keywords;
      },
      get schema() {
        return plugin.schema;
      },
      get state() {
        return plugin.state;
      },
      get enabled() {
        return plugin.settings.enabled;
      },
      get started() {
        return plugin.state === "running";
      },
      stop,
    };
    app.plugins.push(entry);
    app.pluginsMap[plugin.id] = entry;
    this.#ours.add(plugin.id);
    // What it said before it had a name here.
    if (plugin.statusMessage !== "") app.setPluginStatus(plugin.name, plugin.statusMessage);
  }

  remove(id: string): void {
    const { plugins, pluginsMap } = this.#app;
    const at = plugins.findIndex((each) => each.id === id);
    if (at >= 0) plugins.splice(at, 1);
    delete pluginsMap[id];
    this.#ours.delete(id);
  }
}
