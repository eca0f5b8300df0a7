/**
 * Resources: routes, waypoints and kinds of their own, each kept by one or more plugins. A question goes to all that
 * keep the kind; a change to one of them.
 */

import { signalkErrors } from "../errors.ts";
import type { ResourceRegistration } from "../server-port.ts";

export class Resources {
  readonly #byType = new Map<string, Map<string, ResourceRegistration>>();

  register(registration: ResourceRegistration): () => void {
    const { type, plugin } = registration;
    const providers = this.#byType.get(type) ?? new Map<string, ResourceRegistration>();
    this.#byType.set(type, providers.set(plugin, registration));
    return () => {
      if (providers.get(plugin) !== registration) return;
      providers.delete(plugin);
      if (providers.size === 0) this.#byType.delete(type);
    };
  }

  types(): string[] {
    return [...this.#byType.keys()];
  }

  providersOf(type: string): string[] {
    return [...(this.#byType.get(type)?.keys() ?? [])];
  }

  /** All of a kind, by id. A provider that fails has none; the others still answer. */
  async list(type: string, query: Readonly<Record<string, unknown>>, provider?: string) {
    const answers = await Promise.allSettled(this.#asked(type, provider).map((each) => each.list(query)));
    return Object.assign({}, ...answers.map((answer) => (answer.status === "fulfilled" ? answer.value : {})));
  }

  /** The first answer; undefined when nobody has it. */
  async get(type: string, id: string, property?: string, provider?: string): Promise<unknown> {
    const found = await this.#find(type, id, property, provider);
    return found?.value;
  }

  /** @throws signalk/no-provider and whatever the provider's handler fails with */
  async set(type: string, id: string, value: unknown, provider?: string): Promise<void> {
    await (await this.#keeper(type, id, provider)).set(id, value);
  }

  /** @throws signalk/no-provider and whatever the provider's handler fails with */
  async remove(type: string, id: string, provider?: string): Promise<void> {
    await (await this.#keeper(type, id, provider)).remove(id);
  }

  /** Who has it already, or else the first of the kind. */
  async #keeper(type: string, id: string, provider: string | undefined): Promise<ResourceRegistration> {
    const candidates = this.#asked(type, provider);
    const keeper =
      candidates.length > 1
        ? ((await this.#find(type, id, undefined, provider))?.provider ?? candidates[0])
        : candidates[0];
    if (keeper === undefined) throw signalkErrors["no-provider"]({ kind: `resources of the type "${type}"` });
    return keeper;
  }

  async #find(type: string, id: string, property: string | undefined, provider: string | undefined) {
    const candidates = this.#asked(type, provider);
    const answers = await Promise.allSettled(candidates.map((each) => each.get(id, property)));
    for (const [index, answer] of answers.entries()) {
      const candidate = candidates[index];
      if (answer.status === "fulfilled" && isFound(answer.value) && candidate !== undefined) {
        return { provider: candidate, value: answer.value };
      }
    }
    return undefined;
  }

  #asked(type: string, provider: string | undefined): ResourceRegistration[] {
    const providers = this.#byType.get(type);
    if (providers === undefined) return [];
    if (provider === undefined) return [...providers.values()];
    const one = providers.get(provider);
    return one === undefined ? [] : [one];
  }
}

/** Plugins say that they have nothing with null, `{}`, or `{"error": …}`. */
export function isFound(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "object") return true;
  return Object.keys(value).length > 0 && !("error" in value && Object.keys(value).length === 1);
}
