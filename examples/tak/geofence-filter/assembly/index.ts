// A geofence: what is inside goes on, what is outside ends here. Each message comes as a whole record.

import { CotMessage, FilterMetadata, FilterResult } from "remora/tak";
import { fence } from "./fence";

export function evaluate(message: CotMessage): FilterResult {
  return fence.contains(message.lat, message.lon) ? FilterResult.Pass : FilterResult.Block;
}

export function describe(): string {
  return "Passes what is inside the fence, blocks what is outside";
}

export function getMetadata(): FilterMetadata {
  return {
    id: "geofence-filter",
    name: "Geofence",
    version: "0.1.0",
    author: "The Remora authors",
    description: describe(),
    maxExecutionTimeUs: 10,
  };
}
