// omnitak:plugin@0.1.0, world plugin: what the host calls, in terms of what the plugin exports. Both halves describe
// themselves, so the plugin's two functions have names of their own.

import { release } from "remora/abi/arena";
import { liftBytes, liftString, lowerBytes, lowerString } from "remora/abi/values";
import { CotMessage } from "remora/tak/cot-message";
import { takeFailure } from "remora/tak/failure";
import { lowerFilterMetadata, lowerTransformerMetadata } from "remora/tak/metadata";
import { canTransform, describe, evaluate, getFilterMetadata, getTransformerMetadata, transform } from "plugin";

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
  return lowerFilterMetadata(getFilterMetadata());
}

export function transformer_transform(at: usize, length: usize): usize {
  const data = liftBytes(at, length);
  release();
  const bytes = transform(data);
  const failure = takeFailure();
  const result = memory.data(12, 4);
  store<u8>(result, failure === null ? 0 : 1);
  if (failure === null) lowerBytes(bytes, result + 4);
  else lowerString(failure, result + 4);
  return result;
}

export function transformer_canTransform(at: usize, length: usize): i32 {
  const cotType = liftString(at, length);
  release();
  return canTransform(cotType) ? 1 : 0;
}

export function transformer_getMetadata(): usize {
  return lowerTransformerMetadata(getTransformerMetadata());
}
