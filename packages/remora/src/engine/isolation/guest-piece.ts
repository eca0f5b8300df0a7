/** A piece of a core module's memory, asked for between calls. The guest may have chosen where it lies. */

import { payloadBytesMax } from "./protocol.ts";

/** A view of it; undefined when it does not lie wholly in the memory, or is more than a message takes. */
export function pieceAt(memory: Uint8Array, at: number, length: number): Uint8Array | undefined {
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(length) || length > payloadBytesMax)
    return undefined;
  const isInside = at >= 0 && length >= 0 && at + length <= memory.length;
  return isInside ? memory.subarray(at, at + length) : undefined;
}
