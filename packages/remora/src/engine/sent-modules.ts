/**
 * Rewritten modules for whoever compiles them elsewhere: as long as their originals are there, and of those the most recently
 * used. What has had to make room is read from the store again, or rewritten.
 */

import type { KnownModule } from "./compile.ts";
import { KnownByBytes } from "./known-by-bytes.ts";
import type { RewrittenCode } from "./module-maker.ts";

/** A rewritten module on its way to where it is compiled. */
export type SentModule = RewrittenCode & KnownModule;

export interface SentModulesOptions {
  /** Bytes of rewritten code that are kept for processes, all modules together. Default: 64 MiB. */
  readonly sentBytesMax?: number;
}

/** What is kept for an original, until it has to make room. */
interface Place {
  readonly number: number;
  module: SentModule | undefined;
}

interface Kept {
  readonly place: WeakRef<Place>;
  readonly sizeBytes: number;
}

export class SentModules {
  readonly #bytesMax: number;
  readonly #places = new KnownByBytes<Place>();
  /** By the number of the place, in order of use, the oldest first. */
  readonly #recent = new Map<number, Kept>();
  readonly #collected = new FinalizationRegistry<number>((number) => this.#forget(number));
  #lastNumber = 0;
  #sizeBytes = 0;

  constructor({ sentBytesMax = 64 * 1024 * 1024 }: SentModulesOptions = {}) {
    this.#bytesMax = sentBytesMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** By the very array, which does not change. */
  known(bytes: Uint8Array, options: string): SentModule | undefined {
    const { number, module } = this.#places.known(bytes, options) ?? {};
    const kept = number === undefined ? undefined : this.#recent.get(number);
    if (number === undefined || kept === undefined) return undefined;
    this.#recent.delete(number);
    this.#recent.set(number, kept);
    return module;
  }

  know(bytes: Uint8Array, options: string, module: SentModule): void {
    const before = this.#places.known(bytes, options);
    if (before !== undefined) this.#forget(before.number);
    const place: Place = { number: ++this.#lastNumber, module };
    const sizeBytes = module.bytes.length;
    this.#places.know(bytes, options, place);
    this.#collected.register(place, place.number);
    this.#recent.set(place.number, { place: new WeakRef(place), sizeBytes });
    this.#sizeBytes += sizeBytes;
    for (const [number, old] of this.#recent) {
      if (this.#sizeBytes <= this.#bytesMax || number === place.number) break;
      const oldest = old.place.deref();
      if (oldest !== undefined) oldest.module = undefined;
      this.#forget(number);
    }
  }

  clear(): void {
    this.#places.clear();
    this.#recent.clear();
    this.#sizeBytes = 0;
  }

  #forget(number: number): void {
    this.#sizeBytes -= this.#recent.get(number)?.sizeBytes ?? 0;
    this.#recent.delete(number);
  }
}
