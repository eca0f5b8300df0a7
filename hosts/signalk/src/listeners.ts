/** Who listens to what, by name: streams of bytes, events of the server. Nothing is remembered for those who come later. */

export type Listener<Told> = (told: Told) => void;

export class Listeners<Told> {
  readonly #byName = new Map<string, Set<Listener<Told>>>();

  /** Gives back what ends it, however often it is called. */
  listen(name: string, listener: Listener<Told>): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byName.get(name) === listeners) this.#byName.delete(name);
    };
  }

  emit(name: string, told: Told): void {
    for (const listener of this.#byName.get(name) ?? []) listener(told);
  }
}
