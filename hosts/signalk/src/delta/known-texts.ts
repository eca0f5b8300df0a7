/**
 * Short texts by their bytes: names and paths come again and again, and finding one costs less than decoding it. A table of
 * fixed size in which the newest of two that meet stays: whoever writes the bytes can make it slower, and no larger.
 */

const slotsCount = 1_024;
const bytesMax = 96;

export interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** FNV-1a, by which a table is filled evenly enough. */
export const hashStart = 0x811c_9dc5;
export const hashed = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x0100_0193);

export class KnownTexts {
  readonly #slots: (Known | undefined)[] = new Array<Known | undefined>(slotsCount).fill(undefined);

  /** @param texts Whose very strings are to be found, so that comparing with them compares no characters. */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const bytes = new TextEncoder().encode(text);
      this.#keep({ bytes, text }, bytes.reduce(hashed, hashStart));
    }
  }

  /**
   * The text of these bytes, which are ASCII.
   *
   * @param hash Of them, by `hashed`.
   */
  find(bytes: Uint8Array, from: number, end: number, hash: number): Known {
    if (end - from > bytesMax) return copied(bytes, from, end);
    const known = this.#slots[slotOf(hash)];
    if (known !== undefined && known.bytes.length === end - from && startsWith(known.bytes, bytes, from))
      return known;
    return this.#keep(copied(bytes, from, end), hash);
  }

  #keep(known: Known, hash: number): Known {
    this.#slots[slotOf(hash)] = known;
    return known;
  }
}

/** Whether these bytes go on with that text. What is behind the last of them is like nothing. */
export function startsWith(wanted: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < wanted.length; index++) if (wanted[index] !== bytes[from + index]) return false;
  return true;
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & (slotsCount - 1);
}

function copied(bytes: Uint8Array, from: number, end: number): Known {
  const copy = Buffer.from(bytes.subarray(from, end));
  return { bytes: copy, text: copy.toString("latin1") };
}
