// A geofence: what is inside goes on, what is outside ends here. Each message is lent, and two of its fields are read.

import { FilterMetadata, FilterResult, LazyMessage } from "remora/tak";
import { fence } from "../../geofence-filter/assembly/fence";

export function evaluate(message: LazyMessage): FilterResult {
  return fence.contains(message.lat, message.lon) ? FilterResult.Pass : FilterResult.Block;
}

export function describe(): string {
  return "Passes what is inside the fence, blocks what is outside";
}

export function getMetadata(): FilterMetadata {
  return {
    id: "geofence-lazy",
    name: "Geofence, lazy",
    version: "0.1.0",
    author: "The Remora authors",
    description: describe(),
    maxExecutionTimeUs: 10,
  };
}
