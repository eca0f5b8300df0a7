/** A plugin's settings as they are now, and in their file. */

import { depthMax, isRecord, isShallow } from "../delta/delta.ts";
import type { GuestSettings } from "../guest/host.ts";
import {
  type PluginSettings,
  readSettings,
  settingsBytesMax,
  settingsFileOf,
  writeSettings,
} from "./settings-file.ts";

export class KeptSettings implements GuestSettings {
  readonly #file: string;
  readonly #onFailure: (error: unknown) => void;
  #current: PluginSettings;

  /** @param onFailure Told when what a guest changed cannot be written: the guest itself does not wait for it. */
  constructor(
    where: { readonly dataFolder: string; readonly plugin: string },
    settings: PluginSettings,
    onFailure: (error: unknown) => void,
  ) {
    this.#file = settingsFileOf(where.dataFolder, where.plugin);
    this.#current = settings;
    this.#onFailure = onFailure;
  }

  get current(): PluginSettings {
    return this.#current;
  }

  /** @throws signalk/settings-file */
  async write(settings: PluginSettings): Promise<void> {
    await writeSettings(this.#file, settings);
    this.#current = settings;
  }

  /** Takes what somebody else wrote into the file. @throws signalk/settings-file */
  async readAgain(): Promise<void> {
    this.#current = await readSettings(this.#file);
  }

  /** What a guest is started with: its configuration, and whether it shall tell more. */
  startText(): string {
    const { configuration, enableDebug } = this.#current;
    return JSON.stringify({ ...configuration, enableDebug });
  }

  read(): string {
    return JSON.stringify(this.#current.configuration ?? {});
  }

  save(json: string): boolean {
    const configuration = json.length > settingsBytesMax ? undefined : parsedJson(json);
    if (!isRecord(configuration) || !isShallow(configuration, depthMax)) return false;
    this.#current = { ...this.#current, configuration };
    this.write(this.#current).catch(this.#onFailure);
    return true;
  }
}

/** Undefined for what is no JSON: the guest is told with a number. */
export function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
