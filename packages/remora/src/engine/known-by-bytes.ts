/** What was made of an array of bytes, for whoever comes with the very same array again: no digest is needed then. */

/** Sets of options under which one array of bytes is known. */
const optionsMax = 8;

export class KnownByBytes<Made> {
  #known = new WeakMap<Uint8Array, Map<string, Made>>();

  /** By the very array, which does not change. */
  known(bytes: Uint8Array, options: string): Made | undefined {
    return this.#known.get(bytes)?.get(options);
  }

  know(bytes: Uint8Array, options: string, made: Made): void {
    const ofBytes = this.#known.get(bytes) ?? new Map<string, Made>();
    if (ofBytes.size >= optionsMax) ofBytes.clear();
    this.#known.set(bytes, ofBytes.set(options, made));
  }

  clear(): void {
    this.#known = new WeakMap();
  }
}
