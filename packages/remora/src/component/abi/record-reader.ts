/**
 * Reads the fields of records at places in the source that belong to them. V8 learns for each place that reads a property
 * which names come there: where it is always the same one it reads in 1 to 2 ns, and in 7 to 11 where it is any. So here
 * are readers of the same text, and each kind of record that is read often is given as many as it needs, for good. When
 * there are none left, records are read as `record-shape.ts` does it without.
 */

import { isLeftOut, isOptional, isString, type KeptField, keep } from "./record-field.ts";

type RecordValue = Readonly<Record<string, unknown>>;
type Kept = unknown[];
type Numbers = Float64Array;

/** All fields of a record, and the readers that are theirs. */
export interface Readings {
  readonly texts: readonly TextReading[];
  readonly others: readonly OtherReading[];
}

/** Up to eight strings, whose kept values lie in a row. */
interface TextReading {
  readonly read: TextReader;
  readonly place: number;
  /** A bit for each that may be left out. */
  readonly optional: number;
  readonly a: string;
  readonly b: string | undefined;
  readonly c: string | undefined;
  readonly d: string | undefined;
  readonly e: string | undefined;
  readonly f: string | undefined;
  readonly g: string | undefined;
  readonly h: string | undefined;
}

/** Up to four fields of any kind. */
interface OtherReading {
  readonly read: OtherReader;
  readonly a: KeptField;
  readonly b: KeptField | undefined;
  readonly c: KeptField | undefined;
  readonly d: KeptField | undefined;
}

type TextReader = (of: TextReading, from: RecordValue, kept: Kept, at: number) => boolean;
type OtherReader = (
  of: OtherReading,
  from: RecordValue,
  kept: Kept,
  numbers: Numbers,
  first: number,
) => boolean;

const textsEach = 8;
const othersEach = 4;

/** Keeps the values of all fields; false when one does not fit. */
export function keepAll(
  { texts, others }: Readings,
  from: RecordValue,
  kept: Kept,
  numbers: Numbers,
  first: number,
): boolean {
  for (let index = 0; index < texts.length; index++) {
    const of = texts[index] as TextReading; // In bounds.
    if (!of.read(of, from, kept, first + of.place)) return false;
  }
  for (let index = 0; index < others.length; index++) {
    const of = others[index] as OtherReading; // In bounds.
    if (!of.read(of, from, kept, numbers, first)) return false;
  }
  return true;
}

/**
 * Undefined when too few readers are left. Records of the same names share theirs: a host's record is in each of its
 * plugins. A publisher who names many records can use all of them up, and others are then read as fast as ever before.
 */
export function readingsOf(fields: readonly KeptField[]): Readings | undefined {
  // Every object has something under these names, which would be taken for the value of a field that was left out.
  if (fields.some(({ key }) => key in Object.prototype)) return undefined;
  const texts = fields.filter(({ kind }) => isString(kind));
  const others = fields.filter(({ kind }) => !isString(kind));
  const owner = [texts, others].map((part) => part.map(({ key }) => key).join()).join(";");
  const own =
    owned.get(owner) ?? give(Math.ceil(texts.length / textsEach), Math.ceil(others.length / othersEach));
  if (own === undefined) return undefined;
  owned.set(owner, own);
  return {
    texts: own.texts.map((read, index) => textReading(read, texts, index * textsEach)),
    others: own.others.map((read, index) => otherReading(read, others, index * othersEach)),
  };
}

/** As many readers as it takes were given, so that each has a first field. */
function textReading(read: TextReader, texts: readonly KeptField[], from: number): TextReading {
  const own = texts.slice(from, from + textsEach);
  const [a, b, c, d, e, f, g, h] = own.map(({ key }) => key);
  let optional = 0;
  for (const [index, { kind }] of own.entries()) if (isOptional(kind)) optional |= 1 << index;
  return { read, place: (own[0] as KeptField).place, optional, a: a as string, b, c, d, e, f, g, h };
}

function otherReading(read: OtherReader, others: readonly KeptField[], from: number): OtherReading {
  const [a, b, c, d] = others.slice(from, from + othersEach);
  return { read, a: a as KeptField, b, c, d };
}

interface Own {
  readonly texts: readonly TextReader[];
  readonly others: readonly OtherReader[];
}

/** By the names that they read. */
const owned = new Map<string, Own>();

function give(texts: number, others: number): Own | undefined {
  if (texts > textReaders.length || others > otherReaders.length) return undefined;
  return { texts: textReaders.splice(0, texts), others: otherReaders.splice(0, others) };
}

function keepText(value: unknown, isOptional: number, kept: Kept, at: number): boolean {
  if (typeof value !== "string" && (isOptional === 0 || !isLeftOut(value))) return false;
  kept[at] = value;
  return true;
}

/** Those that belong to nobody yet, each a place of its own. */
const textReaders: TextReader[] = [
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
  (of, from, kept, at) =>
    keepText(from[of.a], of.optional & 1, kept, at) &&
    (of.b === undefined || keepText(from[of.b], of.optional & 2, kept, at + 1)) &&
    (of.c === undefined || keepText(from[of.c], of.optional & 4, kept, at + 2)) &&
    (of.d === undefined || keepText(from[of.d], of.optional & 8, kept, at + 3)) &&
    (of.e === undefined || keepText(from[of.e], of.optional & 16, kept, at + 4)) &&
    (of.f === undefined || keepText(from[of.f], of.optional & 32, kept, at + 5)) &&
    (of.g === undefined || keepText(from[of.g], of.optional & 64, kept, at + 6)) &&
    (of.h === undefined || keepText(from[of.h], of.optional & 128, kept, at + 7)),
];

const otherReaders: OtherReader[] = [
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
  (of, from, kept, numbers, first) =>
    keep(of.a, from[of.a.key], kept, numbers, first) &&
    (of.b === undefined || keep(of.b, from[of.b.key], kept, numbers, first)) &&
    (of.c === undefined || keep(of.c, from[of.c.key], kept, numbers, first)) &&
    (of.d === undefined || keep(of.d, from[of.d.key], kept, numbers, first)),
];
