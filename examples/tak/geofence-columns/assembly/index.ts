// A geofence: what is inside goes on, what is outside ends here. Positions come many at a time.

import { FilterMetadata, FilterResult } from "remora/tak";
import { fence } from "../../geofence-filter/assembly/fence";

export function evaluate(lat: f64, lon: f64, _hae: f64): FilterResult {
  return fence.contains(lat, lon) ? FilterResult.Pass : FilterResult.Block;
}

export function describe(): string {
  return "Passes what is inside the fence, blocks what is outside";
}

export function getMetadata(): FilterMetadata {
  return {
    id: "geofence-columns",
    name: "Geofence, in columns",
    version: "0.1.0",
    author: "The Remora authors",
    description: describe(),
    maxExecutionTimeUs: 10,
  };
}
