/**
 * Linear memory as preview 1 uses it. The guest chooses every pointer and length: each access is checked, and one
 * outside memory is the errno `fault`. Pointers arrive as signed 32-bit numbers.
 */

import { FsError } from "../fs/errno.ts";
import type { GuestMemory } from "../guest.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export class GuestBytes {
  readonly #memory: GuestMemory;
  #dataView: DataView = new DataView(new ArrayBuffer(0));

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** The bytes themselves, not a copy: valid until the guest runs again. */
  slice(pointer: number, length: number): Uint8Array {
    const bytes = this.#memory.view();
    const at = pointer >>> 0;
    const count = length >>> 0;
    if (at + count > bytes.length) throw new FsError("fault");
    return bytes.subarray(at, at + count);
  }

  text(pointer: number, length: number): string {
    const bytes = this.slice(pointer, length);
    try {
      return decoder.decode(bytes);
    } catch {
      // A fatal decoder has one failure: the bytes are not UTF-8.
      throw new FsError("ilseq");
    }
  }

  u8(pointer: number): number {
    return this.#view(pointer, 1).getUint8(pointer >>> 0);
  }

  u16(pointer: number): number {
    return this.#view(pointer, 2).getUint16(pointer >>> 0, true);
  }

  u32(pointer: number): number {
    return this.#view(pointer, 4).getUint32(pointer >>> 0, true);
  }

  u64(pointer: number): bigint {
    return this.#view(pointer, 8).getBigUint64(pointer >>> 0, true);
  }

  setU8(pointer: number, value: number): void {
    this.#view(pointer, 1).setUint8(pointer >>> 0, value);
  }

  setU16(pointer: number, value: number): void {
    this.#view(pointer, 2).setUint16(pointer >>> 0, value, true);
  }

  setU32(pointer: number, value: number): void {
    this.#view(pointer, 4).setUint32(pointer >>> 0, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.#view(pointer, 8).setBigUint64(pointer >>> 0, value, true);
  }

  set(pointer: number, bytes: Uint8Array): void {
    this.slice(pointer, bytes.length).set(bytes);
  }

  #view(pointer: number, length: number): DataView {
    const bytes = this.#memory.view();
    if ((pointer >>> 0) + length > bytes.length) throw new FsError("fault");
    if (this.#dataView.buffer !== bytes.buffer || this.#dataView.byteLength !== bytes.length) {
      this.#dataView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#dataView;
  }
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
