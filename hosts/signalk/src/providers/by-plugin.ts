/** Providers of one kind, of which each plugin has one: weather, radars. The first is the default. */

export class ByPlugin<Registration extends { readonly plugin: string; readonly name: string }> {
  readonly #providers = new Map<string, Registration>();
  #chosen: string | undefined;

  register(registration: Registration): () => void {
    const { plugin } = registration;
    this.#providers.set(plugin, registration);
    return () => {
      if (this.#providers.get(plugin) === registration) this.#providers.delete(plugin);
    };
  }

  get defaultId(): string | undefined {
    if (this.#chosen !== undefined && this.#providers.has(this.#chosen)) return this.#chosen;
    return this.#providers.keys().next().value;
  }

  /** @returns false when there is no such provider */
  choose(plugin: string): boolean {
    if (!this.#providers.has(plugin)) return false;
    this.#chosen = plugin;
    return true;
  }

  /** One by its plugin's id, or the default. */
  find(plugin?: string): Registration | undefined {
    const id = plugin ?? this.defaultId;
    return id === undefined ? undefined : this.#providers.get(id);
  }

  all(): Registration[] {
    return [...this.#providers.values()];
  }

  /** As the interfaces list them. */
  list(): Record<string, { name: string; isDefault: boolean }> {
    const { defaultId } = this;
    return Object.fromEntries(
      [...this.#providers].map(([id, { name }]) => [id, { name, isDefault: id === defaultId }]),
    );
  }
}
