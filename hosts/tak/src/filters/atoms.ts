/**
 * Affiliation and dimension out of a type `a-f-G-…`, as one bit each. Only types whose first atom is `a` have
 * them: the `a` in `b-a-o-tbl` is an alarm, not an assumed friend.
 */

import { type Affiliation, affiliationCodes, type Dimension, dimensionCodes } from "./spec.ts";

const hyphen = 0x2d;
const affiliationBits = bitsByLetter(affiliationCodes);
const dimensionBits = bitsByLetter(dimensionCodes);
const otherBit = 1 << Object.keys(dimensionCodes).indexOf("other");

/** The bit of a type's affiliation; 0 when it has none. */
export function affiliationOf(type: string): number {
  if (!isAtomsType(type) || !endsAtom(type, 3)) return 0;
  return affiliationBits[type.charCodeAt(2)] ?? 0;
}

/** The bit of a type's dimension; 0 when it has none. */
export function dimensionOf(type: string): number {
  if (!isAtomsType(type) || type.charCodeAt(3) !== hyphen || type.length < 5) return 0;
  if (type.charCodeAt(4) === hyphen) return 0;
  return endsAtom(type, 5) ? dimensionBits[type.charCodeAt(4)] || otherBit : otherBit;
}

export function affiliationMask(names: readonly Affiliation[]): number {
  return maskOf(names, Object.keys(affiliationCodes));
}

export function dimensionMask(names: readonly Dimension[]): number {
  return maskOf(names, Object.keys(dimensionCodes));
}

function isAtomsType(type: string): boolean {
  return type.charCodeAt(0) === 0x61 && type.charCodeAt(1) === hyphen;
}

function endsAtom(type: string, at: number): boolean {
  return type.length === at || type.charCodeAt(at) === hyphen;
}

function maskOf(names: readonly string[], order: readonly string[]): number {
  return names.reduce((mask, name) => mask | (1 << order.indexOf(name)), 0);
}

/** A bit for each ASCII letter that has a meaning, in both cases: some senders write `a-F-g`. */
function bitsByLetter(codes: Readonly<Record<string, string>>): Uint32Array {
  const bits = new Uint32Array(128);
  Object.values(codes).forEach((letter, index) => {
    if (letter === "") return;
    bits[letter.toLowerCase().charCodeAt(0)] = 1 << index;
    bits[letter.toUpperCase().charCodeAt(0)] = 1 << index;
  });
  return bits;
}
