/** The settings of a bundle as its guests have them: filled in by the manager, and changed by the plugin itself. */

import { isRemoraError } from "remora/base";
import type { Json } from "remora/bundle";
import { checkSettings, type PluginContext } from "remora/manager";
import { isRecord } from "../delta/delta.ts";
import type { GuestSettings } from "../guest/host.ts";
import { parsedJson } from "../plugin/kept-settings.ts";
import { settingsBytesMax } from "../plugin/settings-file.ts";

export class BundleSettings implements GuestSettings {
  readonly #plugin: PluginContext;
  readonly #keep: (settings: Json) => void;
  #current: Readonly<Record<string, unknown>>;

  /** @param keep For the next time that the plugin is made. */
  constructor(plugin: PluginContext, keep: (settings: Json) => void) {
    this.#plugin = plugin;
    this.#keep = keep;
    this.#current = isRecord(plugin.settings) ? plugin.settings : {};
  }

  /** What a guest is started with, as `KeptSettings.startText`. */
  startText(enableDebug: boolean): string {
    return JSON.stringify({ ...this.#current, enableDebug });
  }

  read(): string {
    return JSON.stringify(this.#current);
  }

  save(json: string): boolean {
    const settings = json.length > settingsBytesMax ? undefined : parsedJson(json);
    if (!isRecord(settings)) return false;
    const data = settings as Json; // what was parsed is plain data
    try {
      const { name, manifest } = this.#plugin;
      checkSettings(name, manifest.settings, data);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      // The guest is told with a number.
      return false;
    }
    this.#current = settings;
    this.#keep(data);
    return true;
  }
}
