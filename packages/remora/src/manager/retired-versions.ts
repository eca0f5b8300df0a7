/** Versions that are not called any more: their calls come to their end, and what they did goes on to count. */

import { addCounts, noCounts, type PluginCounts } from "./plugin-counts.ts";
import type { RunningVersion } from "./running-version.ts";

export class RetiredVersions {
  readonly #draining = new Set<RunningVersion>();
  /** What all did that are gone. */
  #past: PluginCounts = noCounts;
  #drained: Promise<void> = Promise.resolve();

  /** Those whose last calls are under way. */
  get draining(): ReadonlySet<RunningVersion> {
    return this.#draining;
  }

  /** When the last calls of all are over. */
  get drained(): Promise<void> {
    return this.#drained;
  }

  /** Of all of them, whether they are gone or not. */
  get counts(): PluginCounts {
    return [...this.#draining].reduce(addCounts, this.#past);
  }

  add(old: RunningVersion): void {
    this.#draining.add(old);
    const drained = this.#drain(old);
    this.#drained = this.#drained.then(() => drained);
  }

  async #drain(old: RunningVersion): Promise<void> {
    await old.drain();
    this.#draining.delete(old);
    this.#past = addCounts(this.#past, old);
  }
}
