/** A module on plain V8 that counts its operators one by one: what exact fuel has to be. */

import { plainSide, type Side } from "../conformance/core/side.ts";
import { countName, withOperatorCount } from "./operator-count.ts";

export function countedSide(): Side {
  const plain = plainSide();
  let count: { value: bigint } | undefined;
  let depth = 0;
  return {
    ...plain,
    instantiate(bytes, imports) {
      const { [countName]: global, ...own } = plain.instantiate(withOperatorCount(bytes), imports);
      // `withOperatorCount` promises its type.
      count = global as unknown as { value: bigint };
      return own;
    },
    call(work) {
      if (depth === 0 && count !== undefined) count.value = 0n;
      depth++;
      try {
        return work();
      } finally {
        depth--;
      }
    },
    get fuelUsed() {
      return Number(count?.value);
    },
  };
}
