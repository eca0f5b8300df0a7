/** How many values the types of a module take and give, as flat lists: the analyser asks at each call and block. */

import type { IndexSpaces } from "../index-spaces.ts";
import { slotsOf } from "./stack-slots.ts";

export interface TypeCounts {
  readonly parameters: Int32Array;
  /** What the parameters take on the stack. */
  readonly parameterSlots: Int32Array;
  readonly results: Int32Array;
  /** Of struct types. */
  readonly fields: Int32Array;
}

export function typeCounts({ types }: IndexSpaces): TypeCounts {
  const parameters = new Int32Array(types.length);
  const parameterSlots = new Int32Array(types.length);
  const results = new Int32Array(types.length);
  const fields = new Int32Array(types.length);
  for (const [index, { composite }] of types.entries()) {
    if (composite.kind === "func") {
      parameters[index] = composite.parameters.length;
      parameterSlots[index] = slotsOf(composite.parameters);
      results[index] = composite.results.length;
    } else if (composite.kind === "struct") fields[index] = composite.fields.length;
  }
  return { parameters, parameterSlots, results, fields };
}

/** 0 for an index that is no type: the walk refuses those where they stand. */
export function countAt(counts: Int32Array, index: number): number {
  return index < counts.length ? (counts[index] as number) : 0;
}
