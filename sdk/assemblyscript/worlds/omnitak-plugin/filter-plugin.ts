// omnitak:plugin@0.1.0, world filter-plugin: what the host calls, in terms of what the plugin exports.

import { release } from "remora/abi/arena";
import { lowerString } from "remora/abi/values";
import { CotMessage } from "remora/tak/cot-message";
import { lowerFilterMetadata } from "remora/tak/metadata";
import { describe, evaluate, getMetadata } from "plugin";

export { cabi_realloc } from "remora/abi/arena";

export function filter_evaluate(message: usize): i32 {
  const result = evaluate(changetype<CotMessage>(message));
  release();
  return result;
}

export function filter_describe(): usize {
  const result = memory.data(8, 4);
  lowerString(describe(), result);
  return result;
}

export function filter_getMetadata(): usize {
  return lowerFilterMetadata(getMetadata());
}
