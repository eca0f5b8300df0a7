/** How much a component may make the host hold while it is decoded. */

import { componentErrors } from "../errors.ts";

export interface DecodeLimits {
  /** Components inside components, and types inside types. */
  readonly nestingMax: number;
  /** Definitions and declarations in the whole file, all nested ones counted. */
  readonly definitionsMax: number;
  /** Fields of records, names of flags, arguments and the like in the whole file. */
  readonly itemsMax: number;
  /** Bytes of the whole file. */
  readonly sizeBytesMax: number;
}

export const defaultDecodeLimits: DecodeLimits = {
  nestingMax: 64,
  definitionsMax: 200_000,
  itemsMax: 300_000,
  sizeBytesMax: 128 * 1024 * 1024,
};

/** State of one decoding: what is left of the limits. */
export interface DecodeContext {
  readonly limits: DecodeLimits;
  definitions: number;
}

export function countDefinition(context: DecodeContext, offset: number): void {
  if (++context.definitions > context.limits.definitionsMax) {
    throw componentErrors.limit({ what: "definitions", max: context.limits.definitionsMax, offset });
  }
}
