// remora:tak@0.1.0, world column-filter: what the host calls, in terms of what the plugin exports. The lists are
// as long as each other, or the call traps: a position without a longitude is the host's mistake.

import { release } from "remora/abi/arena";
import { lowerString } from "remora/abi/values";
import { lowerFilterMetadata } from "remora/tak/metadata";
import { lowerResults, roomForResults } from "remora/tak/results";
import { describe, evaluate, getMetadata } from "plugin";

export { cabi_realloc } from "remora/abi/arena";

export function columns_evaluateColumns(
  lats: usize,
  latCount: usize,
  lons: usize,
  lonCount: usize,
  haes: usize,
  haeCount: usize,
): usize {
  if (lonCount != latCount || haeCount != latCount) unreachable();
  const results = roomForResults(latCount);
  for (let i: usize = 0; i < latCount; i++) {
    const offset = i << 3;
    store<u8>(
      results + i,
      <u8>evaluate(load<f64>(lats + offset), load<f64>(lons + offset), load<f64>(haes + offset)),
    );
  }
  release();
  return lowerResults(latCount);
}

export function columns_describe(): usize {
  const result = memory.data(8, 4);
  lowerString(describe(), result);
  return result;
}

export function columns_getMetadata(): usize {
  return lowerFilterMetadata(getMetadata());
}
