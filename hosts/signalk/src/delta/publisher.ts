/** Tells deltas to everybody who listens, with one text for all of them. */

import type { StampedDelta } from "./delta.ts";
import { DeltaTexts } from "./delta-texts.ts";
import { Published } from "./published.ts";

export type Listen = (published: Published) => void;

export class Publisher {
  readonly #texts = new DeltaTexts();
  /** Another list with each change, so that nobody is passed over who listens while one is told. */
  #listeners: readonly Listen[] = [];

  get hasListeners(): boolean {
    return this.#listeners.length > 0;
  }

  /** Gives back what ends it. */
  add(listen: Listen): () => void {
    this.#listeners = [...this.#listeners, listen];
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== listen);
    };
  }

  tell(delta: StampedDelta, version: 1 | 2): void {
    const published = new Published(delta, version, this.#texts);
    try {
      const listeners = this.#listeners;
      for (let index = 0; index < listeners.length; index++) listeners[index]?.(published);
    } finally {
      published.told();
    }
  }
}
