/**
 * The text of an object put together piece by piece, so that the places of its leaves are known.
 *
 * Terms: a leaf is a text, a number, a boolean or null; the shape is the names and the nesting around the leaves.
 */

/** One node of a shape. */
export interface Shape {
  readonly leaf: Leaf | undefined;
  readonly isList: boolean;
  /** The names of an object, in its order. */
  readonly names: readonly string[];
  readonly parts: readonly Shape[];
}

/** Where a leaf is in a text, and what. */
export interface Leaf {
  /** How many are before it. */
  readonly index: number;
  /** Where it begins, and how many units it has. */
  from: number;
  length: number;
  /** The number that it is, or NaN. */
  number: number;
  /** What else it is; `nothing` for a number. */
  other: unknown;
  /** How many decimals its last numbers had. */
  decimals: number;
  /** Units that are not ASCII. */
  wide: number;
}

/** Like no value. */
export const nothing = Symbol("nothing");

/** Longer texts are rare, and each template has memory of its own. */
export const unitsMax = 2_048;
const levelsMax = 16;
const asciiMax = 0x7f;

export class Draft {
  text = "";
  readonly leaves: Leaf[] = [];

  /** @returns undefined for what is more than data, or too large */
  shapeOf(value: unknown, level = 0): Shape | undefined {
    const text = leafText(value);
    if (text !== undefined) return { leaf: this.#leafOf(value, text), isList: false, names: [], parts: [] };
    if (typeof value !== "object" || value === null || level > levelsMax) return undefined;
    return Array.isArray(value) ? this.#listOf(value, level) : this.#recordOf(value, level);
  }

  #leafOf(value: unknown, text: string): Leaf {
    const isNumber = typeof value === "number";
    const leaf = {
      index: this.leaves.length,
      from: this.text.length,
      length: text.length,
      number: isNumber ? value : Number.NaN,
      other: isNumber ? nothing : value,
      decimals: 0,
      wide: wideIn(text),
    };
    this.leaves.push(leaf);
    this.text += text;
    return leaf;
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
    return { leaf: undefined, isList: true, names: [], parts };
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
    return { leaf: undefined, isList: false, names, parts };
  }
}

/** @returns undefined for what is no leaf */
export function leafText(value: unknown): string | undefined {
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

/** How many units are not ASCII. */
export function wideIn(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > asciiMax) count++;
  return count;
}
