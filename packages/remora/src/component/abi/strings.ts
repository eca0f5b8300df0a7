/** Strings between JavaScript and linear memory, in the three encodings (CanonicalABI.md, "load_string", "store_string"). */

import type { Context } from "./context.ts";
import { trap } from "./trap.ts";

/** CanonicalABI.md: MAX_STRING_BYTE_LENGTH. */
export const stringBytesMax = 2 ** 28 - 1;
export const utf16Tag = 0x8000_0000;

/** Long enough that the platform is not asked much more often, and short enough to take less than a millisecond. */
const pieceBytes = 128 * 1024;

// Measured on V8 14.6: below these a loop beats one call of the platform's encoder or decoder.
const shortToEncode = 40;
const shortToDecode = 10;

/** Lowers a string: gives the pointer, and leaves the (tagged) number of code units in `cx.length`. */
export function storeString(cx: Context, text: string): number {
  if (cx.encoding === "utf8") return storeUtf8(cx, text);
  return cx.encoding === "utf16" ? storeUtf16(cx, text) : storeLatin1OrUtf16(cx, text);
}

/**
 * Lowers a string and writes its pointer and length to memory. Short strings of ASCII are most of what records
 * hold: for these everything is in this one function, since each call on the way costs as much as four characters.
 * What is not ASCII is noticed behind the loop, when the allocation is made anew at the exact size.
 */
export function storeStringAt(cx: Context, text: string, at: number): void {
  const { length } = text;
  if (length > shortToEncode || cx.encoding !== "utf8") {
    storeAnyStringAt(cx, text, at);
    return;
  }
  const pointer = cx.allocate(1, length);
  const { bytes, view } = cx;
  let seen = 0;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    bytes[pointer + index] = unit;
    seen |= unit;
  }
  if (seen > 0x7f) {
    growStringAt(cx, text, pointer, at);
    return;
  }
  view.setUint32(at, pointer, true);
  view.setUint32(at + 4, length, true);
}

function storeAnyStringAt(cx: Context, text: string, at: number): void {
  const pointer = storeString(cx, text);
  cx.view.setUint32(at, pointer, true);
  cx.view.setUint32(at + 4, cx.length, true);
}

/** The same for a string that was allocated at `pointer` and turned out not to be ASCII. */
export function growStringAt(cx: Context, text: string, pointer: number, at: number): void {
  const larger = growToUtf8(cx, text, pointer);
  cx.view.setUint32(at, larger, true);
  cx.view.setUint32(at + 4, cx.length, true);
}

/** On the first character that is not ASCII: to the exact size at once, with everything written anew. */
function growToUtf8(cx: Context, text: string, pointer: number): number {
  const size = cx.engine.text.utf8Length(text);
  const larger = cx.reallocate(pointer, text.length, 1, size);
  cx.engine.text.encodeUtf8(text, cx.bytes, larger);
  cx.length = size;
  return larger;
}

function storeUtf8(cx: Context, text: string): number {
  const length = text.length;
  if (length > shortToEncode) return storeLongUtf8(cx, text);
  const pointer = cx.allocate(1, length);
  const bytes = cx.bytes;
  let seen = 0;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    bytes[pointer + index] = unit;
    seen |= unit;
  }
  if (seen > 0x7f) return growToUtf8(cx, text, pointer);
  cx.length = length;
  return pointer;
}

function storeLongUtf8(cx: Context, text: string): number {
  const size = checkedSize(cx.engine.text.utf8Length(text));
  const pointer = cx.allocate(1, size);
  cx.engine.text.encodeUtf8(text, cx.bytes, pointer);
  cx.length = size;
  return pointer;
}

function storeUtf16(cx: Context, text: string): number {
  const length = text.length;
  const pointer = cx.allocate(2, checkedSize(2 * length));
  writeUtf16(cx, text, pointer);
  cx.length = length;
  return pointer;
}

function storeLatin1OrUtf16(cx: Context, text: string): number {
  const length = text.length;
  checkedSize(2 * length);
  let isLatin1 = true;
  for (let index = 0; index < length && isLatin1; index++) isLatin1 = text.charCodeAt(index) < 0x100;
  if (!isLatin1) {
    const pointer = storeUtf16(cx, text);
    // The tag is the highest bit of the pointer-sized length.
    cx.length = (cx.length | utf16Tag) >>> 0;
    return pointer;
  }
  const pointer = cx.allocate(2, length);
  const bytes = cx.bytes;
  for (let index = 0; index < length; index++) bytes[pointer + index] = text.charCodeAt(index);
  cx.length = length;
  return pointer;
}

/**
 * A lone surrogate becomes U+FFFD, which takes one unit as well. Whether there may be one is looked at behind the loop,
 * by the bits of all units together: a branch for each costs a third of the loop, and `toWellFormed` as much as it.
 */
function writeUtf16(cx: Context, text: string, pointer: number): void {
  const { units } = cx;
  const first = pointer / 2;
  const length = text.length;
  let seen = 0;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    units[first + index] = unit;
    seen |= unit;
  }
  if (seen >= 0xd800 && !text.isWellFormed()) writeUtf16(cx, text.toWellFormed(), pointer);
}

function checkedSize(size: number): number {
  if (size > stringBytesMax) trap(`a string of ${size} bytes is longer than ${stringBytesMax}`);
  return size;
}

/** Lifts a string; the guest controls both numbers. */
export function loadString(cx: Context, pointer: number, taggedUnits: number): string {
  if (cx.encoding === "utf8") return loadUtf8(cx, pointer, taggedUnits);
  if (cx.encoding === "utf16") return loadUtf16(cx, pointer, taggedUnits);
  if (taggedUnits >= utf16Tag) return loadUtf16(cx, pointer, taggedUnits - utf16Tag);
  cx.checkRange(pointer, 2, checkedSize(taggedUnits));
  cx.spendLift(taggedUnits);
  return inPieces(cx, pointer, taggedUnits, latin1Piece);
}

function loadUtf8(cx: Context, pointer: number, size: number): string {
  const bytes = cx.bytes;
  if (size > stringBytesMax || pointer + size > bytes.length) cx.checkRange(pointer, 1, checkedSize(size));
  if (size <= shortToDecode && cx.engine.text.decodesShort !== true) {
    let text = "";
    let index = 0;
    for (; index < size; index++) {
      const byte = bytes[pointer + index] as number; // In bounds: checked above.
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (index === size) return text;
  }
  cx.spendLift(size);
  if (size > pieceBytes) return inPieces(cx, pointer, size, utf8Piece);
  return cx.engine.text.decodeUtf8(bytes, pointer, size) ?? notUtf8();
}

function loadUtf16(cx: Context, pointer: number, units: number): string {
  cx.checkRange(pointer, 2, checkedSize(2 * units));
  cx.spendLift(2 * units);
  return inPieces(cx, pointer, 2 * units, utf16Piece);
}

/** How text of an encoding is cut, and what a piece says. */
interface Piece {
  /** Where a piece may end: at `end`, or a little before it where a character must not be cut. */
  readonly cut: (bytes: Uint8Array, end: number) => number;
  readonly decode: (cx: Context, at: number, size: number) => string;
}

const latin1Piece: Piece = {
  cut: (_, end) => end,
  decode: (cx, at, size) => cx.engine.text.decodeLatin1(cx.bytes, at, size),
};

const utf8Piece: Piece = {
  cut: (bytes, end) => {
    let at = end;
    // A character has at most three bytes behind its first; more of them are not UTF-8 wherever they are cut.
    while (at > end - 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
    return at;
  },
  decode: (cx, at, size) => cx.engine.text.decodeUtf8(cx.bytes, at, size) ?? notUtf8(),
};

const utf16Piece: Piece = {
  // The unit before the cut may be the first half of a surrogate pair.
  cut: (bytes, end) => (((bytes[end - 1] ?? 0) & 0xfc) === 0xd8 ? end - 2 : end),
  decode: (cx, at, size) => {
    const text = cx.engine.text.decodeUtf16(cx.bytes, at, size / 2);
    return text.isWellFormed() ? text : trap("a string is not UTF-16: it has a lone surrogate");
  },
};

/** Between the pieces of a long string the clock may be looked at. */
function inPieces(cx: Context, pointer: number, size: number, { cut, decode }: Piece): string {
  if (size <= pieceBytes) return decode(cx, pointer, size);
  const end = pointer + size;
  let text = "";
  for (let at = pointer; at < end; ) {
    cx.pace(pieceBytes);
    const next = end - at <= pieceBytes ? end : cut(cx.bytes, at + pieceBytes);
    text += decode(cx, at, next - at);
    at = next;
  }
  return text;
}

function notUtf8(): never {
  return trap("a string is not UTF-8");
}
