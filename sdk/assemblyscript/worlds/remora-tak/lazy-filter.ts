// remora:tak@0.1.0, world lazy-filter: what the host calls, in terms of what the plugin exports.

import { release } from "remora/abi/arena";
import { lowerString } from "remora/abi/values";
import { giveBack, lazyMessage } from "remora/tak/lazy-message";
import { lowerFilterMetadata } from "remora/tak/metadata";
import { describe, evaluate, getMetadata } from "plugin";

export { cabi_realloc } from "remora/abi/arena";

export function lazy_evaluate(handle: i32): i32 {
  const result = evaluate(lazyMessage(handle));
  giveBack(handle);
  release();
  return result;
}

export function lazy_describe(): usize {
  const result = memory.data(8, 4);
  lowerString(describe(), result);
  return result;
}

export function lazy_getMetadata(): usize {
  return lowerFilterMetadata(getMetadata());
}
