/** Bytes that are looked for in others, four at a time: one by one takes three times as long. */

export class ByteRun {
  readonly length: number;
  readonly #words: Int32Array;
  /** Those behind the last word, fewer than four. */
  readonly #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.length;
    this.#words = Int32Array.from({ length: bytes.length >>> 2 }, (_, index) =>
      view.getInt32(4 * index, true),
    );
    this.#rest = bytes.subarray(bytes.length & ~3);
  }

  /** Whether these bytes are there; the view must go on for as long as they do. */
  isAt(view: DataView, from: number): boolean {
    const words = this.#words;
    let at = from;
    for (let index = 0; index < words.length; index++, at += 4) {
      if (words[index] !== view.getInt32(at, true)) return false;
    }
    const rest = this.#rest;
    for (let index = 0; index < rest.length; index++) {
      if (rest[index] !== view.getUint8(at + index)) return false;
    }
    return true;
  }
}
