/**
 * The strings of a packet that is nothing but ASCII, as pieces of one string: a packet is decoded once, instead of each
 * of its strings. A packet says of itself whether it is; one that lies gives other strings than it could have given
 * anyway, and no more.
 *
 * A piece keeps the whole alive, so this is for who lets go of all values together: the guest's side.
 */

import type { TextCodec } from "./core.ts";

export class PacketText implements TextCodec {
  readonly #text: TextCodec;
  /** Whether all that was written since `begin` is ASCII. */
  isAscii = true;
  #whole: string | undefined;

  get decodesShort(): boolean {
    return this.#whole !== undefined;
  }

  constructor(text: TextCodec) {
    this.#text = text;
  }

  begin(): void {
    this.isAscii = true;
    this.#whole = undefined;
  }

  /** From here on strings are pieces of these bytes. */
  share(bytes: Uint8Array, length: number): void {
    this.#whole = this.#text.decodeLatin1(bytes, 0, length);
  }

  /** Asked of every string that is long or turned out not to be ASCII; see `abi/strings.ts`. */
  utf8Length(text: string): number {
    const length = this.#text.utf8Length(text);
    if (length !== text.length) this.isAscii = false;
    return length;
  }

  encodeUtf8(text: string, into: Uint8Array, at: number): number {
    return this.#text.encodeUtf8(text, into, at);
  }

  decodeUtf8(from: Uint8Array, at: number, length: number): string | undefined {
    return this.#whole?.slice(at, at + length) ?? this.#text.decodeUtf8(from, at, length);
  }

  decodeUtf16(from: Uint8Array, at: number, codeUnits: number): string {
    return this.#text.decodeUtf16(from, at, codeUnits);
  }

  decodeLatin1(from: Uint8Array, at: number, length: number): string {
    return this.#text.decodeLatin1(from, at, length);
  }
}
