/** Strings of the text format (core specification §6.3.3). */

import { encodeUtf8 } from "../utf8.ts";

/** A name in quotes. Only printable ASCII stays: nothing in it can confuse a terminal. */
export function quote(text: string): string {
  return quoteBytes(encodeUtf8(text));
}

export function quoteBytes(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\${byte.toString(16).padStart(2, "0")}`;
  }
  return `${text}"`;
}
