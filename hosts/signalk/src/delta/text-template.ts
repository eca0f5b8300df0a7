/**
 * The JSON of an object, kept as UTF-16 with the places of its texts and numbers: the next object of the same shape is
 * written by putting in what differs. The text is that of `JSON.stringify`, to the unit. Beside it the same is kept with one
 * byte a unit, which is UTF-8 as long as all of it is ASCII.
 */

import { DecimalText } from "./decimal-text.ts";
import { Prefixes } from "./prefixes.ts";
import { Draft, type Leaf, leafText, nothing, type Shape, unitsMax, wideIn } from "./text-draft.ts";

const quote = 0x22;
const backslash = 0x5c;

export class TextTemplate {
  readonly shape: Shape;
  readonly #leaves: readonly Leaf[];
  readonly #units = new Uint16Array(unitsMax);
  readonly #utf16 = new Prefixes(this.#units.buffer, 2);
  /** Of a unit that is not ASCII this has only a part; nobody is given it. */
  readonly #bytes = new Uint8Array(unitsMax);
  readonly #utf8 = new Prefixes(this.#bytes.buffer, 1);
  #length: number;
  #wideCount: number;
  readonly #decimal = new DecimalText();

  /** The template of an object, with its text; undefined for one that is too large, or not only data. */
  static of(object: object): TextTemplate | undefined {
    // Memory of WebAssembly has the lower byte first; where this machine has not, nothing is prepared.
    if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) return undefined;
    const draft = new Draft();
    const shape = draft.shapeOf(object);
    // That the draft is the text is looked at once; from then on only leaves change.
    if (shape === undefined || draft.text !== JSON.stringify(object)) return undefined;
    return draft.text.length > unitsMax ? undefined : new TextTemplate(shape, draft);
  }

  private constructor(shape: Shape, { text, leaves }: Draft) {
    this.shape = shape;
    this.#leaves = leaves;
    this.#length = text.length;
    this.#wideCount = wideIn(text);
    this.#putUnits(0, text);
  }

  /** The text, two bytes a unit, the lower one first; valid until something is put. */
  get utf16(): Uint8Array {
    return this.#utf16.of(this.#length);
  }

  /** The text in UTF-8, valid as long; undefined where it is not one byte a unit. */
  get utf8(): Uint8Array | undefined {
    return this.#wideCount > 0 ? undefined : this.#utf8.of(this.#length);
  }

  /** @returns false for what is no leaf, or makes the text too long: that leaf is nothing then until it is put again */
  put(leaf: Leaf, value: unknown): boolean {
    // 0 and -0 are written alike.
    if (typeof value === "number") return value === leaf.number || this.#putNumber(leaf, value);
    return value === leaf.other || this.#putOther(leaf, value);
  }

  #putNumber(leaf: Leaf, value: number): boolean {
    leaf.number = Number.NaN;
    if (leaf.other !== nothing) this.#forgetOther(leaf);
    const decimal = this.#decimal;
    if (decimal.read(value, leaf.decimals)) {
      if (!this.#resize(leaf, decimal.length)) return false;
      leaf.decimals = decimal.tried;
      decimal.write(this.#units, this.#bytes, leaf.from);
    } else if (!this.#putText(leaf, leafText(value))) return false;
    leaf.number = value;
    return true;
  }

  #putOther(leaf: Leaf, value: unknown): boolean {
    leaf.number = Number.NaN;
    this.#forgetOther(leaf);
    if (typeof value !== "string" || !this.#putPlain(leaf, value)) {
      if (!this.#putText(leaf, leafText(value))) return false;
    }
    leaf.other = value;
    return true;
  }

  #forgetOther(leaf: Leaf): void {
    leaf.other = nothing;
    this.#wideCount -= leaf.wide;
    leaf.wide = 0;
  }

  /** Puts a text in place of one of the same length; false, with a part of it, when it is not written as it is. */
  #putPlain({ from, length }: Leaf, text: string): boolean {
    if (text.length + 2 !== length) return false;
    const units = this.#units;
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (!isPlain(unit)) return false;
      units[from + 1 + index] = unit;
      bytes[from + 1 + index] = unit;
    }
    units[from] = quote;
    bytes[from] = quote;
    units[from + length - 1] = quote;
    bytes[from + length - 1] = quote;
    return true;
  }

  #putText(leaf: Leaf, text: string | undefined): boolean {
    if (text === undefined || !this.#resize(leaf, text.length)) return false;
    this.#putUnits(leaf.from, text);
    leaf.wide = wideIn(text);
    this.#wideCount += leaf.wide;
    return true;
  }

  #putUnits(from: number, text: string): void {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      this.#units[from + index] = unit;
      this.#bytes[from + index] = unit;
    }
  }

  /** Makes room for another length: what is behind moves. */
  #resize(leaf: Leaf, length: number): boolean {
    const more = length - leaf.length;
    if (more === 0) return true;
    if (this.#length + more > unitsMax) return false;
    const end = leaf.from + leaf.length;
    this.#units.copyWithin(end + more, end, this.#length);
    this.#bytes.copyWithin(end + more, end, this.#length);
    this.#length += more;
    leaf.length = length;
    const leaves = this.#leaves;
    for (let index = leaf.index + 1; index < leaves.length; index++) (leaves[index] as Leaf).from += more;
    return true;
  }
}

/** Whether it stands in JSON as it is, whatever is beside it: no quote, no backslash, no control character, ASCII. */
function isPlain(unit: number): boolean {
  return unit >= 0x20 && unit < 0x7f && unit !== quote && unit !== backslash;
}
