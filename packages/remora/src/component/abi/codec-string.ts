/** Codecs of strings: an address, and a length that says in `latin1+utf16` also which of the two it is. */

import { type AddressType, addressOf } from "./address.ts";
import type { Codec } from "./codec.ts";
import type { Context } from "./context.ts";
import { loadString, storeString, storeStringAt, stringBytesMax, utf16Tag } from "./strings.ts";
import { trap } from "./trap.ts";

const check = (value: unknown): boolean => typeof value === "string";

const narrow: Codec<string> = {
  type: { kind: "string" },
  size: 8,
  align: 4,
  flat: ["i32", "i32"],
  check,
  store: storeStringAt,
  load: (cx, pointer) =>
    loadString(cx, cx.view.getUint32(pointer, true), cx.view.getUint32(pointer + 4, true)),
  lower: (cx, value, out, at) => {
    out[at] = storeString(cx, value);
    out[at + 1] = cx.length;
  },
  lift: (cx, flat, at) => loadString(cx, addressOf(flat[at]), addressOf(flat[at + 1])),
  single: undefined,
};

const wide: Codec<string> = {
  type: { kind: "string" },
  size: 16,
  align: 8,
  flat: ["i64", "i64"],
  check,
  store: (cx, value, pointer) => {
    const at = storeString(cx, value);
    cx.view.setBigUint64(pointer, BigInt(at), true);
    cx.view.setBigUint64(pointer + 8, wideLength(cx), true);
  },
  load: (cx, pointer) => {
    const at = addressOf(cx.view.getBigUint64(pointer, true));
    return loadString(cx, at, narrowLength(cx, cx.view.getBigUint64(pointer + 8, true)));
  },
  lower: (cx, value, out, at) => {
    out[at] = BigInt(storeString(cx, value));
    out[at + 1] = wideLength(cx);
  },
  lift: (cx, flat, at) => loadString(cx, addressOf(flat[at]), narrowLength(cx, BigInt(flat[at + 1] ?? 0))),
  single: undefined,
};

export const stringCodecs: Readonly<Record<AddressType, Codec<string>>> = { i32: narrow, i64: wide };

/** CanonicalABI.md, "utf16_tag": the highest bit of a length, wherever that is. */
const wideTag = 1n << 63n;

function wideLength({ encoding, length }: Context): bigint {
  const isTagged = encoding === "latin1+utf16" && length >= utf16Tag;
  return isTagged ? BigInt(length - utf16Tag) | wideTag : BigInt(length);
}

function narrowLength({ encoding }: Context, given: bigint): number {
  const length = BigInt.asUintN(64, given);
  const isTagged = encoding === "latin1+utf16" && length >= wideTag;
  const units = Number(isTagged ? length ^ wideTag : length);
  // Before it could be taken for a tag of 32 bits.
  if (units > stringBytesMax) trap(`a string of ${units} units is longer than ${stringBytesMax} bytes`);
  return isTagged ? units + utf16Tag : units;
}
