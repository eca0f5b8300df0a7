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
    const at = unsigned(pointer);
    const count = unsigned(length);
    if (at + count > bytes.length) throw new FsError("fault");
    return bytes.subarray(at, at + count);
  }

  /** The same bytes, to be written: all of them count as changed. */
  room(pointer: number, length: number): Uint8Array {
    const part = this.slice(pointer, length);
    this.wrote(part, part.length);
    return part;
  }

  /** The first bytes of a part that `slice` gave were changed. */
  wrote(part: Uint8Array, length: number): void {
    this.#memory.wrote?.(part.byteOffset - this.#memory.view().byteOffset, length);
  }

  /** @throws FsError `nametoolong` before anything is made of it, `ilseq` for what is no UTF-8 */
  text(pointer: number, length: number, bytesMax: number): string {
    const bytes = this.slice(pointer, length);
    if (bytes.length > bytesMax) throw new FsError("nametoolong");
    try {
      return decoder.decode(bytes);
    } catch {
      // A fatal decoder has one failure: the bytes are not UTF-8.
      throw new FsError("ilseq");
    }
  }

  u8(pointer: number): number {
    return this.#view(pointer, 1).getUint8(unsigned(pointer));
  }

  u16(pointer: number): number {
    return this.#view(pointer, 2).getUint16(unsigned(pointer), true);
  }

  u32(pointer: number): number {
    return this.#view(pointer, 4).getUint32(unsigned(pointer), true);
  }

  u64(pointer: number): bigint {
    return this.#view(pointer, 8).getBigUint64(unsigned(pointer), true);
  }

  setU8(pointer: number, value: number): void {
    this.#view(pointer, 1).setUint8(unsigned(pointer), value);
    this.#memory.wrote?.(unsigned(pointer), 1);
  }

  setU16(pointer: number, value: number): void {
    this.#view(pointer, 2).setUint16(unsigned(pointer), value, true);
    this.#memory.wrote?.(unsigned(pointer), 2);
  }

  setU32(pointer: number, value: number): void {
    this.#view(pointer, 4).setUint32(unsigned(pointer), value, true);
    this.#memory.wrote?.(unsigned(pointer), 4);
  }

  setU64(pointer: number, value: bigint): void {
    this.#view(pointer, 8).setBigUint64(unsigned(pointer), value, true);
    this.#memory.wrote?.(unsigned(pointer), 8);
  }

  set(pointer: number, bytes: Uint8Array): void {
    this.room(pointer, bytes.length).set(bytes);
  }

  #view(pointer: number, length: number): DataView {
    const bytes = this.#memory.view();
    if (unsigned(pointer) + length > bytes.length) throw new FsError("fault");
    if (this.#dataView.buffer !== bytes.buffer || this.#dataView.byteLength !== bytes.length) {
      this.#dataView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#dataView;
  }
}

/** A signed i32 as the address that it means; a sum beyond 2^32 stays what it is, and is outside of any memory. */
function unsigned(value: number): number {
  return value < 0 ? value + 0x1_0000_0000 : value;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
