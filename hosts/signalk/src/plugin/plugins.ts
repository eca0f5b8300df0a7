/** All plugins of a server: found, loaded, started where they are enabled, and closed together. */

import { isRemoraError, type RemoraError } from "remora/base";
import { discoverPlugins } from "./discover.ts";
import { guestClockOf } from "./guest-clock.ts";
import type { PluginManifest } from "./manifest.ts";
import { SignalkPlugin } from "./plugin.ts";
import type { PluginDeps } from "./plugin-deps.ts";
import { type PluginSettings, readSettings, settingsFileOf } from "./settings-file.ts";
import { Walls } from "./walls.ts";

export interface OpenPluginsOptions extends PluginDeps {
  /** Folders with installed packages. */
  readonly modulesFolders: readonly string[];
  /** What a plugin without a settings file starts with. Default: disabled, as in signalk-server. */
  readonly settingsDefault?: PluginSettings;
}

export class Plugins {
  readonly deps: PluginDeps;
  readonly #walls: Walls;
  readonly #byId = new Map<string, SignalkPlugin>();

  constructor(deps: PluginDeps) {
    const { guestClock, pace } = deps;
    this.#walls = deps.walls ?? new Walls();
    this.deps = { ...deps, walls: this.#walls, guestClock: guestClockOf(guestClock, pace.nowMs) };
  }

  /**
   * Adds a plugin and loads it. One that cannot be loaded is there all the same, with the reason in its state.
   *
   * @throws signalk/settings-file its settings are there and cannot be read
   */
  async add(manifest: PluginManifest, settingsDefault?: PluginSettings): Promise<SignalkPlugin> {
    const known = this.#byId.get(manifest.id);
    if (known !== undefined) return known;
    const settings = await readSettings(settingsFileOf(this.deps.dataFolder, manifest.id));
    const isNew = !settings.enabled && settings.configuration === undefined;
    const plugin = new SignalkPlugin(manifest, isNew ? (settingsDefault ?? settings) : settings, this.deps);
    this.#byId.set(manifest.id, plugin);
    try {
      await plugin.load();
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      return plugin;
    }
    if (plugin.settings.enabled) plugin.startSoon();
    return plugin;
  }

  get(id: string): SignalkPlugin | undefined {
    return this.#byId.get(id);
  }

  all(): readonly SignalkPlugin[] {
    return [...this.#byId.values()];
  }

  /** Stops all of them; what they were and did can still be read. */
  async close(): Promise<void> {
    await Promise.all(this.all().map((plugin) => plugin.stop()));
    await this.#walls.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Finds and adds what is installed; `refused` are packages that claim to be plugins and are none. */
export async function openPlugins(
  options: OpenPluginsOptions,
): Promise<{ plugins: Plugins; refused: readonly RemoraError[] }> {
  const plugins = new Plugins(options);
  const refused: RemoraError[] = [];
  for (const folder of options.modulesFolders) {
    const found = await discoverPlugins(folder);
    refused.push(...found.refused);
    for (const manifest of found.plugins) await plugins.add(manifest, options.settingsDefault);
  }
  return { plugins, refused };
}
