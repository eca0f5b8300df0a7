// omnitak:plugin@0.1.0, world transformer-plugin: what the host calls, in terms of what the plugin exports.

import { release } from "remora/abi/arena";
import { liftBytes, liftString, lowerBytes, lowerString } from "remora/abi/values";
import { takeFailure } from "remora/tak/failure";
import { lowerTransformerMetadata } from "remora/tak/metadata";
import { canTransform, getMetadata, transform } from "plugin";

export { cabi_realloc } from "remora/abi/arena";

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
  return lowerTransformerMetadata(getMetadata());
}
