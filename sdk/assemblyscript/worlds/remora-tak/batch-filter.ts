// remora:tak@0.1.0, world batch-filter: what the host calls, in terms of what the plugin exports.

import { release } from "remora/abi/arena";
import { lowerString } from "remora/abi/values";
import { COT_MESSAGE_STRIDE, CotMessage } from "remora/tak/cot-message";
import { lowerFilterMetadata } from "remora/tak/metadata";
import { lowerResults, roomForResults } from "remora/tak/results";
import { describe, evaluate, getMetadata } from "plugin";

export { cabi_realloc } from "remora/abi/arena";

export function batch_evaluateBatch(messages: usize, count: usize): usize {
  const results = roomForResults(count);
  for (let i: usize = 0; i < count; i++) {
    store<u8>(results + i, <u8>evaluate(changetype<CotMessage>(messages + i * COT_MESSAGE_STRIDE)));
  }
  release();
  return lowerResults(count);
}

export function batch_describe(): usize {
  const result = memory.data(8, 4);
  lowerString(describe(), result);
  return result;
}

export function batch_getMetadata(): usize {
  return lowerFilterMetadata(getMetadata());
}
