/**
 * Strings between JavaScript and linear memory. Short ones go through a loop, since every call into the
 * platform costs 40 to 100 ns; long ones through the methods of `Buffer`, which work on any byte view and, unlike
 * `TextDecoder`, take an offset and a length.
 */

import { Buffer } from "node:buffer";
import type { TextCodec } from "../component/core.ts";

/** Lengths up to which a loop is faster, measured on Node 26. */
const encodeLoopMax = 20;
const decodeLoopMax = 8;

/** The raw methods behind `buffer.toString` and `buffer.write`: declared nowhere, stable since Node 4. */
interface RawBufferMethods {
  utf8Write(this: Uint8Array, text: string, at: number, lengthMax: number): number;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  ucs2Slice(this: Uint8Array, start: number, end: number): string;
  latin1Slice(this: Uint8Array, start: number, end: number): string;
}

const { utf8Write, utf8Slice, ucs2Slice, latin1Slice } = Buffer.prototype as unknown as RawBufferMethods;

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const textCodec: TextCodec = {
  encodeUtf8(text, into, at) {
    const { length } = text;
    if (length > encodeLoopMax) return utf8Write.call(into, text, at, into.length - at);
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return utf8Write.call(into, text, at, into.length - at);
      into[at + index] = unit;
    }
    return length;
  },

  utf8Length(text) {
    return Buffer.byteLength(text, "utf8");
  },

  decodeUtf8(from, at, length) {
    if (length <= decodeLoopMax) {
      let text = "";
      let index = at;
      const end = at + length;
      for (; index < end; index++) {
        // The caller has checked the range against the memory.
        const byte = from[index] as number;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (index === end) return text;
    }
    const text = utf8Slice.call(from, at, at + length);
    // The lenient decoder put U+FFFD where the bytes are wrong, but the bytes may also have spelt one.
    if (!text.includes("\ufffd")) return text;
    return decodeStrictly(from, at, length);
  },

  decodeUtf16(from, at, codeUnits) {
    return ucs2Slice.call(from, at, at + 2 * codeUnits);
  },

  decodeLatin1(from, at, length) {
    return latin1Slice.call(from, at, at + length);
  },
};

function decodeStrictly(from: Uint8Array, at: number, length: number): string | undefined {
  try {
    return strictDecoder.decode(from.subarray(at, at + length));
  } catch {
    // The decoder's way to say that the bytes are not UTF-8, which is a value here.
    return undefined;
  }
}
