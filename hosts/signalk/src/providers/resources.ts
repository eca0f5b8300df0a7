/**
 * Resources: routes, waypoints and kinds of their own, each kept by one or more plugins. A question goes to all that
 * keep the kind; a change to one of them.
 */

import { signalkErrors } from "../errors.ts";
import { isUnavailable } from "../failure-status.ts";
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

  /** All of a kind, by id. A provider that fails has none; the others still answer. @throws why none of them can be asked */
  async list(type: string, query: Readonly<Record<string, unknown>>, provider?: string) {
    const answers = await answersOf(this.#asked(type, provider), (each) => each.list(query));
    return Object.assign({}, ...answers.map(({ value }) => value));
  }

  /** The first answer; undefined when nobody has it. @throws why none that keeps the kind can be asked */
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
    const answers = await answersOf(this.#asked(type, provider), (each) => each.get(id, property));
    return answers.find(({ value }) => isFound(value));
  }

  #asked(type: string, provider: string | undefined): ResourceRegistration[] {
    const providers = this.#byType.get(type);
    if (providers === undefined) return [];
    if (provider === undefined) return [...providers.values()];
    const one = providers.get(provider);
    return one === undefined ? [] : [one];
  }
}

/** Of those that answer. @throws when nobody does, why one of them cannot be asked now */
async function answersOf<Value>(
  providers: readonly ResourceRegistration[],
  ask: (provider: ResourceRegistration) => Promise<Value>,
): Promise<{ readonly provider: ResourceRegistration; readonly value: Value }[]> {
  const asked = await Promise.allSettled(
    providers.map(async (provider) => ({ provider, value: await ask(provider) })),
  );
  const answers = asked.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = asked.find((each) => each.status === "rejected" && isUnavailable(each.reason));
  if (answers.length === 0 && failed?.status === "rejected") throw failed.reason;
  return answers;
}

/** Plugins say that they have nothing with null, `{}`, or `{"error": …}`. */
export function isFound(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "object") return true;
  return Object.keys(value).length > 0 && !("error" in value && Object.keys(value).length === 1);
}
