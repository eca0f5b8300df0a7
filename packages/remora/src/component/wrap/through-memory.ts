/** What a function's values take besides core values: memory for what has no fixed length, and somebody who allocates it. */

import { flatSignature } from "../abi/layout.ts";
import type { FuncType, ValueType } from "../types.ts";

/** Whether any of its values goes through linear memory. */
export function isThroughMemory(type: FuncType): boolean {
  const flat = flatSignature(type);
  if (flat.params === undefined || flat.results === undefined) return true;
  return takesPointers(type) || givesPointers(type);
}

/** Whether the host has to allocate in the guest to call this. */
export function takesPointers(type: FuncType): boolean {
  return flatSignature(type).params === undefined || type.params.some((param) => hasPointers(param.type));
}

/** Whether the host has to allocate in the guest to answer this. */
export function givesPointers({ result }: FuncType): boolean {
  return result !== undefined && hasPointers(result);
}

const withPointers = new WeakMap<ValueType, boolean>();

/** Kept by object: two cases of one type in each of a hundred nested variants are 2^100 otherwise. */
function hasPointers(type: ValueType): boolean {
  const known = withPointers.get(type);
  if (known !== undefined) return known;
  const found = pointersIn(type);
  withPointers.set(type, found);
  return found;
}

function pointersIn(type: ValueType): boolean {
  const any = (types: readonly (ValueType | undefined)[]) =>
    types.some((each) => each !== undefined && hasPointers(each));
  switch (type.kind) {
    case "string":
    case "map":
      return true;
    case "list":
      return type.length === undefined || hasPointers(type.element);
    case "record":
      return any(type.fields.map((field) => field.type));
    case "variant":
      return any(type.cases.map((each) => each.type));
    case "tuple":
      return any(type.elements);
    case "option":
      return hasPointers(type.some);
    case "result":
      return any([type.ok, type.err]);
    default:
      return false;
  }
}
