/** What a function's values take besides core values: memory for what has no fixed length, and somebody who allocates it. */

import { flatSignature } from "../abi/layout.ts";
import type { FuncType } from "../types.ts";
import { hasPointer, takesPointer } from "../validate/pointers.ts";

/** Whether any of its values goes through linear memory. */
export function isThroughMemory(type: FuncType): boolean {
  const flat = flatSignature(type);
  if (flat.params === undefined || flat.results === undefined) return true;
  return takesPointer(type) || hasPointer(type.result);
}

/** Whether the host has to allocate in the guest to call this. */
export function isGivenMemory(type: FuncType): boolean {
  return flatSignature(type).params === undefined || takesPointer(type);
}
