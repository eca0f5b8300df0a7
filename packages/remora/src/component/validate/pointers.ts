/** Which values have parts elsewhere in memory, behind pointers: strings, maps and lists whose length is not fixed. */

import type { FuncType, ValueType } from "../types.ts";
import { innerTypes } from "./value-types.ts";

const pointers = new WeakMap<ValueType, boolean>();

/** Kept by object: two cases of one type in each of a hundred nested variants are 2^100 otherwise. */
export function hasPointer(type: ValueType | undefined): boolean {
  if (type === undefined) return false;
  let has = pointers.get(type);
  if (has === undefined) {
    has =
      type.kind === "string" ||
      type.kind === "map" ||
      (type.kind === "list" && type.length === undefined) ||
      // What a stream carries is moved by functions with options of their own.
      (type.kind !== "stream" && type.kind !== "future" && innerTypes(type).some(hasPointer));
    pointers.set(type, has);
  }
  return has;
}

const pointerTakers = new WeakMap<FuncType, boolean>();

export function takesPointer(type: FuncType): boolean {
  let takes = pointerTakers.get(type);
  if (takes === undefined) {
    takes = type.params.some((param) => hasPointer(param.type));
    pointerTakers.set(type, takes);
  }
  return takes;
}
