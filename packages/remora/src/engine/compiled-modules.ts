/**
 * Compiled modules in memory: the most recently used are kept, the others as long as an instance uses them. Several
 * caches can share them, each with files of its own.
 */

import type { CompiledModule } from "./compile.ts";
import { KnownByBytes } from "./known-by-bytes.ts";
import type { MadeModule } from "./module-maker.ts";

export interface CompiledModulesOptions {
  /** Compiled modules kept although no instance uses them. */
  readonly modulesMax?: number;
  /** Bytes of rewritten code that these may have together. */
  readonly bytesMax?: number;
}

export class CompiledModules {
  readonly #modulesMax: number;
  readonly #bytesMax: number;
  /** In order of use, the oldest first. */
  readonly #recent = new Map<string, MadeModule>();
  readonly #alive = new Map<string, WeakRef<CompiledModule>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    if (this.#alive.get(key)?.deref() === undefined) this.#alive.delete(key);
  });
  /** The same bytes object again, as in every further instance of a plugin. */
  readonly #known = new KnownByBytes<CompiledModule>();
  #sizeBytes = 0;

  constructor({ modulesMax = 128, bytesMax = 256 * 1024 * 1024 }: CompiledModulesOptions) {
    this.#modulesMax = modulesMax;
    this.#bytesMax = bytesMax;
  }

  /** How much is kept although it may not be in use. */
  get kept(): { readonly modules: number; readonly sizeBytes: number } {
    return { modules: this.#recent.size, sizeBytes: this.#sizeBytes };
  }

  /** By the very array, which does not change. */
  known(bytes: Uint8Array, options: string): CompiledModule | undefined {
    return this.#known.known(bytes, options);
  }

  know(bytes: Uint8Array, options: string, compiled: CompiledModule): void {
    this.#known.know(bytes, options, compiled);
  }

  find(key: string): CompiledModule | undefined {
    const entry = this.#recent.get(key);
    if (entry === undefined) return this.#alive.get(key)?.deref();
    this.#recent.delete(key);
    this.#recent.set(key, entry);
    return entry.compiled;
  }

  keep(key: string, entry: MadeModule): CompiledModule {
    this.#alive.set(key, new WeakRef(entry.compiled));
    this.#collected.register(entry.compiled, key);
    this.#recent.set(key, entry);
    this.#sizeBytes += entry.sizeBytes;
    for (const [oldKey, old] of this.#recent) {
      if (this.#recent.size <= this.#modulesMax && this.#sizeBytes <= this.#bytesMax) break;
      if (oldKey === key) break;
      this.#recent.delete(oldKey);
      this.#sizeBytes -= old.sizeBytes;
    }
    return entry.compiled;
  }

  clear(): void {
    this.#recent.clear();
    this.#alive.clear();
    this.#known.clear();
    this.#sizeBytes = 0;
  }
}
