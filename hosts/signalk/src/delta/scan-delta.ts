/**
 * Reads a delta from the bytes of its JSON in one pass, without making a text of them: what plugins write is nearly
 * always the plain part of JSON, ASCII without escapes. Whatever is odd (other characters, an escape, a mistake, too much
 * of something) is left to `parseDelta`, so that there is one place that says what is wrong.
 */

import type { ByteRun } from "./byte-run.ts";
import {
  type Delta,
  isPath,
  isRecord,
  type PathValue,
  pathLengthMax,
  type Update,
  updatesMax,
  valuesMax,
} from "./delta.ts";
import { type DeltaTemplate, templateOf, written } from "./delta-template.ts";
import { hashed, hashStart, type Known, KnownTexts, startsWith } from "./known-texts.ts";

/** Objects and lists within one another that are read here; deeper ones are odd. */
const levelsMax = 8;
/** Digits of an integer that a double has exactly, whatever they are. */
const exactDigitsMax = 15;
/** Deltas that a plugin is remembered by. */
const templatesMax = 4;
/** Texts of a delta that are expected in the next one. */
const expectedMax = 64;
const powersOfTen = Array.from({ length: exactDigitsMax + 1 }, (_, power) => 10 ** power);

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** What is thrown, and caught in `scan`, where something is odd: made once, since it has nothing to tell. */
const odd = new Error("not for the scanner");

const nothing = new Uint8Array(0);

type Writable<Data> = { -readonly [Key in keyof Data]: Data[Key] };

function isNumeric(byte: number | undefined): boolean {
  return byte === minus || (byte !== undefined && byte >= zero && byte <= nine);
}

export class DeltaScanner {
  readonly #texts = new KnownTexts([
    "context",
    "updates",
    "values",
    "meta",
    "path",
    "value",
    "$source",
    "source",
    "timestamp",
  ]);
  #bytes: Uint8Array = nothing;
  #view: DataView = new DataView(nothing.buffer);
  #at = 0;
  #end = 0;
  /** The texts of the delta before, in order: a plugin says the same again, with other numbers. */
  readonly #expected: Known[] = [];
  #textsCount = 0;
  /** Where the numbers of this delta are: from and end of each. */
  #places: number[] = [];
  /** Of the deltas before; the one behind that which fitted last is tried first, since plugins speak in rounds. */
  readonly #templates: DeltaTemplate[] = [];
  #fitted = 0;

  /** @returns undefined when it is not all plain: no delta, or one that only `parseDelta` can read */
  scan(bytes: Uint8Array, from: number, end: number): Delta | undefined {
    // A guest's memory is the same object until it grows.
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#at = from;
    this.#end = end;
    this.#textsCount = 0;
    try {
      return this.#likeBefore(from) ?? this.#anew(from);
    } catch (error) {
      if (error === odd) return undefined;
      throw error;
    }
  }

  #likeBefore(from: number): Delta | undefined {
    const { length } = this.#templates;
    for (let tried = 0; tried < length; tried++) {
      const index = (this.#fitted + 1 + tried) % length;
      // The remainder is an index of the list.
      const template = this.#templates[index] as DeltaTemplate;
      this.#at = from;
      const delta = this.#like(template);
      if (delta === undefined) continue;
      this.#fitted = index;
      return delta;
    }
    return undefined;
  }

  #like(template: DeltaTemplate): Delta | undefined {
    const { segments } = template;
    const view = this.#view;
    const numbers: number[] = [];
    for (let index = 0; ; index++) {
      const segment = segments[index] as ByteRun; // the loop ends with the last
      if (this.#end - this.#at < segment.length || !segment.isAt(view, this.#at)) return undefined;
      this.#at += segment.length;
      if (index === segments.length - 1) break;
      if (!isNumeric(this.#bytes[this.#at])) return undefined;
      numbers.push(this.#number());
    }
    return this.#at === this.#end ? written(template, numbers) : undefined;
  }

  #anew(from: number): Delta | undefined {
    this.#at = from;
    this.#places = [];
    const delta = this.#delta();
    if (this.#next() !== undefined) return undefined;
    const template = templateOf(delta, this.#bytes, { from, end: this.#end, places: this.#places });
    if (template !== undefined) {
      this.#fitted = (this.#fitted + 1) % templatesMax;
      this.#templates[Math.min(this.#fitted, this.#templates.length)] = template;
    }
    return delta;
  }

  #delta(): Delta {
    let context: string | undefined;
    let updates: Update[] | undefined;
    this.#members((key) => {
      if (key === "updates") updates = this.#list(updatesMax, this.#update);
      else if (key === "context") context = this.#path();
      else this.#value(levelsMax);
    });
    if (updates === undefined) throw odd;
    return context === undefined ? { updates } : { context, updates };
  }

  readonly #update = (): Update => {
    const update: Writable<Update> = {};
    this.#members((key) => {
      if (key === "values") update.values = this.#list(valuesMax, this.#pathValue);
      else if (key === "meta") update.meta = this.#list(valuesMax, this.#pathValue);
      else if (key === "$source") update.$source = this.#shortText();
      else if (key === "timestamp") update.timestamp = this.#time();
      else if (key === "source") update.source = this.#record();
      else this.#value(levelsMax);
    });
    return update;
  };

  readonly #pathValue = (): PathValue => {
    let path: string | undefined;
    let value: unknown;
    this.#members((key) => {
      if (key === "path") path = this.#path();
      else if (key === "value") value = this.#value(levelsMax);
      else this.#value(levelsMax);
    });
    // JSON has no such value: it was left out.
    if (path === undefined || value === undefined) throw odd;
    return { path, value };
  };

  #path(): string {
    const text = this.#text();
    if (!isPath(text)) throw odd;
    return text;
  }

  #shortText(): string {
    const text = this.#text();
    if (text.length > pathLengthMax) throw odd;
    return text;
  }

  #time(): string {
    const text = this.#text();
    if (Number.isNaN(Date.parse(text))) throw odd;
    return text;
  }

  #record(): Readonly<Record<string, unknown>> {
    const value = this.#value(levelsMax);
    if (!isRecord(value)) throw odd;
    return value;
  }

  /** Reads an object; each value is read by whoever is told its name. */
  #members(read: (key: string) => void): void {
    this.#take(openObject);
    if (this.#next() === closeObject) {
      this.#at++;
      return;
    }
    for (;;) {
      const key = this.#text();
      this.#take(colon);
      read(key);
      if (this.#hasEnded(closeObject)) return;
    }
  }

  #list<Item>(lengthMax: number, read: () => Item): Item[] {
    this.#take(openList);
    const items: Item[] = [];
    if (this.#next() === closeList) {
      this.#at++;
      return items;
    }
    for (;;) {
      if (items.length === lengthMax) throw odd;
      items.push(read());
      if (this.#hasEnded(closeList)) return items;
    }
  }

  #value(levels: number): unknown {
    const byte = this.#next();
    if (byte === quote) return this.#text();
    if (isNumeric(byte)) return this.#placedNumber();
    if (levels > 0 && byte === openObject) return this.#object(levels - 1);
    if (levels > 0 && byte === openList) return this.#list(valuesMax, () => this.#value(levels - 1));
    return this.#word();
  }

  #object(levels: number): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    this.#members((key) => {
      // A name that comes twice keeps its first place with its last value, so that numbers are not in the order of the text;
      // and `__proto__`, which every object has, would be what it inherits from.
      if (key in found) throw odd;
      found[key] = this.#value(levels);
    });
    return found;
  }

  #placedNumber(): number {
    this.#places.push(this.#at);
    const number = this.#number();
    this.#places.push(this.#at);
    return number;
  }

  /** RFC 8259 §6. */
  #number(): number {
    const bytes = this.#bytes;
    const isNegative = bytes[this.#at] === minus;
    if (isNegative) this.#at++;
    const first = this.#at;
    let digits = this.#digits(0);
    let count = this.#at - first;
    // No digit, or a zero in front of others.
    if (count === 0 || (count > 1 && bytes[first] === zero)) throw odd;
    let fraction = 0;
    if (this.#at < this.#end && bytes[this.#at] === dot) {
      const from = ++this.#at;
      digits = this.#digits(digits);
      fraction = this.#at - from;
      count += fraction;
      if (fraction === 0) throw odd;
    }
    // Both numbers are exact, so that their quotient is the nearest double, as it has to be. An exponent fails where it stands.
    if (count > exactDigitsMax) throw odd;
    const size = digits / (powersOfTen[fraction] as number);
    return isNegative ? -size : size;
  }

  #digits(before: number): number {
    const bytes = this.#bytes;
    let digits = before;
    while (this.#at < this.#end) {
      const digit = (bytes[this.#at] as number) - zero;
      if (digit < 0 || digit > 9) break;
      digits = 10 * digits + digit;
      this.#at++;
    }
    return digits;
  }

  #word(): boolean | null {
    if (this.#isWord(0x74, "true")) return true;
    if (this.#isWord(0x66, "false")) return false;
    if (this.#isWord(0x6e, "null")) return null;
    throw odd;
  }

  #isWord(first: number, word: string): boolean {
    if (this.#bytes[this.#at] !== first || this.#at + word.length > this.#end) return false;
    for (let index = 1; index < word.length; index++) {
      if (this.#bytes[this.#at + index] !== word.charCodeAt(index)) return false;
    }
    this.#at += word.length;
    return true;
  }

  #text(): string {
    this.#take(quote);
    const index = this.#textsCount++;
    const expected = this.#expected[index];
    if (expected !== undefined) {
      const at = this.#at + expected.bytes.length;
      if (at < this.#end && this.#bytes[at] === quote && startsWith(expected.bytes, this.#bytes, this.#at)) {
        this.#at = at + 1;
        return expected.text;
      }
    }
    const found = this.#unexpected();
    if (index < expectedMax) this.#expected[index] = found;
    return found.text;
  }

  #unexpected(): Known {
    const bytes = this.#bytes;
    const end = this.#end;
    const from = this.#at;
    let at = from;
    let hash = hashStart;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === quote) break;
      if (byte < 0x20 || byte > 0x7e || byte === backslash) throw odd;
      hash = hashed(hash, byte);
    }
    if (at === end) throw odd;
    this.#at = at + 1;
    return this.#texts.find(bytes, from, at, hash);
  }

  /** After an item: whether it was the last. */
  #hasEnded(close: number): boolean {
    const byte = this.#next();
    if (byte !== comma && byte !== close) throw odd;
    this.#at++;
    return byte === close;
  }

  #take(byte: number): void {
    // Nearly nobody writes white space here.
    if (this.#at < this.#end && this.#bytes[this.#at] === byte) {
      this.#at++;
      return;
    }
    if (this.#next() !== byte) throw odd;
    this.#at++;
  }

  /** The byte after white space; undefined at the end. */
  #next(): number | undefined {
    const bytes = this.#bytes;
    while (this.#at < this.#end) {
      const byte = bytes[this.#at] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#at++;
    }
    return undefined;
  }
}
