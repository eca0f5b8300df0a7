/** Who listens to which events of the small server. */

import type { ServerEvent } from "./event-types.ts";

type Listener = (event: ServerEvent) => void;

export class ServerEvents {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** Gives back what ends it. */
  on(type: string, listen: Listener): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listen));
    return () => {
      listeners.delete(listen);
      if (listeners.size === 0) this.#listeners.delete(type);
    };
  }

  emit(event: ServerEvent): void {
    for (const listen of this.#listeners.get(event.type) ?? []) listen(event);
  }
}
