/** The memory of a guest behind a wall, between its calls: each piece is asked for by itself, and nothing of it is believed. */

import type { IsolatedInstance } from "../engine/index.ts";
import { abiErrors } from "./errors.ts";

const pageBytes = 65_536;

/** Memory of the guest's. */
export interface Block {
  readonly pointer: number;
  readonly length: number;
}

export class IsolatedMemory {
  readonly #instance: IsolatedInstance;

  constructor(instance: IsolatedInstance) {
    this.#instance = instance;
  }

  async write({ pointer }: Block, bytes: Uint8Array, what: string): Promise<void> {
    if (await this.#instance.writeMemory(pointer, bytes)) return;
    throw this.#outside(what, { pointer, length: bytes.length });
  }

  async read(block: Block, what: string, lengthMax: number): Promise<Uint8Array> {
    const { pointer, length } = block;
    if (length > lengthMax) throw abiErrors["too-long"]({ what, length, lengthMax });
    const bytes = await this.#instance.readMemory(pointer, length);
    if (bytes === undefined) throw this.#outside(what, block);
    return bytes;
  }

  /** A managed object, whose header's last word is its length in bytes; null is empty. */
  async object(pointer: number, what: string, lengthMax: number): Promise<Uint8Array> {
    if (pointer === 0) return new Uint8Array(0);
    const [length = 0] = await this.#words(pointer - 4, 1, what);
    return this.read({ pointer, length }, what, lengthMax);
  }

  async string(pointer: number, what: string, bytesMax: number): Promise<string> {
    const bytes = await this.object(pointer, what, bytesMax);
    // Half a unit at the end is not read.
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length & ~1).toString("utf16le");
  }

  /** An Array of references: buffer, start of the data, its bytes, the length; a word each. */
  async references(pointer: number, what: string, lengthMax: number): Promise<readonly number[]> {
    if (pointer === 0) return [];
    const [, start = 0, , length = 0] = await this.#words(pointer, 4, what);
    if (length > lengthMax)
      throw abiErrors["too-long"]({ what, length: 4 * length, lengthMax: 4 * lengthMax });
    return this.#words(start, length, what);
  }

  async #words(pointer: number, count: number, what: string): Promise<readonly number[]> {
    const length = 4 * count;
    if (pointer < 0) throw this.#outside(what, { pointer, length });
    const bytes = await this.read({ pointer, length }, what, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    return Array.from({ length: count }, (_, index) => view.getUint32(4 * index, true));
  }

  #outside(what: string, { pointer, length }: Block): Error {
    const memoryBytes = this.#instance.report.memoryPages * pageBytes;
    return abiErrors["out-of-bounds"]({ what, pointer, length, memoryBytes });
  }
}
