/** Providers of one kind, of which each plugin has one: weather, radars. The first is the default. */

import { Choices } from "./choices.ts";

export class ByPlugin<Registration extends { readonly plugin: string; readonly name: string }> {
  readonly #choices = new Choices<Registration>();

  register(registration: Registration): () => void {
    const { plugin } = registration;
    this.#choices.byName.set(plugin, registration);
    return () => {
      if (this.#choices.byName.get(plugin) === registration) this.#choices.byName.delete(plugin);
    };
  }

  get defaultId(): string | undefined {
    return this.#choices.defaultName;
  }

  /** @returns false when there is no such provider */
  choose(plugin: string): boolean {
    return this.#choices.choose(plugin);
  }

  /** One by its plugin's id, or the default. */
  find(plugin?: string): Registration | undefined {
    const id = plugin ?? this.defaultId;
    return id === undefined ? undefined : this.#choices.byName.get(id);
  }

  all(): Registration[] {
    return [...this.#choices.byName.values()];
  }

  /** As the interfaces list them. */
  list(): Record<string, { name: string; isDefault: boolean }> {
    const { defaultId } = this;
    return Object.fromEntries(
      [...this.#choices.byName].map(([id, { name }]) => [id, { name, isDefault: id === defaultId }]),
    );
  }
}
