// Passes what is inside an area and blocks what is outside. Change it to what your plugin is for.

import { Polygon } from "remora/polygon";
import { CotMessage, FilterMetadata, FilterResult } from "remora/tak";

/** Latitude, longitude, corner by corner. */
const area = Polygon.of([
  52.2, 4.1, //
  52.2, 4.5,
  51.9, 4.5,
  51.9, 4.1,
]);

export function evaluate(message: CotMessage): FilterResult {
  return area.contains(message.lat, message.lon) ? FilterResult.Pass : FilterResult.Block;
}

export function describe(): string {
  return "Passes what is inside the area";
}

export function getMetadata(): FilterMetadata {
  return {
    id: "my-plugin",
    name: "my-plugin",
    version: "0.1.0",
    author: "The authors of my-plugin",
    description: describe(),
    maxExecutionTimeUs: 100,
  };
}
