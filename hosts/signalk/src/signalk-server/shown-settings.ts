/**
 * Settings of bundles where signalk-server's administration reads those of all plugins, `plugin-config-data/{id}.json`: what it
 * shows in the list and in the form. They are kept by the manager; this is a copy for reading. Settings that a Node plugin of
 * the same id left stay in it until the bundle has some, so that the form offers them.
 */

import { isDeepStrictEqual } from "node:util";
import type { ServedPlugin } from "../plugin/served-plugin.ts";
import { readSettings, settingsFileOf, writeSettings } from "../plugin/settings-file.ts";

export class ShownSettings {
  readonly #configPath: string;
  readonly #onFailure: (error: unknown) => void;
  readonly #shown = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(configPath: string, onFailure: (error: unknown) => void) {
    this.#configPath = configPath;
    this.#onFailure = onFailure;
  }

  has(id: string): boolean {
    return this.#shown.has(id);
  }

  /** One write after the other: they are of the same file. */
  show(plugin: ServedPlugin): void {
    this.#shown.add(plugin.id);
    this.#writing = this.#writing.then(() => this.#write(plugin)).catch(this.#onFailure);
  }

  forget(id: string): void {
    this.#shown.delete(id);
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  async #write({ id, settings }: ServedPlugin): Promise<void> {
    const file = settingsFileOf(this.#configPath, id);
    const before = await readSettings(file);
    const wanted = { ...settings, configuration: settings.configuration ?? before.configuration };
    if (!isDeepStrictEqual(before, wanted)) await writeSettings(file, wanted);
  }
}
