/** Whether two value types are one (Explainer.md, "Type Checking"): by structure, resource types by identity. */

import { casesOf } from "../abi/layout.ts";
import type { ValueType } from "../types.ts";

/**
 * A guest may ask for it at each copy of a stream, and a type may have hundreds of thousands of parts: each pair is
 * compared once.
 */
export function isSameType(a: ValueType | undefined, b: ValueType | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  let compared = known.get(a);
  if (compared === undefined) {
    compared = new WeakMap();
    known.set(a, compared);
  }
  let isSame = compared.get(b);
  if (isSame === undefined) {
    isSame = new Comparison().isSame(a, b);
    compared.set(b, isSame);
  }
  return isSame;
}

const known = new WeakMap<ValueType, WeakMap<ValueType, boolean>>();

class Comparison {
  /** Pairs that were compared: a type that contains another twice would compare it twice as often at each level. */
  readonly #seen = new Map<ValueType, Set<ValueType>>();

  isSame(a: ValueType | undefined, b: ValueType | undefined): boolean {
    if (a === b) return true;
    if (a === undefined || b === undefined || a.kind !== b.kind) return false;
    const seen = this.#seen.get(a) ?? new Set();
    if (seen.has(b)) return true;
    this.#seen.set(a, seen.add(b));
    return isSameLabel(a, b) && this.#areSame(innerOf(a), innerOf(b));
  }

  #areSame(a: readonly (ValueType | undefined)[], b: readonly (ValueType | undefined)[]): boolean {
    return a.length === b.length && a.every((type, index) => this.isSame(type, b[index]));
  }
}

function innerOf(type: ValueType): readonly (ValueType | undefined)[] {
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => field.type);
    case "tuple":
      return type.elements;
    case "variant":
    case "option":
    case "result":
    case "enum":
      return casesOf(type);
    case "map":
      return [type.key, type.value];
    case "list":
    case "stream":
    case "future":
      return [type.element];
    default:
      return [];
  }
}

/** All of a type but the types in it: names, lengths, the resource. */
function isSameLabel(a: ValueType, b: ValueType): boolean {
  return labelOf(a) === labelOf(b);
}

function labelOf(type: ValueType): unknown {
  switch (type.kind) {
    case "record":
      return JSON.stringify(type.fields.map(({ name }) => name));
    case "variant":
      return JSON.stringify(type.cases.map(({ name }) => name));
    case "enum":
    case "flags":
      return JSON.stringify(type.names);
    case "list":
      return type.length;
    case "own":
    case "borrow":
      return type.resource.id;
    default:
      return undefined;
  }
}
