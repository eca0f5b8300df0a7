/**
 * The JSON of an object, kept as UTF-16 with the places of its texts and numbers: the next object of the same shape is
 * written by putting in what differs. The text is that of `JSON.stringify`, to the unit.
 *
 * Terms: a leaf is a text, a number, a boolean or null; the shape is the names and the nesting around the leaves.
 */

import { DecimalText } from "./decimal-text.ts";

/** One node of a shape. */
export interface Shape {
  /** The number of the leaf, or -1. */
  readonly leaf: number;
  readonly isList: boolean;
  /** The names of an object, in its order. */
  readonly names: readonly string[];
  readonly parts: readonly Shape[];
}

/** Longer texts are rare, and each template has memory of its own. */
const unitsMax = 2_048;
const levelsMax = 16;

/** Like no value. */
const nothing = Symbol("nothing");

const quote = 0x22;
const backslash = 0x5c;

export class TextTemplate {
  readonly shape: Shape;
  readonly #units: Uint16Array<ArrayBuffer>;
  /** Of each leaf: what it is, where it begins and how long it is, and how many decimals it has as a number. */
  readonly #values: unknown[];
  readonly #from: Int32Array;
  readonly #lengths: Int32Array;
  readonly #decimals: Int32Array;
  readonly #decimal = new DecimalText();
  #length: number;
  #bytes: Uint8Array;

  /** The template of an object, with its text; undefined for one that is too large, or not only data. */
  static of(object: object): TextTemplate | undefined {
    // Memory of WebAssembly has the lower byte first; where this machine has not, nothing is prepared.
    if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) return undefined;
    const draft = new Draft();
    const shape = draft.shapeOf(object, 0);
    // That the draft is the text is looked at once; from then on only leaves change.
    if (shape === undefined || draft.text !== JSON.stringify(object)) return undefined;
    return draft.text.length > unitsMax ? undefined : new TextTemplate(shape, draft);
  }

  private constructor(shape: Shape, { text, values, from, lengths }: Draft) {
    this.shape = shape;
    this.#values = values;
    this.#from = Int32Array.from(from);
    this.#lengths = Int32Array.from(lengths);
    this.#decimals = new Int32Array(values.length);
    this.#units = new Uint16Array(unitsMax);
    this.#length = text.length;
    this.#putText(0, text);
    this.#bytes = new Uint8Array(this.#units.buffer, 0, 2 * text.length);
  }

  /** The text, two bytes a unit; valid until something is put. */
  get bytes(): Uint8Array {
    if (this.#bytes.length !== 2 * this.#length)
      this.#bytes = new Uint8Array(this.#units.buffer, 0, 2 * this.#length);
    return this.#bytes;
  }

  /** @returns false for what is no leaf, or makes the text too long: that leaf is nothing then until it is put again */
  put(leaf: number, value: unknown): boolean {
    // 0 and -0 are written alike.
    return value === this.#values[leaf] || this.#change(leaf, value);
  }

  #change(leaf: number, value: unknown): boolean {
    this.#values[leaf] = nothing;
    if (!this.#write(leaf, value)) return false;
    this.#values[leaf] = value;
    return true;
  }

  #write(leaf: number, value: unknown): boolean {
    if (typeof value === "number" && this.#decimal.read(value, this.#decimals[leaf] as number))
      return this.#putDecimal(leaf);
    if (typeof value === "string" && this.#putPlain(leaf, value)) return true;
    const text = leafText(value);
    if (text === undefined || !this.#resize(leaf, text.length)) return false;
    this.#putText(this.#from[leaf] as number, text);
    return true;
  }

  #putDecimal(leaf: number): boolean {
    const decimal = this.#decimal;
    if (!this.#resize(leaf, decimal.length)) return false;
    this.#decimals[leaf] = decimal.decimals;
    decimal.write(this.#units, this.#from[leaf] as number);
    return true;
  }

  /** Puts a text in place of one of the same length; false, with a part of it, when it is not written as it is. */
  #putPlain(leaf: number, text: string): boolean {
    if (text.length + 2 !== this.#lengths[leaf]) return false;
    const units = this.#units;
    const from = this.#from[leaf] as number;
    units[from] = quote;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (!isPlain(unit)) return false;
      units[from + 1 + index] = unit;
    }
    units[from + 1 + text.length] = quote;
    return true;
  }

  /** Makes room for another length: what is behind moves. */
  #resize(leaf: number, length: number): boolean {
    const before = this.#lengths[leaf] as number;
    const more = length - before;
    if (more === 0) return true;
    if (this.#length + more > unitsMax) return false;
    const end = (this.#from[leaf] as number) + before;
    this.#units.copyWithin(end + more, end, this.#length);
    this.#length += more;
    this.#lengths[leaf] = length;
    const from = this.#from;
    for (let later = leaf + 1; later < from.length; later++) from[later] = (from[later] as number) + more;
    return true;
  }

  #putText(from: number, text: string): void {
    for (let index = 0; index < text.length; index++) this.#units[from + index] = text.charCodeAt(index);
  }
}

/** The text of an object, put together piece by piece so that the places of its leaves are known. */
class Draft {
  text = "";
  readonly values: unknown[] = [];
  readonly from: number[] = [];
  readonly lengths: number[] = [];

  /** @returns undefined for what is more than data, or too large */
  shapeOf(value: unknown, level: number): Shape | undefined {
    const text = leafText(value);
    if (text !== undefined) {
      this.values.push(value);
      this.from.push(this.text.length);
      this.lengths.push(text.length);
      this.text += text;
      return { leaf: this.values.length - 1, isList: false, names: [], parts: [] };
    }
    if (typeof value !== "object" || value === null || level > levelsMax) return undefined;
    return Array.isArray(value) ? this.#listOf(value, level) : this.#recordOf(value, level);
  }

  #listOf(list: readonly unknown[], level: number): Shape | undefined {
    const parts: Shape[] = [];
    this.text += "[";
    for (const [index, item] of list.entries()) {
      if (index > 0) this.text += ",";
      const part = this.shapeOf(item, level + 1);
      if (part === undefined || this.text.length > unitsMax) return undefined;
      parts.push(part);
    }
    this.text += "]";
    return { leaf: -1, isList: true, names: [], parts };
  }

  #recordOf(record: object, level: number): Shape | undefined {
    const names: string[] = [];
    const parts: Shape[] = [];
    for (const [name, item] of Object.entries(record)) {
      this.text += `${names.length === 0 ? "{" : ","}${JSON.stringify(name)}:`;
      const part = this.shapeOf(item, level + 1);
      if (part === undefined || this.text.length > unitsMax) return undefined;
      names.push(name);
      parts.push(part);
    }
    this.text += names.length === 0 ? "{}" : "}";
    return { leaf: -1, isList: false, names, parts };
  }
}

function leafText(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    default:
      return value === null ? "null" : undefined;
  }
}

/** Whether it stands in JSON as it is, whatever is beside it: no quote, no backslash, no control character, ASCII. */
function isPlain(unit: number): boolean {
  return unit >= 0x20 && unit < 0x7f && unit !== quote && unit !== backslash;
}
