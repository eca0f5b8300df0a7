/**
 * Values that plugins share, by key, in memory: gone when the manager closes. What a plugin keeps in it counts
 * against a quota of its own, so that none can take the room of the others.
 */

export interface SharedStateLimits {
  /** Keys that one plugin wrote last. */
  readonly keysMax: number;
  /** Their values, and the keys themselves at two bytes a character. */
  readonly bytesMax: number;
}

export const defaultSharedStateLimits: SharedStateLimits = { keysMax: 1_024, bytesMax: 4 * 1024 * 1024 };

export interface SharedEntry {
  readonly value: Uint8Array;
  /** Never the same twice for a key, so that nobody takes a new entry for the old one. */
  readonly version: bigint;
}

export type SetOutcome =
  | { readonly kind: "stored"; readonly version: bigint }
  | { readonly kind: "quota" | "changed" };

interface Owned extends SharedEntry {
  readonly owner: string;
}

export class SharedState {
  readonly #limits: SharedStateLimits;
  readonly #entries = new Map<string, Owned>();
  readonly #used = new Map<string, { keys: number; bytes: number }>();
  #version = 0n;

  constructor(limits: Partial<SharedStateLimits> = {}) {
    this.#limits = { ...defaultSharedStateLimits, ...limits };
  }

  /** A copy, which is the reader's own. */
  get(key: string): SharedEntry | undefined {
    const entry = this.#entries.get(key);
    return entry && { value: entry.value.slice(), version: entry.version };
  }

  /**
   * Keeps a copy of the value. Whoever wrote a key last pays for it.
   *
   * @param version Only when the entry still has it; 0 for one that must not be there; undefined for either way.
   */
  set(owner: string, key: string, value: Uint8Array, version?: bigint): SetOutcome {
    const old = this.#entries.get(key);
    if (version !== undefined && version !== (old?.version ?? 0n)) return { kind: "changed" };
    const bytes = costOf(key, value);
    const { keys, bytes: used } = this.usedBy(owner);
    const isOwn = old?.owner === owner;
    const own = isOwn ? costOf(key, old.value) : 0;
    if (used - own + bytes > this.#limits.bytesMax) return { kind: "quota" };
    if (!isOwn && keys + 1 > this.#limits.keysMax) return { kind: "quota" };
    this.#release(key, old);
    const entry = { owner, value: value.slice(), version: ++this.#version };
    this.#entries.set(key, entry);
    this.#count(owner, 1, bytes);
    return { kind: "stored", version: entry.version };
  }

  delete(key: string): void {
    const old = this.#entries.get(key);
    this.#release(key, old);
    this.#entries.delete(key);
  }

  /** Takes out all that a plugin wrote last: it was removed. */
  deleteAllOf(owner: string): void {
    for (const [key, entry] of this.#entries) if (entry.owner === owner) this.delete(key);
  }

  usedBy(owner: string): { readonly keys: number; readonly bytes: number } {
    return this.#used.get(owner) ?? { keys: 0, bytes: 0 };
  }

  #release(key: string, entry: Owned | undefined): void {
    if (entry !== undefined) this.#count(entry.owner, -1, -costOf(key, entry.value));
  }

  #count(owner: string, keys: number, bytes: number): void {
    const used = this.usedBy(owner);
    const next = { keys: used.keys + keys, bytes: used.bytes + bytes };
    if (next.keys === 0) this.#used.delete(owner);
    else this.#used.set(owner, next);
  }
}

function costOf(key: string, value: Uint8Array): number {
  return 2 * key.length + value.length;
}
