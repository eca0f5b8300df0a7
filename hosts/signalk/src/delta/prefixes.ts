/** The first so many units of a buffer, as views of bytes. Making one takes longer than writing a number, so that some are kept. */

/** A power of two. */
const viewsCount = 16;

export class Prefixes {
  readonly #buffer: ArrayBuffer;
  /** By the last bits of how many units they have. */
  readonly #views: Uint8Array[];
  readonly #unitBytes: number;

  constructor(buffer: ArrayBuffer, unitBytes: 1 | 2) {
    this.#buffer = buffer;
    this.#unitBytes = unitBytes;
    this.#views = new Array<Uint8Array>(viewsCount).fill(new Uint8Array(buffer));
  }

  /** @param count Of units. */
  of(count: number): Uint8Array {
    const length = count * this.#unitBytes;
    const kept = this.#views[count & (viewsCount - 1)];
    if (kept !== undefined && kept.length === length) return kept;
    const view = new Uint8Array(this.#buffer, 0, length);
    this.#views[count & (viewsCount - 1)] = view;
    return view;
  }
}
