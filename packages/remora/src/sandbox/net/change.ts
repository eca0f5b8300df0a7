/** Something that others wait for, again and again. Whoever waits is told of the next change, or stops waiting. */

export class Change {
  readonly #watchers = new Set<() => void>();

  /** Calls back once, at the next change. @returns How to stop that: nothing is left behind then. */
  watch(wake: () => void): () => void {
    const watcher = () => wake(); // of its own, whoever else watches with the same function
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Settles at the next change. */
  next(): Promise<void> {
    return new Promise((resolve) => void this.watch(resolve));
  }

  signal(): void {
    const woken = [...this.#watchers];
    this.#watchers.clear();
    for (const wake of woken) wake();
  }

  /** How many wait. */
  get watcherCount(): number {
    return this.#watchers.size;
  }
}
