/** Tells deltas to everybody who listens, with one text for all of them. */

import type { StampedDelta } from "./delta.ts";
import { DeltaTexts } from "./delta-texts.ts";
import { Published } from "./published.ts";

export type Listen = (published: Published) => void;

export class Publisher {
  readonly #texts = new DeltaTexts();
  readonly #listeners = new Set<Listen>();

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Gives back what ends it. */
  add(listen: Listen): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  tell(delta: StampedDelta, version: 1 | 2): void {
    const published = new Published(delta, version, this.#texts);
    try {
      for (const listen of this.#listeners) listen(published);
    } finally {
      published.told();
    }
  }
}
